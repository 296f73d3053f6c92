/** `<wallet-button>`: signs in by a message that the server wrote (ERC-4361), and out again. */
import { giveBack, keep } from "./drafts.ts";
import { choose, connect, forget, hex, reason } from "./wallet.ts";

async function post(path: string, body: unknown): Promise<Record<string, string>> {
  const answer = await fetch(path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const said = await answer.json();
  if (!answer.ok) throw new Error([said.detail ?? said.title, said.hint].filter(Boolean).join(": "));
  return said;
}

class WalletButton extends HTMLElement {
  connectedCallback(): void {
    const button = this.querySelector("button");
    const words = this.querySelector<HTMLElement>("[role=status]");
    if (!button || !words) return;
    this.hidden = false;
    button.addEventListener("click", async () => {
      button.disabled = true;
      try {
        words.textContent = "";
        await (this.dataset.account ? this.#leave() : this.#enter(words).then(keep));
        location.reload();
      } catch (error) {
        words.textContent = `Not signed in: ${reason(error)}`;
        forget();
      } finally {
        button.disabled = false;
      }
    });
  }

  async #enter(words: HTMLElement): Promise<void> {
    const wallet = await choose();
    words.textContent = `Waiting for ${wallet.name}`;
    const account = await connect(wallet, this.dataset.chain ?? "1");
    const { message = "" } = await post("/api/session/challenge", { account });
    const signature = await wallet.provider.request({ method: "personal_sign", params: [hex(message), account] });
    await post("/api/session", { message, signature });
  }

  async #leave(): Promise<void> {
    await fetch("/api/session", { method: "DELETE" });
    forget();
  }
}

customElements.define("wallet-button", WalletButton);
giveBack();
