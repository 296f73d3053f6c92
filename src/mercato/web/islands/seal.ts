/**
 * `<seal-form>`: seals a reviewer's card in this browser, so that the server gets its SHA-256 only, and opens it later.
 * The sealed text is that of mercato.launch.scorecard, to the letter. Card and salt are saved as a file and remembered.
 */
type Card = { scores: Record<string, number>; floor_low: string; floor_high: string; comment: string };
type Kept = { card: Card; salt: string };

const hex = (octets: Uint8Array) => Array.from(octets, (octet) => octet.toString(16).padStart(2, "0")).join("");

export async function seal(launch: string, round: number, reviewer: string, kept: Kept): Promise<string> {
  const text = JSON.stringify(["mercato review 1", launch, round, reviewer, kept.card, kept.salt]);
  return hex(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text))));
}

class SealForm extends HTMLElement {
  connectedCallback(): void {
    const form = this.querySelector("form");
    if (!form) return;
    if (this.dataset.open !== undefined) this.#fill(form);
    else form.addEventListener("submit", (event) => void this.#seal(event, form));
  }

  get #place(): string {
    const { launch, round, reviewer } = this.dataset;
    return `mercato-card ${launch} ${round} ${reviewer}`;
  }

  async #seal(event: Event, form: HTMLFormElement): Promise<void> {
    event.preventDefault();
    const say = this.querySelector("[role=status]")!;
    try {
      const kept = { card: card(new FormData(form)), salt: hex(crypto.getRandomValues(new Uint8Array(32))) };
      const { launch = "", round, reviewer = "" } = this.dataset;
      const commitment = await seal(launch, Number(round), reviewer, kept);
      localStorage.setItem(this.#place, JSON.stringify(kept));
      save(`card-${launch}-${round}.json`, JSON.stringify(kept, null, 2));
      const answer = await fetch(form.action, {
        method: "POST",
        headers: { accept: "application/json" },
        body: new URLSearchParams({ commitment }),
      });
      if (!answer.ok) throw new Error((await answer.json()).detail);
      location.reload();
    } catch (error) {
      say.textContent = `Not sealed: ${(error as Error).message}`;
    }
  }

  #fill(form: HTMLFormElement): void {
    const text = localStorage.getItem(this.#place);
    if (!text) return;
    const kept = JSON.parse(text) as Kept;
    (form.elements.namedItem("card") as HTMLTextAreaElement).value = JSON.stringify(kept.card);
    (form.elements.namedItem("salt") as HTMLInputElement).value = kept.salt;
    this.querySelector("[role=status]")!.textContent = "This browser remembered your card. Check it, then open it.";
  }
}

function card(given: FormData): Card {
  const scores: Record<string, number> = {};
  for (const [name, value] of given) if (name.startsWith("s-")) scores[name.slice(2)] = Number(value);
  const units = (name: string) => `${BigInt(String(given.get(name))) * 1_000_000n}`;
  const comment = String(given.get("comment") ?? "").replaceAll("\r\n", "\n");
  return { scores, floor_low: units("floor_low"), floor_high: units("floor_high"), comment };
}

function save(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  Object.assign(document.createElement("a"), { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

customElements.define("seal-form", SealForm);
