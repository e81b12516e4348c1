"""The page's script: one sound at a time, sorting, tooltips. Everything else works without it."""

SCRIPT = r"""
(() => {
"use strict";
const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const sounds = JSON.parse(document.getElementById("sounds").textContent);
const audio = new Audio();
const urls = {};
let playing = null;

const show = () => {
  if (!playing) return;
  playing.style.setProperty("--p", audio.duration ? audio.currentTime / audio.duration : 0);
  requestAnimationFrame(show);
};
const stop = () => {
  audio.pause();
  if (playing) { playing.setAttribute("aria-pressed", "false"); playing.style.removeProperty("--p"); }
  playing = null;
};
const play = (button) => {
  stop();
  const key = button.dataset.sound;
  if (!urls[key]) {
    const bytes = Uint8Array.from(atob(sounds[key]), (c) => c.charCodeAt(0));
    urls[key] = URL.createObjectURL(new Blob([bytes], {type: "audio/flac"}));
  }
  audio.src = urls[key];
  playing = button;
  button.setAttribute("aria-pressed", "true");
  audio.play().then(show, (error) => {
    if (error.name === "AbortError") return;
    stop();
    button.setAttribute("aria-disabled", "true");
    button.title = "This browser could not play the sound: " + error.message;
  });
};
audio.addEventListener("ended", stop);
all("[data-sound]").forEach((button) => {
  button.setAttribute("aria-pressed", "false");
  button.addEventListener("click", () => (playing === button ? stop() : play(button)));
});
document.addEventListener("keydown", (event) => { if (event.key === "Escape") stop(); });

all("[data-sort]").forEach((button) => button.addEventListener("click", () => {
  const heading = button.closest("th"), column = Number(button.dataset.sort);
  const next = {descending: "ascending", ascending: null}, was = heading.getAttribute("aria-sort");
  const order = was ? next[was] : "descending", down = order === "descending";
  all("[aria-sort]", heading.parentNode).forEach((other) => other.removeAttribute("aria-sort"));
  if (order) heading.setAttribute("aria-sort", order);
  const value = (row) => row.children[column].dataset.value;
  all("tbody", heading.closest("table")).forEach((body) => {
    const rows = all("tr:not(.task)", body);
    rows.forEach((row, place) => { row.dataset.place ??= place; });
    rows.sort((a, b) => {
      if (!order) return a.dataset.place - b.dataset.place;
      const x = value(a), y = value(b);
      if (x === undefined || y === undefined) return (x === undefined) - (y === undefined);
      const sign = column ? Number(x) - Number(y) : x.localeCompare(y, "en", {numeric: true});
      return down ? -sign : sign;
    });
    body.append(...rows);
  });
}));

const pointIn = (svg, event) =>
  new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());

all("figure.map").forEach((figure) => {
  const svg = figure.querySelector(".canvas svg"), tip = figure.querySelector(".tip");
  const pair = figure.querySelector(".pair"), data = JSON.parse(figure.querySelector(".map-data").textContent);
  const marks = all(".marks [data-i]", svg).map((mark) => {
    const box = mark.getBBox();
    return {mark, x: box.x + box.width / 2, y: box.y + box.height / 2, i: mark.dataset.i,
      group: mark.parentNode, sense: mark.closest(".marks").dataset.modality};
  });
  const leave = () => {
    all(".near", svg).forEach((mark) => mark.classList.remove("near"));
    tip.hidden = true;
    pair.style.visibility = "hidden";
  };
  svg.addEventListener("pointermove", (event) => {
    leave();
    const at = pointIn(svg, event), distance = (m) => Math.hypot(m.x - at.x, m.y - at.y);
    const filtered = figure.classList.contains("filtered");
    const usable = filtered ? marks.filter((m) => m.group.classList.contains("on")) : marks;
    const best = usable.reduce((a, b) => (a && distance(a) <= distance(b) ? a : b), null);
    if (!best || distance(best) > 18) return;
    best.mark.classList.add("near");
    const twin = data.paired && marks.find((m) => m.i === best.i && m.sense !== best.sense);
    if (twin) {
      twin.mark.classList.add("near");
      Object.entries({x1: best.x, y1: best.y, x2: twin.x, y2: twin.y}).forEach(([k, v]) => pair.setAttribute(k, v));
      pair.style.visibility = "visible";
    }
    const small = document.createElement("small");
    small.textContent = data.names[best.i] || "clip " + best.i;
    tip.replaceChildren([data.classes[best.group.dataset.class], best.sense].filter(Boolean).join(" · "), small);
    tip.hidden = false;
    const frame = svg.getBoundingClientRect(), scale = frame.width / svg.viewBox.baseVal.width;
    const left = Math.min(Math.max(best.x * scale - tip.offsetWidth / 2, 4), frame.width - tip.offsetWidth - 4);
    const above = best.y * scale - tip.offsetHeight - 12;
    tip.style.left = left + "px";
    tip.style.top = (above < 0 ? best.y * scale + 14 : above) + "px";
  });
  svg.addEventListener("pointerleave", leave);
  const buttons = all(".classes button", figure);
  buttons.forEach((button) => button.addEventListener("click", () => {
    leave();
    button.setAttribute("aria-pressed", button.getAttribute("aria-pressed") !== "true");
    const on = new Set(buttons.filter((b) => b.getAttribute("aria-pressed") === "true").map((b) => b.dataset.class));
    figure.classList.toggle("filtered", on.size > 0);
    all(".canvas [data-class]", figure).forEach((part) => part.classList.toggle("on", on.has(part.dataset.class)));
  }));
});

all("svg[data-chart]").forEach((svg) => {
  const data = JSON.parse(svg.dataset.chart), cursor = svg.querySelector(".cursor");
  const readout = svg.closest("figure").querySelector(".readout"), resting = readout.textContent;
  svg.addEventListener("pointermove", (event) => {
    const at = pointIn(svg, event).x;
    const [x, step] = data.x.reduce((a, b) => (Math.abs(a[0] - at) <= Math.abs(b[0] - at) ? a : b));
    cursor.setAttribute("x1", x);
    cursor.setAttribute("x2", x);
    cursor.style.visibility = "visible";
    const values = data.series.map(([name, points]) => name + " " +
      points.reduce((a, b) => (Math.abs(a[0] - step) <= Math.abs(b[0] - step) ? a : b))[1]);
    readout.textContent = "step " + Math.round(step).toLocaleString("en") + ": " + values.join(", ");
  });
  svg.addEventListener("pointerleave", () => { cursor.style.visibility = "hidden"; readout.textContent = resting; });
});

const links = new Map(all(".top li a").map((link) => [link.hash.slice(1), link]));
const watch = new IntersectionObserver((entries) => entries.forEach((entry) => {
  if (!entry.isIntersecting) return;
  links.forEach((link) => link.removeAttribute("aria-current"));
  const link = links.get(entry.target.id);
  link.setAttribute("aria-current", "true");
  const list = link.closest("ul");
  list.scrollTo({left: link.offsetLeft - list.offsetLeft - 24});
}), {rootMargin: "-20% 0px -70% 0px"});
all("section").filter((section) => links.has(section.id)).forEach((section) => watch.observe(section));

addEventListener("beforeprint", () => all("details.more").forEach((fold) => { fold.open = true; }));
})();
"""
