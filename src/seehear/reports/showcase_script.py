"""The script of a page of clips: one at a time, by pointer or keyboard."""

SCRIPT = r"""
(() => {
"use strict";
const screens = [...document.querySelectorAll(".screen")];
let playing = null;

const show = () => {
  if (!playing) return;
  const video = playing.querySelector("video");
  playing.style.setProperty("--p", video.duration ? video.currentTime / video.duration : 0);
  requestAnimationFrame(show);
};
const stop = () => {
  if (!playing) return;
  playing.querySelector("video").pause();
  playing.classList.remove("on");
  playing.querySelector("button").setAttribute("aria-pressed", "false");
  playing = null;
};
const unpack = (video) => {
  if (!video.src.startsWith("data:")) return;
  const bytes = Uint8Array.from(atob(video.src.split(",")[1]), (c) => c.charCodeAt(0));
  video.src = URL.createObjectURL(new Blob([bytes], {type: "video/mp4"}));
};
const play = (screen) => {
  stop();
  const video = screen.querySelector("video"), button = screen.querySelector("button");
  unpack(video);
  video.currentTime = 0;
  playing = screen;
  screen.classList.add("on");
  button.setAttribute("aria-pressed", "true");
  video.play().then(show, (error) => {
    if (error.name === "AbortError") return;
    stop();
    button.title = "This browser could not play the clip: " + error.message;
  });
};
screens.forEach((screen, place) => {
  const video = screen.querySelector("video"), button = screen.querySelector("button");
  video.removeAttribute("controls");
  video.tabIndex = -1;
  button.hidden = false;
  button.setAttribute("aria-pressed", "false");
  button.addEventListener("click", () => (playing === screen ? stop() : play(screen)));
  video.addEventListener("ended", () => { if (playing === screen) stop(); });
  button.addEventListener("keydown", (event) => {
    const step = {ArrowRight: 1, ArrowLeft: -1}[event.key];
    const next = step && screens[place + step];
    if (next) { event.preventDefault(); next.querySelector("button").focus(); }
  });
});
document.addEventListener("keydown", (event) => { if (event.key === "Escape") stop(); });

const links = new Map([...document.querySelectorAll(".top li a")].map((link) => [link.hash.slice(1), link]));
const watch = new IntersectionObserver((entries) => entries.forEach((entry) => {
  if (!entry.isIntersecting) return;
  links.forEach((link) => link.removeAttribute("aria-current"));
  links.get(entry.target.id).setAttribute("aria-current", "true");
}), {rootMargin: "-20% 0px -70% 0px"});
document.querySelectorAll("section").forEach((section) => watch.observe(section));
})();
"""
