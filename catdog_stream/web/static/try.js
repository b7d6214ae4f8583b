// Try it: pictures that are dropped, chosen, pasted or photographed go to the stream, and each one's
// answer appears beside it.

import { listen } from "./given.js";
import { NoPicture, prepared } from "./picture.js";
import { Results } from "./results.js";
import { Refused, answer, forgetToken, send, setToken } from "./sending.js";

const AT_ONCE = 3;
const TRIES = 5;
const SENDABLE = /^[\x21-\x7e]+$/; // in a header
const UNKNOWN = "unknown"; // the verdict on what is like none of the classes

const section = document.getElementById("try");
const note = document.getElementById("try-note");
const tokenForm = document.getElementById("try-token");
const addressForm = document.getElementById("try-address");
const queue = [];
let results = null;
let running = 0;
let tokenGiven = null; // resolves when the visitor has given one

function percent(part) {
  return `${(100 * part).toFixed(1)}%`;
}

function show(card, found, again) {
  if (found.status === "rejected") {
    const helps = section.dataset.retried.split(" ").includes(found.reason);
    card.end("rejected", `${found.reason}: ${found.detail}`, { bad: true, retry: helps ? again : null });
    return;
  }
  const chances = Object.entries(found.scores ?? {}).sort((one, other) => other[1] - one[1])
    .slice(0, 4).map(([name, chance]) => `${name} ${percent(chance)}`).join(", ");
  const likely = found.verdict === UNKNOWN
    ? `The picture is like none of the classes that the stack was trained on. Of these alone: ${chances}`
    : chances;
  card.end(found.verdict, [likely, found.stack].filter(Boolean).join(" · "));
}

async function sent(card, path, body, type) {
  for (let tries = 1; ; tries += 1) {
    card.wait("Sending…", 0);
    try {
      return await send(path, body, type, (part) => card.wait(
        part < 1 ? `Sending… ${Math.round(100 * part)}%` : "Waiting for Kafka…", part));
    } catch (error) {
      if (error.status === 401) {
        card.wait(forgetToken() ? "The token is not the right one." : "Sending needs a token.");
        await askForToken();
      } else if (error.status === 429 && tries < TRIES) {
        // Whatever else goes wrong, Kafka may have it all the same: nobody wants it counted twice.
        card.wait(`${error.message} Trying again.`);
        await new Promise((resolve) => setTimeout(resolve, 1000 * error.retryAfter));
      } else {
        throw error;
      }
    }
  }
}

function askForToken() {
  tokenForm.hidden = false;
  if (tokenGiven === null) {
    let resolve;
    const promise = new Promise((done) => { resolve = done; });
    tokenGiven = { promise, resolve };
    document.getElementById("token").focus();
  }
  return tokenGiven.promise;
}

// Sends what `make` makes and shows its answer; what Kafka has is not sent a second time.
async function work(card, make, taken = null) {
  try {
    if (taken === null) {
      const { path, body, type } = await make(card);
      taken = await sent(card, path, body, type);
    }
    card.wait("Kafka has it. Waiting for the stream…");
    show(card, taken.status === "waiting" ? await answer(taken.id) : taken, () => take(card, make));
  } catch (error) {
    const isPicture = !(error instanceof NoPicture);
    if (isPicture && !(error instanceof Refused)) console.error(error);
    card.end(isPicture ? "not classified" : "no picture", error.message, {
      bad: true, retry: isPicture ? () => take(card, make, taken) : null,
    });
  }
}

async function pump() {
  if (running >= AT_ONCE) return;
  const next = queue.shift();
  if (next === undefined) return;
  running += 1;
  try {
    await work(...next);
  } finally {
    running -= 1;
    pump();
  }
}

function take(card, make, taken = null) {
  card.begin();
  queue.push([card, make, taken]);
  pump();
}

function tell(sentence) {
  note.textContent = sentence;
  note.hidden = sentence === "";
}

function takeFiles(files) {
  tell("");
  const reads = { heic: section.dataset.heic === "yes", maxBytes: Number(section.dataset.maxBytes) };
  let refused = 0;
  for (const file of files) {
    const card = results.add(file.name || "Pasted picture");
    if (card === null) {
      refused += 1;
      continue;
    }
    take(card, async () => {
      const body = await prepared(file, reads);
      card.picture(body);
      return { path: "/images/", body, type: body.type || "application/octet-stream" };
    });
  }
  if (refused > 0) {
    tell(`Too many pictures at once: the last ${refused} were not taken. `
      + "Send them again when the others are answered.");
  }
}

function takeAddress(address) {
  if (addressForm === null) {
    tell("That is an address, and this worker fetches none. Save the picture and drop or choose its "
      + "file. Whoever runs the worker can allow addresses with CATDOG_WEB_FETCH.");
    return;
  }
  const card = results.add(address);
  tell(card === null ? "Too many pictures at once: wait until some are answered." : "");
  if (card === null) return;
  take(card, async () => ({
    path: "/addresses/", body: JSON.stringify({ address }), type: "application/json",
  }));
}

function takeText() {
  tell("That is no picture and no address. Drop, paste or choose the file of a picture.");
}

function offer() {
  results = new Results({
    list: document.getElementById("tries"),
    box: document.getElementById("try-results"),
    line: document.getElementById("try-line"),
    again: document.getElementById("try-again"),
    said: document.getElementById("try-said"),
  });
  const drop = document.getElementById("drop");
  for (const input of drop.querySelectorAll("input[type=file]")) {
    input.addEventListener("change", () => {
      takeFiles(input.files);
      input.value = ""; // the same file may be chosen again
    });
  }
  document.getElementById("try-camera").hidden = !matchMedia("(pointer: coarse)").matches;
  listen(drop, { files: takeFiles, address: takeAddress, text: takeText });
  const token = document.getElementById("token");
  token.addEventListener("input", () => token.setCustomValidity(
    SENDABLE.test(token.value) ? "" : "A token has letters, digits and signs of ASCII alone."));
  tokenForm.addEventListener("submit", (event) => {
    event.preventDefault();
    setToken(token.value);
    token.value = "";
    tokenForm.hidden = true;
    document.getElementById("try-files").focus();
    tokenGiven?.resolve();
    tokenGiven = null;
  });
  addressForm?.addEventListener("submit", (event) => {
    event.preventDefault();
    const field = document.getElementById("address");
    const address = field.value.trim();
    if (address === "") return;
    field.value = "";
    takeAddress(address);
  });
  section.hidden = false;
}

if (section !== null) offer();
