// Server-sent events that come back by themselves, from a worker that is frozen as well: there a
// connection stays open, and nothing comes.

const SILENT_MS = 8000;
const RETRY_MS = 2000;

export function follow(path, { show, tell, opened }) {
  let source = null;
  let heard = null; // when anything came last
  let begun = 0;
  let live = false;
  let paused = false;

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
    if (paused || document.hidden) return;
    const now = Date.now();
    if (live && now - heard > SILENT_MS) live = false;
    if (live) return;
    tell(heard === null ? "connecting" : "reconnecting",
      heard === null ? null : Math.round((now - heard) / 1000));
    const closed = source.readyState === EventSource.CLOSED;
    if (now - begun > (closed ? RETRY_MS : SILENT_MS)) open();
  }

  function rest() {
    source.close();
    live = false;
  }

  function resume() {
    if (!paused && !document.hidden) open();
  }

  open();
  setInterval(look, 1000);
  // A page that nobody sees has no connection: browsers have six for all pages of a worker.
  document.addEventListener("visibilitychange", () => {
    if (paused) return;
    if (document.hidden) {
      rest();
      tell("resting", 0);
    } else {
      tell("connecting", null);
      open();
    }
  });
  window.addEventListener("pageshow", (event) => event.persisted && resume());
  window.addEventListener("pagehide", rest);
  return {
    pause(now) {
      paused = now;
      if (paused) {
        rest();
        tell("paused", 0);
      } else {
        resume();
      }
    },
  };
}
