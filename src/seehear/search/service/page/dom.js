// Elements from names and text. Text is only ever set as text, so nothing of a file or a label becomes markup.

export const at = (id) => document.getElementById(id);

export function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
  return node;
}

export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#i-${name}`);
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  svg.append(use);
  return svg;
}

export const say = (text) => { at("live").textContent = text; };

export const seconds = (value) => (value >= 60
  ? `${Math.floor(value / 60)}:${String(Math.floor(value % 60)).padStart(2, "0")}`
  : `${value.toFixed(1)} s`);

export const hours = (value) => (value >= 5400 ? `${(value / 3600).toFixed(1)} hours`
  : value >= 90 ? `${Math.round(value / 60)} minutes` : `${Math.round(value)} seconds`);

export function segments(box, entries, chosen, pick) {
  box.replaceChildren(...entries.map(([value, text, symbol]) => make("button", {
    type: "button", "aria-pressed": String(value === chosen), "data-value": value, onclick: () => pick(value),
  }, symbol ? icon(symbol) : "", text)));
}
