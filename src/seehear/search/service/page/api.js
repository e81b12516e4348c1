// Requests to the service: failures as errors that say what to do, a busy service asked again, the door where it is shut.

import { at, say } from "/dom.js";

export class Failure extends Error {
  constructor(found, { code = "", expected = "", cure = "", request_id: id = "" } = {}) {
    super(found);
    Object.assign(this, { code, expected, cure, id });
  }
}

const TIMES = 3;
const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

export async function ask(path, options = {}, times = TIMES) {
  let answer;
  try {
    answer = await fetch(path, { credentials: "same-origin", ...options });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Failure("The service does not answer", { cure: "see whether it still runs, then try again" });
  }
  if (answer.ok) return answer.json();
  const body = await answer.json().catch(() => ({}));
  const error = body.error || {};
  if (answer.status === 401) {
    await openDoor();
    return ask(path, options, times);
  }
  if (answer.status === 429 && times > 1) {
    const wait = Math.min(10, Number(answer.headers.get("Retry-After")) || 2);
    say(`The service is busy. Trying again in ${wait} seconds.`);
    document.body.dataset.busy = "true";
    await pause(1000 * wait);
    delete document.body.dataset.busy;
    return ask(path, options, times - 1);
  }
  throw new Failure(error.found || `The service answered ${answer.status}`, error);
}

let opening = null;

function openDoor() {
  opening ??= new Promise((done) => {
    const door = at("door"), form = at("door-form"), field = at("token");
    const tried = async (event) => {
      event.preventDefault();
      const answer = await fetch("/api/session", {
        method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ token: field.value }),
      });
      if (!answer.ok) {
        at("door-error").textContent = answer.status === 429 ? "Too many tries: wait a minute." : "This is not the token.";
        field.select();
        return;
      }
      form.removeEventListener("submit", tried);
      field.value = "";
      opening = null;
      door.close();
      done();
    };
    form.addEventListener("submit", tried);
    door.addEventListener("cancel", (event) => event.preventDefault());
    door.showModal();
  });
  return opening;
}

export function query(entries) {
  const words = new URLSearchParams();
  for (const [name, value] of Object.entries(entries)) if (value !== "" && value !== null && value !== undefined) words.set(name, value);
  return words.toString();
}
