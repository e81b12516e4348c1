// The page: what is asked stands in the address (so that Back works), and everything shown follows from it.

import { ask, Failure, query as words } from "/api.js";
import { card, skeletons } from "/cards.js";
import { at, hours, make, say } from "/dom.js";
import { bindKeys } from "/keys.js";
import { openMap } from "/map.js";
import { stop } from "/player.js";
import { bindAsking, showQuery } from "/query.js";

const PAGE = 48, HITS = 48, MOST_HITS = 1000;
const state = { facts: null, route: {}, clips: [], total: 0, answer: null, k: HITS, ticket: 0, map: null };

const asked = () => Boolean(state.route.like || state.route.ask);

function parse(hash) {
  if (hash === "#map") return { map: true };
  const found = Object.fromEntries(new URLSearchParams(hash.slice(1)));
  return /^[0-9a-f]{16}$/.test(found.like || "") || /^[0-9a-f]{24}$/.test(found.ask || "") ? found : {};
}

export function go(route) {
  const hash = route.map ? "#map" : words(route);
  if (location.hash.slice(1) === hash.replace(/^#/, "")) follow();
  else if (hash) location.hash = hash;
  else {
    history.pushState(null, "", location.pathname);
    follow();
  }
}

const like = (clip, by, target) => go({ like: clip.key, by, target });

// Errors ---------------------------------------------------------------------------------------------------------
export function failed(problem) {
  const error = typeof problem === "string" ? new Failure(problem) : problem;
  if (error.name === "AbortError") return;
  const details = [error.expected && `Expected: ${error.expected}.`, error.cure && `Try this: ${error.cure}.`].filter(Boolean);
  const box = at("alert");
  box.replaceChildren(
    make("div", {}, make("strong", {}, `${error.message.charAt(0).toUpperCase()}${error.message.slice(1)}.`),
      details.length ? make("p", {}, details.join(" ")) : "",
      error.id ? make("small", {}, `${error.code} · request ${error.id}`) : ""),
    make("button", { type: "button", class: "round", "aria-label": "Close this message", onclick: calm }, "×"));
  box.hidden = false;
  if (!(error instanceof Failure)) console.warn(error);
}

export function calm() {
  at("alert").hidden = true;
}

// Clips ----------------------------------------------------------------------------------------------------------
const filters = () => ({ label: at("label").value, split: at("split").value });

async function follow({ more = false } = {}) {
  const ticket = ++state.ticket;
  state.route = parse(location.hash);
  const { route } = state;
  if (!more) stop();
  at("map-view").hidden = !route.map;
  at("clips-view").hidden = Boolean(route.map);
  document.body.classList.toggle("at-work", Boolean(route.map) || asked());
  for (const [id, on] of [["to-map", Boolean(route.map)], ["to-clips", !route.map]]) {
    if (on) at(id).setAttribute("aria-current", "page");
    else at(id).removeAttribute("aria-current");
  }
  if (route.map) {
    showQuery(null);
    state.map ??= openMap({ facts: state.facts, like, failed });
    state.map.show();
    return;
  }
  at("grid").setAttribute("aria-busy", "true");
  if (!more) waitWith(asked() ? 12 : 24, ticket);
  try {
    const answer = await (asked() ? search(route) : gallery(more));
    if (ticket !== state.ticket) return;
    show(answer, more);
  } catch (error) {
    if (ticket !== state.ticket) return;
    failed(error);
    if (!more) at("grid").replaceChildren();
    at("count").textContent = "";
  } finally {
    if (ticket === state.ticket) at("grid").removeAttribute("aria-busy");
  }
}

function waitWith(count, ticket) {
  setTimeout(() => {
    if (ticket === state.ticket && at("grid").hasAttribute("aria-busy")) at("grid").replaceChildren(...skeletons(count));
  }, 150);
}

const gallery = (more) => ask(`/api/clips?${words({
  ...filters(), text: at("text").value, limit: PAGE, offset: more ? state.clips.length : 0,
})}`);

function search(route) {
  const given = state.answer;
  state.answer = null;
  if (given && given.query === route.ask && given.by === route.by && given.target === route.target) return given;
  return ask(`/api/search?${words({ clip: route.like, query: route.ask, by: route.by, target: route.target, k: state.k, ...filters() })}`);
}

function show(answer, more) {
  const hits = asked();
  if (hits) showQuery(answer);
  else showQuery(null);
  state.clips = hits ? answer.hits : more ? [...state.clips, ...answer.clips] : answer.clips;
  state.total = hits ? answer.hits.length : answer.total;
  const heard = hits && answer.offers.includes("audio") && state.facts.modalities.includes("image") ? answer.query : null;
  const settings = { like, failed, modalities: state.facts.modalities, heard };
  const nodes = (more && !hits ? answer.clips : state.clips).map((clip) => card(clip, settings));
  if (more && !hits) at("grid").append(...nodes);
  else at("grid").replaceChildren(...nodes);
  at("where-all").hidden = !heard;
  at("grid").classList.toggle("found", hits);
  at("grid").setAttribute("aria-label", hits ? "Results" : "Clips");
  at("more").hidden = hits ? state.clips.length < state.k || state.k >= MOST_HITS : state.clips.length >= state.total;
  if (at("where").checked) showWhere();
  narrow();
}

// In results, words narrow what was found; in the gallery the service looks for them.
function narrow() {
  const wanted = at("text").value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  state.clips.forEach((clip, place) => {
    const text = [clip.name, clip.file, clip.caption, ...clip.labels].join("\n").toLowerCase();
    const fits = !asked() || wanted.every((word) => text.includes(word));
    at("grid").children[place].hidden = !fits;
    shown += fits;
  });
  const total = asked() ? `${shown} ${shown === 1 ? "result" : "results"}` : `${state.total.toLocaleString("en")} ${state.total === 1 ? "clip" : "clips"}`;
  at("count").textContent = total;
  at("nothing").hidden = shown > 0;
  const narrowed = at("text").value || filters().label || filters().split;
  at("nothing").replaceChildren(narrowed ? "No clip fits these filters. " : asked() ? "Nothing was found." : "This collection is empty.",
    narrowed ? make("button", { type: "button", class: "plain-button", onclick: clear }, "Clear the filters") : "");
  say(shown ? total : "nothing found");
}

function clear() {
  at("filters").reset();
  follow();
}

async function showWhere() {
  for (const button of document.querySelectorAll("#grid .where")) {
    if (at("where").checked !== (button.getAttribute("aria-pressed") === "true")) {
      button.click();
      await new Promise((done) => setTimeout(done, 30));
    }
  }
}

// Start ----------------------------------------------------------------------------------------------------------
function introduce(facts) {
  const model = `embedded by ${facts.model}`;
  const classes = facts.labels.length ? `${facts.labels.length} labels` : "";
  at("name").textContent = facts.name;
  document.title = `${facts.name} · SeeHear search`;
  at("subtitle").textContent = [`${facts.clips.toLocaleString("en")} clips`, facts.seconds > 0 && hours(facts.seconds), classes, model].filter(Boolean).join(" · ");
  at("knows").hidden = !facts.knows;
  at("knows").textContent = facts.knows;
  at("foot-words").textContent = `· version ${facts.version} of the table · read only`;
  at("label").append(...facts.labels.map(({ name, clips }) => make("option", { value: name }, `${name} (${clips})`)));
  at("split").append(...facts.splits.map((name) => make("option", { value: name }, name)));
  at("label").closest("label").hidden = !facts.labels.length;
  at("split").closest("label").hidden = !facts.splits.length;
  if (!facts.uploads) {
    at("drop").classList.add("off");
    at("drop-hint").textContent = "Files cannot be asked with: the model could not be loaded (the service said why at its start). Any clip below can be the question.";
  }
}

async function open() {
  try {
    state.facts = await ask("/api/collection");
  } catch (error) {
    at("subtitle").textContent = "";
    failed(error);
    return;
  }
  introduce(state.facts);
  bindAsking({
    facts: state.facts, failed, calm, go, filters,
    answered: (answer) => {
      state.answer = answer;
      go({ ask: answer.query, by: answer.by, target: answer.target });
    },
    k: () => state.k,
  });
  at("choose").disabled = at("record").disabled = at("file").disabled = !state.facts.uploads;
  bindKeys({ go, asked, onMap: () => Boolean(state.route.map) });
  window.addEventListener("hashchange", () => {
    state.k = HITS;
    follow();
  });
  let waiting = 0;
  at("text").addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => (asked() ? narrow() : follow()), 180);
  });
  at("filters").addEventListener("submit", (event) => event.preventDefault());
  for (const id of ["label", "split"]) at(id).addEventListener("change", () => follow());
  at("where").addEventListener("change", showWhere);
  at("more").addEventListener("click", () => {
    if (asked()) state.k = Math.min(MOST_HITS, 2 * state.k);
    follow({ more: true });
  });
  at("theme").addEventListener("click", () => window.switchTheme());
  at("keys-button").addEventListener("click", () => at("keys").showModal());
  for (const id of ["to-clips", "to-map"]) {
    at(id).addEventListener("click", (event) => {
      event.preventDefault();
      go(id === "to-map" ? { map: true } : {});
    });
  }
  document.querySelector(".brand").addEventListener("click", (event) => {
    event.preventDefault();
    go({});
  });
  follow();
}

open();
