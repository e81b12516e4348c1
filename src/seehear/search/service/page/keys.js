// The keyboard: / filters, arrows go from clip to clip, Escape leaves step by step.

import { at } from "/dom.js";
import { isPlaying, stop } from "/player.js";
import { endRecording, isRecording } from "/query.js";

const types = (node) => node.closest("input:not([type=checkbox]), textarea, select, dialog, video, audio") !== null;

export function bindKeys({ go, asked, onMap }) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (event.key === "Escape") escape(event, go, asked);
    else if (types(event.target)) return;
    else if (event.key in LETTERS) {
      event.preventDefault();
      LETTERS[event.key]({ go, onMap });
    } else if (event.key.startsWith("Arrow") && !onMap()) step(event);
  });
}

const LETTERS = {
  "/": ({ go, onMap }) => {
    if (onMap()) go({});
    at("text").focus();
    at("text").select();
  },
  "?": () => at("keys").showModal(),
  u: () => at("choose").click(),
  r: () => at("record").click(),
  m: ({ go, onMap }) => go(onMap() ? {} : { map: true }),
};

function escape(event, go, asked) {
  if (document.querySelector("dialog[open]")) return;
  if (isRecording()) endRecording(false);
  else if (isPlaying()) stop();
  else if (!at("alert").hidden) at("alert").hidden = true;
  else if (event.target === at("text")) leave(event);
  else if (asked()) go({});
}

function leave(event) {
  const text = at("text");
  event.preventDefault(); // the browser would empty the field without a word to us
  if (text.value) {
    text.value = "";
    text.dispatchEvent(new Event("input"));
  } else text.blur();
}

function step(event) {
  const starts = [...document.querySelectorAll("#grid .clip:not([hidden]) .start")];
  if (!starts.length) return;
  const inside = event.target.closest?.("#grid .clip");
  const place = inside ? starts.indexOf(inside.querySelector(".start")) : -1;
  if (place < 0 && event.target !== document.body && event.target !== at("content")) return;
  event.preventDefault();
  const top = starts[0].getBoundingClientRect().top;
  const columns = Math.max(1, starts.filter((start) => Math.abs(start.getBoundingClientRect().top - top) < 4).length);
  const by = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns }[event.key];
  const next = place < 0 ? 0 : place + by;
  if (next >= 0 && next < starts.length) {
    starts[next].focus({ preventScroll: true });
    starts[next].closest(".clip").scrollIntoView({ block: "nearest", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
  }
}
