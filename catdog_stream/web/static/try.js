// Try it: pictures that are dropped, chosen, pasted or photographed go to the stream, and each one's
// answer appears beside it.

import { NoPicture, prepared } from "./picture.js";
import { Refused, answer, forgetToken, send, setToken } from "./sending.js";

const KEPT = 12;
const AT_ONCE = 3;
const TRIES = 5;
const SENDABLE = /^[\x21-\x7e]+$/; // in a header

const section = document.getElementById("try");
const list = document.getElementById("tries");
const said = document.getElementById("try-said");
const tokenForm = document.getElementById("try-token");
const queue = [];
let running = 0;
let tokenGiven = null; // resolves when the visitor has given one

// One picture on the page. All texts are set as text: nothing that comes back is HTML.
class Card {
  constructor(name) {
    this.name = name;
    this.item = element("li");
    this.image = element("img", { alt: name, width: 176, height: 176 });
    this.verdict = element("p", { className: "verdict" });
    this.url = element("p", { className: "url", title: name, textContent: name });
    this.fine = element("p", { className: "told" });
    this.bar = element("progress", { max: 1, value: 0 });
    this.bar.setAttribute("aria-label", `Sending ${name}`);
    this.item.append(this.image, this.verdict, this.url, this.fine, this.bar);
    list.prepend(this.item);
    while (list.children.length > KEPT) {
      URL.revokeObjectURL(list.lastChild.querySelector("img").src);
      list.lastChild.remove();
    }
  }

  picture(blob) {
    this.image.src = URL.createObjectURL(blob);
  }

  wait(sentence, part) {
    this.fine.textContent = sentence;
    this.bar.hidden = false;
    if (part === undefined) this.bar.removeAttribute("value");
    else this.bar.value = part;
  }

  end(strong, sentence, bad = false) {
    this.bar.hidden = true;
    this.verdict.replaceChildren(element("b", { textContent: strong }));
    this.item.classList.toggle("bad", bad);
    this.fine.textContent = sentence;
    said.textContent = `${this.name}: ${strong}. ${sentence}`;
  }
}

function element(name, properties = {}) {
  return Object.assign(document.createElement(name), properties);
}

function percent(part) {
  return `${(100 * part).toFixed(1)}%`;
}

function show(card, found) {
  if (found.status === "rejected") {
    card.end("rejected", `${found.reason}: ${found.detail}`, true);
    return;
  }
  const chances = Object.entries(found.scores ?? {}).sort((one, other) => other[1] - one[1])
    .slice(0, 4).map(([name, chance]) => `${name} ${percent(chance)}`);
  card.end(found.verdict, [chances.join(", "), found.stack].filter(Boolean).join(" · "));
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

async function work(card, make) {
  try {
    const { path, body, type } = await make(card);
    const taken = await sent(card, path, body, type);
    card.wait("Kafka has it. Waiting for the stream…");
    show(card, taken.status === "waiting" ? await answer(taken.id) : taken);
  } catch (error) {
    if (!(error instanceof Refused || error instanceof NoPicture)) console.error(error);
    card.end(error instanceof NoPicture ? "no picture" : "not classified", error.message, true);
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

function take(card, make) {
  card.wait("Waits for its turn.");
  queue.push([card, make]);
  pump();
}

function takeFiles(files) {
  for (const file of files) {
    take(new Card(file.name || "Pasted picture"), async (card) => {
      const body = await prepared(file);
      card.picture(body);
      return { path: "/images/", body, type: body.type || "application/octet-stream" };
    });
  }
}

function offer() {
  const drop = document.getElementById("drop");
  for (const input of drop.querySelectorAll("input[type=file]")) {
    input.addEventListener("change", () => {
      takeFiles(input.files);
      input.value = ""; // the same file may be chosen again
    });
  }
  document.getElementById("try-camera").hidden = !matchMedia("(pointer: coarse)").matches;
  // Wherever on the page they are dropped: a miss would have the browser leave it.
  for (const name of ["dragenter", "dragover"]) {
    document.addEventListener(name, (event) => {
      event.preventDefault();
      drop.classList.add("over");
    });
  }
  document.addEventListener("dragleave", (event) => {
    if (event.relatedTarget === null) drop.classList.remove("over");
  });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    takeFiles(event.dataTransfer.files);
  });
  document.addEventListener("paste", (event) => {
    const files = event.clipboardData?.files ?? [];
    if (files.length > 0) {
      event.preventDefault();
      takeFiles(files);
    }
  });
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
  document.getElementById("try-address")?.addEventListener("submit", (event) => {
    event.preventDefault();
    const field = document.getElementById("address");
    const address = field.value.trim();
    if (address === "") return;
    field.value = "";
    take(new Card(address), async () => ({
      path: "/addresses/", body: JSON.stringify({ address }), type: "application/json",
    }));
  });
  section.hidden = false;
}

if (section !== null) offer();
