// The interface as /openapi.json describes it: endpoints by group, with parameters and a command to try.

import { ask } from "/api.js";
import { at, make } from "/dom.js";

function kind(schema = {}) {
  if (schema.enum) return schema.enum.map((value) => (value === "" ? "nothing" : value)).join(" | ");
  const range = [schema.minimum !== undefined ? `from ${schema.minimum}` : "", schema.maximum !== undefined ? `to ${schema.maximum}` : ""].filter(Boolean).join(" ");
  const base = schema.format === "binary" ? "file" : schema.type || "";
  return [base, range, schema.default !== undefined && schema.default !== "" ? `by default ${schema.default}` : ""].filter(Boolean).join(", ");
}

const named = (schema, described) => (schema.$ref ? described.components.schemas[schema.$ref.split("/").pop()] : schema);

function rows(operation, described) {
  const given = (operation.parameters || []).map((one) => [one.name, one.in, kind(one.schema), one.description || one.schema?.description || "", one.required]);
  for (const [type, body] of Object.entries(operation.requestBody?.content || {})) {
    const schema = named(body.schema || {}, described);
    for (const [name, one] of Object.entries(schema.properties || {})) given.push([name, type === "multipart/form-data" ? "form" : "JSON", kind(one), one.description || "", (schema.required || []).includes(name)]);
  }
  return given;
}

function command(method, path, operation) {
  const base = `${location.origin}${path}`.replace("{key}", "KEY");
  if (operation.requestBody?.content?.["multipart/form-data"]) return `curl -F file=@sound.wav -F target=image ${base}`;
  if (method === "post") return `curl -X POST -H 'Content-Type: application/json' -d '{"token": "..."}' ${base}`;
  return `curl '${base}${path === "/api/search" ? "?clip=KEY&by=audio&target=image" : ""}'`;
}

function endpoint(path, method, operation, described) {
  const given = rows(operation, described);
  return make("section", { class: "endpoint" },
    make("h3", {}, make("span", { class: `method ${method}` }, method.toUpperCase()), " ", make("code", {}, path)),
    make("p", {}, operation.summary || ""),
    given.length ? make("div", { class: "scroll" }, make("table", {}, make("tbody", {}, ...given.map(([name, where, what, words, needed]) => make("tr", {},
      make("th", { scope: "row" }, make("code", {}, name), needed ? make("small", {}, " needed") : ""), make("td", {}, where), make("td", {}, what), make("td", {}, words)))))) : "",
    make("pre", { tabindex: "0" }, make("code", {}, command(method, path, operation))));
}

try {
  const described = await ask("/openapi.json");
  at("about").textContent = `${described.info.title} ${described.info.version}. ${described.info.description}`;
  const groups = new Map();
  for (const [path, methods] of Object.entries(described.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const tag = operation.tags?.[0] || "other";
      groups.set(tag, [...(groups.get(tag) || []), endpoint(path, method, operation, described)]);
    }
  }
  at("endpoints").append(...[...groups].map(([tag, sections]) => make("div", {}, make("h2", {}, tag.charAt(0).toUpperCase() + tag.slice(1)), ...sections)));
} catch (error) {
  at("about").textContent = `${error.message}. ${error.cure || ""}`;
}
