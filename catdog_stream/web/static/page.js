// Keeps the page up to date: puts what the worker sends into the parts of the page.

import { Charts } from "./charts.js";
import { follow } from "./connection.js";
import { morph } from "./morph.js";
import { setNow, tickTimes } from "./times.js";

const SPEAK_MS = 15000;
const ALARM_MS = 3000;
// A connection that is gone for longer makes the numbers look old; one that comes back sooner is a
// matter of the network.
const STALE_MS = 3000;

const charts = new Charts(document.getElementById("rate-chart"),
  document.getElementById("latency-chart"));
const status = document.getElementById("status");
const statusText = document.getElementById("status-text");
const statusMore = document.getElementById("status-more");
const spoken = document.getElementById("spoken");
const alarm = document.getElementById("alarm");

const stale = document.getElementById("stale");
const icon = document.getElementById("icon");

let sentence = "";
let spokenAt = 0;
let trouble = "";
let alarmAt = 0;
let title = document.title;
let iconName = icon.getAttribute("href").split("/").pop();
let liveAt = Date.now(); // when the page was true last

function show(parts) {
  if (parts.now !== undefined) setNow(parts.now);
  if (parts.title !== undefined) title = parts.title;
  if (parts.icon !== undefined) iconName = parts.icon;
  for (const [name, html] of Object.entries(parts)) {
    if (!name.startsWith("#")) continue;
    const part = document.getElementById(name.slice(1));
    if (part === null) continue; // of another version
    morph(part, html);
    const section = part.closest("section");
    if (part !== section && section !== null) section.hidden = html === "";
  }
  if (parts.chart !== undefined) charts.add(parts.chart);
  if (parts.spoken !== undefined) sentence = parts.spoken;
  if (parts.alarm !== undefined) trouble = parts.alarm;
  raise();
  tickTimes();
  age();
}

// Numbers that nobody brings up to date look like it, and say from when they are.
function age() {
  const state = status.dataset.state;
  const now = Date.now();
  // A tab in the background has no connection, and says so in its title.
  const resting = state === "resting";
  const old = state === "paused" || resting || (state !== "live" && now - liveAt > STALE_MS);
  document.body.toggleAttribute("data-stale", old);
  stale.hidden = !old;
  if (old) {
    const since = `as of ${new Date(liveAt).toLocaleTimeString()}, ` +
      `${Math.round((now - liveAt) / 1000)} s ago`;
    stale.textContent = state === "paused" || resting
      ? `Paused: everything here is ${since}.`
      : `Not live: the worker of this page does not answer. Everything here is ${since}.`;
  }
  const lost = old && state !== "paused" && !resting;
  const time = new Date(liveAt).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  const shown = lost ? `✕ Not live · ${title}` : resting ? `${time} · ${title}` : title;
  if (document.title !== shown) document.title = shown;
  const href = icon.getAttribute("href").replace(/[^/]*$/, lost || resting ? "icon-stale.svg" : iconName);
  if (icon.getAttribute("href") !== href) icon.setAttribute("href", href);
}

// Says what is new, but does not chatter.
function speak() {
  if (status.dataset.state !== "live") return; // the numbers are old
  if (sentence === spoken.textContent || Date.now() - spokenAt < SPEAK_MS) return;
  spoken.textContent = sentence;
  spokenAt = Date.now();
}

// Says at once what is wrong, and that it is over; what comes and goes is not said each time.
function raise() {
  const words = trouble !== "" || alarm.textContent === "" ? trouble : "The trouble is over.";
  if (words === alarm.textContent || Date.now() - alarmAt < ALARM_MS) return;
  alarm.textContent = words;
  alarmAt = Date.now();
}

function tell(state, seconds) {
  if (state === "live") liveAt = Date.now();
  const words = {
    live: "Live",
    paused: "Paused",
    connecting: "Connecting…",
    reconnecting: "Reconnecting…",
    resting: "Not seen",
  };
  // Where there is room for it.
  const more = state === "reconnecting" && seconds !== null ? ` last heard ${seconds} s ago` : "";
  if (statusMore.textContent !== more) statusMore.textContent = more;
  if (statusText.textContent !== words[state]) statusText.textContent = words[state];
  if (status.dataset.state !== state) {
    status.dataset.state = state;
    if (state === "reconnecting") {
      spoken.textContent = "The worker does not answer. Reconnecting.";
      spokenAt = Date.now();
    }
  }
  age();
}

const pause = document.getElementById("pause");
const connection = follow("/events", { show, tell, opened: () => charts.load() });
pause.hidden = false;
pause.addEventListener("click", () => {
  const paused = pause.getAttribute("aria-pressed") !== "true";
  pause.setAttribute("aria-pressed", String(paused));
  connection.pause(paused);
});
setInterval(() => {
  tickTimes();
  age();
  speak();
  raise();
}, 1000);
