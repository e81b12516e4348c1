// Dark or light before the first paint: what was chosen here, else the system's wish.
"use strict";
(() => {
  const root = document.documentElement;
  const wish = matchMedia("(prefers-color-scheme: dark)");
  let kept = null;
  try { kept = localStorage.getItem("seehear-theme"); } catch { kept = null; }
  if (kept === "dark" || kept === "light") root.dataset.theme = kept;
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : wish.matches);
  const tell = () => window.dispatchEvent(new Event("theme"));
  wish.addEventListener("change", tell);
  window.switchTheme = () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    try { localStorage.setItem("seehear-theme", root.dataset.theme); } catch { /* kept for this page only */ }
    tell();
  };
})();
