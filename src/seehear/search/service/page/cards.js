// Clips as cards: something to play, what it is, where it lies in its file, and what to ask with it.

import { ask, query } from "/api.js";
import { icon, make, seconds } from "/dom.js";
import { draw } from "/heat.js";
import { toggle } from "/player.js";

const title = (clip) => clip.labels.join(", ") || clip.name;

function tile(clip, failed) {
  const name = title(clip);
  const picture = clip.has_pictures
    ? make("img", { src: `/api/clips/${clip.key}/thumbnail`, alt: "", loading: "lazy", decoding: "async" })
    : make("span", { class: "only-sound" }, icon("ear"), "sound only");
  const playable = clip.has_pictures || clip.has_sound;
  const start = make("button", {
    type: "button", class: "start", "aria-pressed": "false", "aria-label": `Play ${name}`, disabled: !playable,
    onclick: () => toggle(box, clip, failed),
  }, make("span", { class: "knob" }, icon("play"), icon("stop")));
  const box = make("div", { class: `tile${clip.has_pictures ? "" : " sound"}` }, picture, start);
  return box;
}

const place = (clip) => (clip.start_seconds > 0
  ? `at ${seconds(clip.start_seconds)} of ${clip.file || clip.name}` : clip.file || clip.name);

function actions(clip, like, modalities) {
  const have = { audio: clip.has_sound && modalities.includes("audio"), image: clip.has_pictures && modalities.includes("image") };
  const entries = [
    ["ear", "Sounds like", "audio", "audio", have.audio],
    ["eye", "Looks like", "image", "image", have.image],
    ["pair", "Goes with", have.audio ? "audio" : "image", have.audio ? "image" : "audio",
      (have.audio && modalities.includes("image")) || (have.image && modalities.includes("audio"))],
  ];
  const hint = { "Sounds like": "clips that sound like this", "Looks like": "clips that look like this", "Goes with": have.audio ? "pictures that go with this sound" : "sounds that go with this picture" };
  return make("div", { class: "actions", role: "group", "aria-label": `More like ${title(clip)}` }, ...entries
    .filter((entry) => entry[4])
    .map(([symbol, text, by, target]) => make("button", {
      type: "button", title: `Find ${hint[text]}`, "aria-label": `${text}: ${hint[text]}`, onclick: () => like(clip, by, target),
    }, icon(symbol), make("span", {}, text))));
}

export function card(clip, { like, failed, modalities, heard = null }) {
  const box = tile(clip, failed);
  const found = clip.rank !== undefined;
  const words = make("div", { class: "words" },
    make("div", { class: "line" }, found ? make("span", { class: "rank" }, String(clip.rank)) : "",
      make("strong", { class: "title" }, title(clip)),
      found ? make("span", { class: "score", title: "cosine: 1 is the same" }, clip.score.toFixed(3)) : ""),
    found ? bar(clip.score) : "",
    make("span", { class: "place" }, place(clip)),
    clip.caption && clip.caption !== title(clip) ? make("span", { class: "caption" }, clip.caption) : "");
  const node = make("li", { class: "clip", "data-key": clip.key }, box, words, actions(clip, like, modalities));
  if (heard && clip.has_pictures) box.append(whereButton(box, clip, heard, failed));
  return node;
}

function bar(score) {
  const fill = make("span", {});
  fill.style.setProperty("width", `${100 * Math.max(0, Math.min(1, score))}%`);
  return make("span", { class: "bar-of-score", "aria-hidden": "true" }, fill);
}

function whereButton(box, clip, heard, failed) {
  const button = make("button", {
    type: "button", class: "where", "aria-pressed": "false", title: "Where in the picture the sound seems to be",
    "aria-label": `Where the sound seems to be in ${title(clip)}`,
  }, icon("where"));
  button.addEventListener("click", async () => {
    const on = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(on));
    const before = box.querySelector("canvas");
    if (before) before.hidden = !on;
    if (!on || before) return;
    try {
      const found = await ask(`/api/clips/${clip.key}/where?${query({ query: heard })}`);
      const heat = draw(found);
      heat.hidden = button.getAttribute("aria-pressed") !== "true";
      box.append(heat);
    } catch (error) {
      button.setAttribute("aria-pressed", "false");
      failed(error);
    }
  });
  return button;
}

export const skeletons = (count) => Array.from({ length: count }, () => make("li", { class: "clip waiting", "aria-hidden": "true" },
  make("div", { class: "tile" }), make("div", { class: "words" }, make("span", { class: "ghost" }), make("span", { class: "ghost short" }))));
