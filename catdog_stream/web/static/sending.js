// Sends a picture and waits for the stream's answer to it.

const PATIENCE_MS = 60_000;
const LOOK_MS = 10_000;
const TOKEN = "catdog-send-token";

export class Refused extends Error {
  constructor(status, sentence, retryAfter) {
    super(sentence);
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

export function setToken(token) {
  sessionStorage.setItem(TOKEN, token);
}

// Whether there was one to forget.
export function forgetToken() {
  const had = sessionStorage.getItem(TOKEN) !== null;
  sessionStorage.removeItem(TOKEN);
  return had;
}

// POSTs a body; the answer's JSON once Kafka has the request. Throws Refused.
export function send(path, body, type, progress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest(); // fetch() tells no progress
    request.open("POST", path);
    request.responseType = "json";
    request.timeout = PATIENCE_MS;
    request.setRequestHeader("Content-Type", type);
    const token = sessionStorage.getItem(TOKEN);
    if (token) request.setRequestHeader("Authorization", `Bearer ${token}`);
    request.upload.onprogress = ({ loaded, total }) => progress(total > 0 ? loaded / total : 0);
    request.onload = () => {
      if (request.status === 200 || request.status === 202) return resolve(request.response);
      reject(new Refused(request.status,
        request.response?.detail ?? request.response?.title ?? `Not taken (${request.status}).`,
        Number(request.getResponseHeader("Retry-After")) || 1));
    };
    request.onerror = () => reject(new Refused(0, "The worker cannot be reached.", 2));
    request.ontimeout = () => reject(new Refused(0, "The worker did not take it in time.", 2));
    request.send(body);
  });
}

// What became of the request with this id. Throws Refused when that takes too long.
export async function answer(id) {
  const end = Date.now() + PATIENCE_MS;
  for (let pause = 150; Date.now() < end; pause = Math.min(pause * 1.5, 1500)) {
    try {
      const told = await fetch(`/images/${encodeURIComponent(id)}`,
        { signal: AbortSignal.timeout(LOOK_MS) }); // a frozen worker would keep it for ever
      if (told.ok) {
        const found = await told.json();
        if (found.status !== "waiting") return found;
      }
    } catch {
      // The worker may be starting again: the request is in Kafka, and so will be its answer.
    }
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
  throw new Refused(0, "No answer within a minute. The request waits in Kafka.", 0);
}
