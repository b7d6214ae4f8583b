// Keeps the page up to date: puts what the worker sends into the parts of the page.

import { Charts } from "./charts.js";
import { follow } from "./connection.js";
import { morph } from "./morph.js";
import { setNow, tickTimes } from "./times.js";

const SPEAK_MS = 15000;
const ALARM_MS = 3000;

const charts = new Charts(document.getElementById("rate-chart"),
  document.getElementById("latency-chart"));
const status = document.getElementById("status");
const statusText = document.getElementById("status-text");
const statusMore = document.getElementById("status-more");
const spoken = document.getElementById("spoken");
const alarm = document.getElementById("alarm");

let sentence = "";
let spokenAt = 0;
let trouble = "";
let alarmAt = 0;

function show(parts) {
  if (parts.now !== undefined) setNow(parts.now);
  if (parts.title !== undefined) document.title = parts.title;
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
  const words = {
    live: "Live",
    paused: "Paused",
    connecting: "Connecting…",
    reconnecting: "Reconnecting…",
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
  speak();
  raise();
}, 1000);
