// The map: every clip a mark, its label told by colour and shape; pointer or arrow keys choose, click or Enter plays.

import { ask } from "/api.js";
import { card } from "/cards.js";
import { at, make, say, segments } from "/dom.js";

const COLOURS = 10, EDGE = 26;
const turn = (x, y, times) => (times ? turn(-y, x, times - 1) : [x, y]);
const SHAPES = [
  (pen, r) => pen.arc(0, 0, r, 0, 7),
  (pen, r) => pen.rect(-0.88 * r, -0.88 * r, 1.76 * r, 1.76 * r),
  (pen, r) => { pen.moveTo(0, -1.25 * r); pen.lineTo(1.15 * r, 0.85 * r); pen.lineTo(-1.15 * r, 0.85 * r); pen.closePath(); },
  (pen, r) => { pen.moveTo(0, -1.35 * r); pen.lineTo(1.35 * r, 0); pen.lineTo(0, 1.35 * r); pen.lineTo(-1.35 * r, 0); pen.closePath(); },
  (pen, r) => { pen.moveTo(0, 1.25 * r); pen.lineTo(1.15 * r, -0.85 * r); pen.lineTo(-1.15 * r, -0.85 * r); pen.closePath(); },
  (pen, r) => { for (let i = 0; i < 4; i += 1) for (const [x, y] of [[-0.45, -1.25], [0.45, -1.25], [0.45, -0.45]]) pen.lineTo(...turn(x * r, y * r, i)); pen.closePath(); },
  (pen, r) => { for (let i = 0; i < 10; i += 1) { const far = i % 2 ? 0.62 : 1.45; pen.lineTo(far * r * Math.sin(0.6283 * i), -far * r * Math.cos(0.6283 * i)); } pen.closePath(); },
];
const NAMES = { audiovisual: ["both", "both"], audio: ["sound", "ear"], image: ["picture", "eye"] };

export function openMap({ facts, like, failed }) {
  const canvas = at("map-canvas"), tip = at("tip");
  const names = facts.labels.map(({ name }) => name);
  const style = { colours: [], none: "", card: "", ink: "" };
  let of = facts.map, found = null, chosen = -1, only = null, view = { x: 0.5, y: 0.5, zoom: 1 }, moved = false, ticket = 0;

  const kind = (place) => names.indexOf(found.labels[place][0]);
  function mark(pen, index, radius) {
    pen.beginPath();
    (index < 0 ? SHAPES[0] : SHAPES[index % SHAPES.length])(pen, radius);
    pen.fillStyle = index < 0 ? style.none : style.colours[index % COLOURS];
    pen.strokeStyle = style.card;
    pen.lineWidth = 1;
    pen.fill();
    pen.stroke();
  }

  function scale() {
    const side = Math.min(canvas.clientWidth, canvas.clientHeight) - 2 * EDGE;
    return side * view.zoom;
  }
  const screen = ([x, y]) => [(x - view.x) * scale() + canvas.clientWidth / 2, (y - view.y) * scale() + canvas.clientHeight / 2];
  const radius = () => Math.max(3, Math.min(7, 90 / Math.sqrt(found.points.length))) * Math.sqrt(Math.min(3, view.zoom));

  function readStyle() {
    const from = getComputedStyle(document.documentElement);
    style.colours = Array.from({ length: COLOURS }, (_, i) => from.getPropertyValue(`--c${i}`).trim());
    for (const [name, variable] of [["none", "--none"], ["card", "--card"], ["ink", "--ink"]]) style[name] = from.getPropertyValue(variable).trim();
  }

  function paint() {
    const dense = window.devicePixelRatio || 1;
    canvas.width = Math.round(canvas.clientWidth * dense);
    canvas.height = Math.round(canvas.clientHeight * dense);
    if (!found || !canvas.width) return;
    const pen = canvas.getContext("2d"), size = radius();
    pen.scale(dense, dense);
    found.points.forEach((point, place) => {
      pen.save();
      pen.translate(...screen(point));
      pen.globalAlpha = only !== null && kind(place) !== only ? 0.12 : 0.9;
      mark(pen, kind(place), size);
      pen.restore();
    });
    if (chosen >= 0) {
      pen.beginPath();
      pen.arc(...screen(found.points[chosen]), size + 5, 0, 7);
      pen.strokeStyle = style.ink;
      pen.lineWidth = 2.5;
      pen.stroke();
    }
  }

  function nearest(x, y, reach) {
    let best = -1, least = reach * reach;
    found.points.forEach((point, place) => {
      const [px, py] = screen(point), far = (px - x) ** 2 + (py - y) ** 2;
      if (far < least && (only === null || kind(place) === only)) [best, least] = [place, far];
    });
    return best;
  }

  const title = (place) => found.labels[place].join(", ") || "a clip without label";
  function point(place) {
    tip.hidden = place < 0;
    if (place < 0) return;
    const [x, y] = screen(found.points[place]);
    tip.textContent = title(place);
    tip.style.left = `${Math.max(50, Math.min(canvas.clientWidth - 50, x))}px`;
    tip.style.top = `${y}px`;
  }

  async function choose(place, play) {
    chosen = place;
    point(place);
    paint();
    const mine = ++ticket;
    try {
      const clip = await ask(`/api/clips/${found.keys[place]}`);
      if (mine !== ticket) return;
      at("map-card").replaceChildren(card(clip, { like, failed, modalities: facts.modalities }));
      const start = at("map-card").querySelector(".start");
      if (play) start.click();
      if (at("map-card").getBoundingClientRect().top > innerHeight) at("map-card").scrollIntoView({ block: "nearest" });
    } catch (error) {
      failed(error);
    }
  }

  function walk(dx, dy) {
    if (chosen < 0) return nearest(canvas.clientWidth / 2, canvas.clientHeight / 2, 1e9);
    const [x, y] = screen(found.points[chosen]);
    let best = -1, least = Infinity;
    found.points.forEach((other, place) => {
      const [px, py] = screen(other), along = (px - x) * dx + (py - y) * dy, aside = Math.abs((px - x) * dy - (py - y) * dx);
      if (place !== chosen && along > 0.5 && along >= 0.6 * aside && along + 2 * aside < least) [best, least] = [place, along + 2 * aside];
    });
    return best;
  }

  function zoom(factor, x = canvas.clientWidth / 2, y = canvas.clientHeight / 2) {
    const before = scale();
    view.zoom = Math.max(1, Math.min(40, view.zoom * factor));
    const shift = 1 / before - 1 / scale();
    view = view.zoom === 1 ? { x: 0.5, y: 0.5, zoom: 1 } : { ...view, x: view.x + (x - canvas.clientWidth / 2) * shift, y: view.y + (y - canvas.clientHeight / 2) * shift };
    point(-1);
    paint();
  }

  canvas.addEventListener("keydown", (event) => {
    if (!found) return;
    const step = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] }[event.key];
    if (step) {
      const next = walk(...step);
      if (next >= 0) {
        choose(next, false);
        say(title(next));
      }
    } else if (event.key === "Enter" || event.key === " ") at("map-card").querySelector(".start")?.click();
    else if (event.key === "+" || event.key === "=") zoom(1.5);
    else if (event.key === "-") zoom(1 / 1.5);
    else return;
    event.preventDefault();
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!found) return;
    if (event.buttons === 1 && view.zoom > 1) {
      view = { ...view, x: view.x - event.movementX / scale(), y: view.y - event.movementY / scale() };
      moved ||= Math.abs(event.movementX) + Math.abs(event.movementY) > 2;
      paint();
      return;
    }
    point(nearest(event.offsetX, event.offsetY, 24));
  });
  canvas.addEventListener("pointerdown", () => { moved = false; });
  canvas.addEventListener("pointerleave", () => point(-1));
  canvas.addEventListener("wheel", (event) => {
    if (!found || (!event.ctrlKey && view.zoom === 1 && event.deltaY > 0)) return;
    event.preventDefault();
    zoom(Math.exp(-event.deltaY / 300), event.offsetX, event.offsetY);
  }, { passive: false });
  canvas.addEventListener("dblclick", () => zoom(0));
  canvas.addEventListener("click", (event) => {
    if (!found || moved) return;
    const place = nearest(event.offsetX, event.offsetY, 30);
    if (place >= 0) choose(place, true);
  });

  function legend() {
    const count = new Map();
    found.labels.forEach((_, place) => count.set(kind(place), (count.get(kind(place)) || 0) + 1));
    at("legend").replaceChildren(...[...count.keys()].sort((a, b) => (a < 0 ? 1e9 : a) - (b < 0 ? 1e9 : b)).map((index) => {
      const swatch = make("canvas", { width: 36, height: 36, "aria-hidden": "true" });
      const pen = swatch.getContext("2d");
      pen.translate(18, 18);
      mark(pen, index, 10);
      return make("li", {}, make("button", { type: "button", "aria-pressed": String(only === index), onclick: () => {
        only = only === index ? null : index;
        legend();
        paint();
      } }, swatch, index < 0 ? "no label" : names[index], make("small", {}, String(count.get(index)))));
    }));
  }

  async function load() {
    const wanted = of;
    segments(at("map-of"), facts.modalities.map((name) => [name, ...NAMES[name]]), of, (value) => {
      of = value;
      [found, chosen, view] = [null, -1, { x: 0.5, y: 0.5, zoom: 1 }];
      at("map-card").replaceChildren();
      point(-1);
      paint();
      load();
    });
    at("map-state").hidden = false;
    at("map-state").textContent = "Laying out the map …";
    try {
      let answer = await ask(`/api/map?of=${wanted}`);
      for (let tries = 0; answer.state === "computing"; tries += 1) {
        await new Promise((done) => setTimeout(done, Math.min(2000, 300 + 200 * tries)));
        if (of !== wanted) return;
        answer = await ask(`/api/map?of=${wanted}`);
      }
      if (of !== wanted) return;
      if (answer.state !== "ready") {
        at("map-state").textContent = "The map could not be laid out; the service said why.";
        return;
      }
      found = answer;
    } catch (error) {
      at("map-state").textContent = "";
      failed(error);
      return;
    }
    at("map-state").hidden = true;
    const some = found.points.length < found.clips ? ` Shown: ${found.points.length.toLocaleString("en")} of ${found.clips.toLocaleString("en")}, evenly chosen.` : "";
    const left = facts.clips - found.clips;
    const without = left ? ` ${left.toLocaleString("en")} without ${of === "audiovisual" ? "sound or picture" : NAMES[of][0]} ${left === 1 ? "is" : "are"} left out.` : "";
    at("map-words").textContent = `Clips that the model finds alike lie together; distances between groups mean little (t-SNE).${some}${without}`;
    readStyle();
    legend();
    paint();
    say(`Map of ${found.points.length} clips`);
  }

  window.addEventListener("theme", () => { if (found) { readStyle(); legend(); paint(); } });
  new ResizeObserver(() => paint()).observe(canvas);
  load();
  return { show: paint };
}
