/**
 * One WebSocket per page, for the topics named on the body. A message carries an event, HTML rendered once on the
 * server (put into every `[data-live=event]`) or numbers (given to listeners as the DOM event `live:<event>`, which
 * `hx-trigger="live:Event from:body"` may use too). After a gap the server sends what was missed, or `resync`.
 */
type Message = { event: string; html?: string; data?: unknown; at: string };
type Status = "connecting" | "live" | "offline";

const SILENCE = 50_000; // the server sends a beat every 20 s
const LONGEST_WAIT = 30_000;

class Connection {
  #topics: string[];
  #report: (status: Status) => void;
  #at = "";
  #tries = 0;
  #watch = 0;
  #socket: WebSocket | null = null;

  constructor(topics: string[], report: (status: Status) => void) {
    this.#topics = topics;
    this.#report = report;
    addEventListener("online", () => this.#socket ?? this.open());
    addEventListener("pagehide", () => this.#socket?.close());
    addEventListener("pageshow", (event) => event.persisted && this.open());
  }

  open(): void {
    this.#report("connecting");
    const query = new URLSearchParams(this.#topics.map((topic) => ["topic", topic]));
    if (this.#at) query.set("since", this.#at);
    const socket = new WebSocket(`${location.origin.replace(/^http/, "ws")}/live?${query}`);
    this.#socket = socket;
    socket.onmessage = (event) => this.#receive(JSON.parse(event.data) as Message);
    socket.onclose = () => this.#retry();
    this.#listen();
  }

  #receive(message: Message): void {
    this.#at = message.at;
    this.#listen();
    if (message.event === "hello") {
      this.#tries = 0;
      this.#report("live");
    } else if (message.event !== "beat") {
      deliver(message);
    }
  }

  /** Closes a connection that has been silent for too long: its other side is gone without a word. */
  #listen(): void {
    clearTimeout(this.#watch);
    this.#watch = setTimeout(() => this.#socket?.close(), SILENCE);
  }

  #retry(): void {
    this.#socket = null;
    clearTimeout(this.#watch);
    this.#report("offline");
    const wait = Math.min(LONGEST_WAIT, 500 * 2 ** this.#tries++) * (0.7 + Math.random() * 0.6);
    setTimeout(() => this.#socket ?? this.open(), wait);
  }
}

function deliver(message: Message): void {
  if (message.html !== undefined) {
    for (const place of document.querySelectorAll<HTMLElement>(`[data-live="${CSS.escape(message.event)}"]`)) {
      place.innerHTML = message.html;
    }
  }
  document.body.dispatchEvent(new CustomEvent(`live:${message.event}`, { detail: message.data, bubbles: true }));
}

/** `<live-status>`: says whether the page is live. Hidden until a script runs, as without one it never is. */
class LiveStatus extends HTMLElement {
  connectedCallback(): void {
    const topics = (document.body.dataset.topic ?? "").split(" ").filter(Boolean);
    const words = this.querySelector("[data-words]");
    if (!topics.length || !words) return;
    this.hidden = false;
    new Connection(topics, (status) => {
      this.dataset.status = status;
      words.textContent = status;
    }).open();
  }
}

customElements.define("live-status", LiveStatus);
