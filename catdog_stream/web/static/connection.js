// Server-sent events that come back by themselves, from a worker that is frozen as well: there a
// connection stays open, and nothing comes.

const SILENT_MS = 8000;
const RETRY_MS = 2000;

export function follow(path, { show, tell, opened }) {
  let source = null;
  let heard = null; // when anything came last
  let begun = 0;
  let live = false;

  function open() {
    source?.close();
    begun = Date.now();
    source = new EventSource(path);
    source.onopen = () => opened();
    source.onmessage = (event) => {
      note();
      show(JSON.parse(event.data));
    };
    source.addEventListener("beat", note);
    source.onerror = () => {
      live = false;
      look();
    };
  }

  function note() {
    heard = Date.now();
    live = true;
    tell("live", 0);
  }

  function look() {
    const now = Date.now();
    if (live && now - heard > SILENT_MS) live = false;
    if (live) return;
    tell(heard === null ? "connecting" : "reconnecting",
      heard === null ? null : Math.round((now - heard) / 1000));
    const closed = source.readyState === EventSource.CLOSED;
    if (now - begun > (closed ? RETRY_MS : SILENT_MS)) open();
  }

  open();
  setInterval(look, 1000);
  // A page that was put aside and comes back asks at once.
  window.addEventListener("pageshow", (event) => event.persisted && open());
  window.addEventListener("pagehide", () => source.close());
}
