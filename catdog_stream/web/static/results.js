// The pictures that a visitor has sent since the page was opened: a card for each, the latest first,
// and a line about all of them. All texts are set as text: nothing that comes back is HTML.

const KEPT = 300;
const NAMED = 6; // words in the line about all

export class Results {
  constructor({ list, box, line, again, said }) {
    Object.assign(this, { list, box, line, again, said });
    this.cards = [];
    this.begun = 0; // since nothing was in work
    this.again.addEventListener("click", () => {
      for (const card of this.failed()) card.tryAgain();
    });
  }

  // A card for one more picture; null where as many as are kept are in work.
  add(name) {
    if (this.cards.length >= KEPT) {
      const oldest = this.cards.findIndex((card) => card.word !== null);
      if (oldest < 0) return null;
      this.cards.splice(oldest, 1)[0].remove();
    }
    const card = new Card(name, this);
    this.cards.push(card);
    this.list.prepend(card.item);
    this.box.hidden = false;
    return card;
  }

  failed() {
    return this.cards.filter((card) => card.retry !== null);
  }

  began() {
    this.begun += 1;
    this.tell();
  }

  ended(card) {
    const line = this.tell();
    if (this.cards.some((each) => each.word === null)) return;
    this.said.textContent = this.begun > 1 ? line : card.sentence();
    this.begun = 0;
  }

  tell() {
    const counts = new Map();
    for (const { word } of this.cards) {
      const name = word ?? "in work";
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    const ranked = [...counts].sort((one, other) => other[1] - one[1]);
    const rest = ranked.splice(NAMED).reduce((sum, [, number]) => sum + number, 0);
    const parts = ranked.map(([name, number]) => `${number} ${name}`);
    if (rest > 0) parts.push(`${rest} others`);
    const all = this.cards.length;
    const failed = this.failed().length;
    this.line.textContent = `${all} ${all === 1 ? "picture" : "pictures"}: ${parts.join(", ")}.`;
    this.again.textContent = `Try ${failed} again`;
    this.again.hidden = failed === 0;
    return this.line.textContent;
  }
}

class Card {
  constructor(name, results) {
    this.name = name;
    this.results = results;
    this.word = null; // what became of it, once that is known
    this.retry = null; // where a further try can help
    this.item = element("li");
    this.image = element("img", { alt: name, width: 176, height: 176, decoding: "async" });
    this.verdict = element("p", { className: "verdict" });
    this.url = element("p", { className: "url", title: name, textContent: name });
    this.fine = element("p", { className: "told" });
    this.bar = element("progress", { max: 1, value: 0 });
    this.bar.setAttribute("aria-label", `Sending ${name}`);
    this.button = element("button", { type: "button", textContent: "Try again", hidden: true });
    this.button.setAttribute("aria-label", `Try ${name} again`);
    this.button.addEventListener("click", () => this.tryAgain());
    this.item.append(this.image, this.verdict, this.url, this.fine, this.bar, this.button);
  }

  picture(blob) {
    this.forget();
    this.image.src = URL.createObjectURL(blob);
  }

  begin() {
    this.word = null;
    this.retry = null;
    this.button.hidden = true;
    this.verdict.replaceChildren();
    this.item.classList.remove("bad");
    this.wait("Waits for its turn.");
    this.results.began();
  }

  wait(sentence, part) {
    this.fine.textContent = sentence;
    this.bar.hidden = false;
    if (part === undefined) this.bar.removeAttribute("value");
    else this.bar.value = part;
  }

  end(word, sentence, { bad = false, retry = null } = {}) {
    this.word = word;
    this.retry = retry;
    this.button.hidden = retry === null;
    this.bar.hidden = true;
    this.verdict.replaceChildren(element("b", { textContent: word, title: word }));
    this.item.classList.toggle("bad", bad);
    this.fine.textContent = sentence;
    this.results.ended(this);
  }

  tryAgain() {
    const retry = this.retry;
    if (retry !== null) retry();
  }

  sentence() {
    return `${this.name}: ${this.word}. ${this.fine.textContent}`;
  }

  remove() {
    this.forget();
    this.item.remove();
  }

  forget() {
    if (this.image.src !== "") URL.revokeObjectURL(this.image.src);
  }
}

function element(name, properties = {}) {
  return Object.assign(document.createElement(name), properties);
}
