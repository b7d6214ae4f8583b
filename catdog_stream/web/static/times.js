// How long ago things were, by the worker's clock.

let offset = 0; // of that clock to this one, in seconds

export function setNow(now) {
  offset = now - Date.now() / 1000;
}

export function tickTimes() {
  const now = Date.now() / 1000 + offset;
  for (const time of document.querySelectorAll("time[data-at]")) {
    const text = ago(now - Number(time.dataset.at));
    if (time.textContent !== text) time.textContent = text;
  }
}

function ago(seconds) {
  for (const [unit, size] of [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]]) {
    if (seconds >= size) return `${Math.floor(seconds / size)} ${unit} ago`;
  }
  return "just now";
}
