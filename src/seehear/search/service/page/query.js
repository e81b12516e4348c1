// The question: a file that is dropped, chosen or pasted, a recording, or a clip; and how it is asked.

import { ask, Failure } from "/api.js";
import { at, icon, make, say, seconds, segments } from "/dom.js";
import { record } from "/recorder.js";
import { toggle } from "/player.js";

const LARGEST = 64 * 1024 * 1024;
const BY = { audio: ["sound", "ear"], image: ["picture", "eye"], audiovisual: ["both", "both"] };
let page = null, upload = null, recording = null;

export function bindAsking(given) {
  page = given;
  at("choose").addEventListener("click", () => at("file").click());
  at("file").addEventListener("change", () => {
    if (at("file").files.length) send(at("file").files[0]);
    at("file").value = "";
  });
  at("record").addEventListener("click", startRecording);
  at("record-stop").addEventListener("click", () => endRecording(true));
  at("record-cancel").addEventListener("click", () => endRecording(false));
  bindDropping();
}

function bindDropping() {
  const holdsFile = (event) => [...(event.dataTransfer?.types || [])].includes("Files");
  let depth = 0;
  const mark = (on) => document.body.classList.toggle("dropping", on);
  window.addEventListener("dragenter", (event) => { if (holdsFile(event)) { depth += 1; mark(true); } });
  window.addEventListener("dragleave", () => { depth = Math.max(0, depth - 1); if (!depth) mark(false); });
  window.addEventListener("dragover", (event) => { if (holdsFile(event)) event.preventDefault(); });
  window.addEventListener("drop", (event) => {
    depth = 0;
    mark(false);
    if (!event.dataTransfer.files.length) return;
    event.preventDefault();
    send(event.dataTransfer.files[0]);
  });
  window.addEventListener("paste", (event) => { if (event.clipboardData.files.length) send(event.clipboardData.files[0]); });
}

export async function send(file, options = {}) {
  page.calm();
  if (!page.facts.uploads) return;
  if (file.size > LARGEST) {
    page.failed(new Failure(`${file.name} has ${Math.round(file.size / 2 ** 20)} MiB`, { expected: "at most 64 MiB", cure: "cut the file to what you look for" }));
    return;
  }
  const form = new FormData();
  for (const [name, value] of Object.entries({ ...options, ...page.filters(), k: page.k() })) if (value !== "" && value !== undefined) form.set(name, value);
  form.set("file", file, "query");
  busy(true, `Searching with ${file.name} …`);
  try {
    const answer = await ask("/api/search", { method: "POST", body: form });
    if (upload && upload.file !== file) URL.revokeObjectURL(upload.url);
    upload = { file, url: upload?.file === file ? upload.url : URL.createObjectURL(file), query: answer.query };
    page.answered(answer);
  } catch (error) {
    page.failed(error);
  } finally {
    busy(false);
  }
}

function busy(on, text = "") {
  document.body.classList.toggle("searching", on);
  at("choose").disabled = at("record").disabled = on;
  if (on) say(text);
}

// Recording ------------------------------------------------------------------------------------------------------
async function startRecording() {
  page.calm();
  try {
    recording = await record({
      tick: (length, level) => {
        at("clock").textContent = seconds(length);
        at("level").style.setProperty("width", `${Math.min(100, 140 * Math.sqrt(level))}%`);
      },
      full: () => endRecording(true),
    });
  } catch (error) {
    page.failed(error);
    return;
  }
  at("drop").hidden = true;
  at("recording").hidden = false;
  at("record-stop").focus();
  say("Recording");
}

export const isRecording = () => recording !== null;

export function endRecording(wanted) {
  if (!recording) return;
  const file = recording();
  recording = null;
  at("drop").hidden = false;
  at("recording").hidden = true;
  at("record").focus();
  if (wanted) send(file);
}

// What is asked now ----------------------------------------------------------------------------------------------
export function showQuery(answer) {
  const box = at("query");
  box.hidden = !answer;
  if (!answer) {
    box.replaceChildren();
    return;
  }
  const own = upload && upload.query === answer.query;
  const by = make("div", { class: "segments", role: "group", "aria-label": "Asked with" });
  const target = make("div", { class: "segments", role: "group", "aria-label": "Looked for in" });
  const route = (changes) => page.go({ ...(answer.clip ? { like: answer.clip.key } : { ask: answer.query }), by: answer.by, target: answer.target, ...changes });
  segments(by, Object.keys(BY).filter((name) => answer.offers.includes(name)).map((name) => [name, ...BY[name]]), answer.by, (value) => route({ by: value }));
  segments(target, page.facts.modalities.map((name) => [name, ...BY[name]]), answer.target, (value) => route({ target: value }));
  box.replaceChildren(
    make("div", { class: "asked" }, answer.clip ? clipTile(answer.clip) : own ? preview(upload, answer.at === null) : make("div", { class: "tile sound" }, make("span", { class: "only-sound" }, icon("ear"), "a file"))),
    make("div", { class: "asked-words" },
      make("h2", {}, answer.clip ? answer.clip.labels.join(", ") || answer.clip.name : own ? upload.file.name : "An earlier file"),
      make("p", { class: "place" }, answer.clip ? answer.clip.name : told(answer)),
      make("div", { class: "choice" }, make("span", {}, "Ask with its"), by),
      make("div", { class: "choice" }, make("span", {}, "Find clips by their"), target)),
    make("button", { type: "button", class: "round close", "aria-label": "Close this query", title: "Close (Esc)", onclick: () => page.go({}) }, icon("close")));
}

const told = (answer) => (answer.at === null ? "all of it" : `from ${seconds(answer.at)} on`);

function clipTile(clip) {
  const tile = make("div", { class: `tile${clip.has_pictures ? "" : " sound"}` },
    clip.has_pictures ? make("img", { src: `/api/clips/${clip.key}/thumbnail`, alt: "" }) : make("span", { class: "only-sound" }, icon("ear"), "sound only"),
    make("button", { type: "button", class: "start", "aria-pressed": "false", "aria-label": "Play the query", onclick: () => toggle(tile, clip, page.failed) },
      make("span", { class: "knob" }, icon("play"), icon("stop"))));
  return tile;
}

function preview({ file, url }, whole) {
  const kind = file.type.split("/")[0];
  if (kind === "image") return make("img", { src: url, alt: "the picture that is asked with", class: "preview" });
  if (kind !== "audio" && kind !== "video") return make("div", { class: "tile sound" }, make("span", { class: "only-sound" }, icon("file"), file.name));
  const media = make(kind, { src: url, controls: true, preload: "metadata", class: "preview", "aria-label": "the file that is asked with" });
  const from = make("button", { type: "button", class: "plain-button slim", onclick: () => send(file, { at: media.currentTime.toFixed(3) }) }, "Search from here");
  from.title = "Only the part that begins where the player stands";
  const all = make("button", { type: "button", class: "plain-button slim", hidden: whole, onclick: () => send(file) }, "Use all of it");
  const box = make("div", { class: "previewed" }, media);
  media.addEventListener("loadedmetadata", () => {
    if (media.duration > page.facts.hears_seconds) box.append(make("div", { class: "buttons" }, from, all));
  });
  return box;
}
