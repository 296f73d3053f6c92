/**
 * `<wallet-form>`: sends its form, then walks the steps that the server answers with. A step is a transaction to send,
 * or typed data to sign; what is signed goes back to `next`, which answers with the steps that follow.
 */
import { choose, connect, forget, type Provider, reason } from "./wallet.ts";

type Transaction = { from: string; to: string; data: string; value: string };
type Step =
  | { kind: "transaction"; title: string; transaction: Transaction }
  | { kind: "typed-data"; title: string; account: string; data: unknown; next: string };
type Outcome = { state: "waiting" | "confirmed" | "reverted"; block?: number; reason?: string };

const OFTEN = 600; // ms between looks for a receipt
const PATIENCE = 200; // looks: two minutes

async function json<T>(path: string, init?: RequestInit): Promise<T> {
  const answer = await fetch(path, { ...init, headers: { accept: "application/json", ...init?.headers } });
  const said = await answer.json();
  if (!answer.ok) throw new Error([said.detail ?? said.title, said.hint].filter(Boolean).join(": "));
  return said as T;
}

class WalletForm extends HTMLElement {
  #ready = false;

  /** Listens once: a form that is kept while the page around it changes is moved, and comes here again. */
  connectedCallback(): void {
    if (this.#ready) return;
    this.#ready = true;
    this.querySelector("form")?.addEventListener("submit", (event) => {
      const asked = (event as SubmitEvent).submitter as HTMLButtonElement | null;
      if (asked?.dataset.plain !== undefined) return;
      event.preventDefault();
      void this.#run(event.target as HTMLFormElement, asked);
    });
  }

  async #run(form: HTMLFormElement, asked: HTMLButtonElement | null): Promise<void> {
    const say = this.#log();
    if (asked) asked.disabled = true;
    try {
      const wallet = await choose();
      say(`Waiting for ${wallet.name}`, "waiting");
      const account = await connect(wallet, this.dataset.chain ?? "1");
      const field = form.elements.namedItem("account");
      if (field instanceof HTMLInputElement) field.value = account;
      const body = new URLSearchParams();
      for (const [key, value] of new FormData(form)) body.append(key, String(value));
      if (asked?.name) body.append(asked.name, asked.value); // a disabled button is left out of the form's own data
      say("Building the transaction", "waiting");
      const path = asked?.getAttribute("formaction") ?? form.getAttribute("action") ?? "";
      const { steps } = await json<{ steps: Step[] }>(path, { method: "POST", body });
      await this.#walk(wallet.provider, steps, say);
      form.dispatchEvent(new CustomEvent("mercato:done", { bubbles: true }));
      this.dataset.state = "done";
    } catch (error) {
      say(`Refused: ${reason(error)}`, "refused");
      if ((error as { code?: number } | null)?.code === 4100) forget();
    } finally {
      if (asked) asked.disabled = false;
    }
  }

  async #walk(provider: Provider, steps: Step[], say: (words: string, state: string) => void): Promise<void> {
    const queue = [...steps];
    for (let step = queue.shift(); step; step = queue.shift()) {
      say(`${step.title}: waiting for your wallet`, "waiting");
      if (step.kind === "typed-data") {
        const params = [step.account, JSON.stringify(step.data)];
        const signature = await provider.request({ method: "eth_signTypedData_v4", params });
        const body = new URLSearchParams({ signature: String(signature) });
        const { steps: more } = await json<{ steps: Step[] }>(step.next, { method: "POST", body });
        queue.unshift(...more);
        continue;
      }
      const hash = String(await provider.request({ method: "eth_sendTransaction", params: [step.transaction] }));
      say(`${step.title}: sent, ${hash.slice(0, 10)}…`, "sent");
      const outcome = await this.#outcome(hash);
      if (outcome.state === "reverted") throw new Error(outcome.reason || "the contract refused it without a reason");
      say(`${step.title}: confirmed in block ${outcome.block}`, "confirmed");
    }
  }

  async #outcome(hash: string): Promise<Outcome> {
    for (let look = 0; look < PATIENCE; look++) {
      const outcome = await json<Outcome>(`/launch/transactions/${hash}`);
      if (outcome.state !== "waiting") return outcome;
      await new Promise((resolve) => setTimeout(resolve, OFTEN));
    }
    throw new Error(`no block holds ${hash} yet; look for it later`);
  }

  /** Returns what writes the next line of the log; a line replaces the one before it while that was still waiting. */
  #log(): (words: string, state: string) => void {
    const list = this.querySelector<HTMLOListElement>("ol.signing");
    list?.replaceChildren();
    return (words, state) => {
      const last = list?.lastElementChild as HTMLElement | null;
      const open = last?.dataset.state === "waiting" || last?.dataset.state === "sent";
      const line = open && last ? last : document.createElement("li");
      line.dataset.state = state;
      line.textContent = words;
      if (line !== last) list?.append(line);
    };
  }
}

customElements.define("wallet-form", WalletForm);
