/**
 * Wallets by EIP-6963, without a library: found, chosen, signed in with, and asked to sign what the server built.
 * `<wallet-button>` is the visitor's account in the header; `<wallet-form>` wraps a form whose answer is steps to sign.
 */
export type Provider = { request(call: { method: string; params?: unknown[] }): Promise<unknown> };
export type Wallet = { rdns: string; name: string; icon: string; provider: Provider };

const REMEMBERED = "mercato-wallet";
const found = new Map<string, Wallet>();
const changed = new EventTarget();

addEventListener("eip6963:announceProvider", (event) => {
  const detail = (event as CustomEvent).detail as { info?: Partial<Wallet>; provider?: Provider } | undefined;
  const { rdns, name, icon } = detail?.info ?? {};
  if (!rdns || !name || !detail?.provider || found.has(rdns)) return;
  found.set(rdns, { rdns, name, icon: icon?.startsWith("data:image/") ? icon : "", provider: detail.provider });
  changed.dispatchEvent(new Event("change"));
});
dispatchEvent(new Event("eip6963:requestProvider"));

/** What went wrong, in the wallet's own words; EIP-1193 numbers refusals by the user 4001. */
export function reason(error: unknown): string {
  const { code, message } = (error ?? {}) as { code?: number; message?: string };
  if (code === 4001) return "you declined it in the wallet";
  return message || String(error);
}

export const short = (account: string) => `${account.slice(0, 6)}…${account.slice(-4)}`;

/** Returns the wallet to use: the one used last, the only one there is, or the one chosen now. */
export async function choose(): Promise<Wallet> {
  const remembered = found.get(localStorage.getItem(REMEMBERED) ?? "");
  const wallet = remembered ?? (found.size === 1 ? [...found.values()][0] : await ask());
  if (!wallet) throw new Error("no wallet was chosen");
  localStorage.setItem(REMEMBERED, wallet.rdns);
  return wallet;
}

export function forget(): void {
  localStorage.removeItem(REMEMBERED);
}

/** Returns the account that the wallet connects, in lower case; on the right chain, if the wallet can go there. */
export async function connect(wallet: Wallet, chain: string): Promise<string> {
  const accounts = (await wallet.provider.request({ method: "eth_requestAccounts" })) as string[];
  const account = accounts[0];
  if (!account) throw new Error("the wallet shared no account");
  const wanted = `0x${Number(chain).toString(16)}`;
  if ((await wallet.provider.request({ method: "eth_chainId" })) !== wanted) {
    await wallet.provider.request({ method: "wallet_switchEthereumChain", params: [{ chainId: wanted }] });
  }
  return account.toLowerCase();
}

export const hex = (text: string) =>
  "0x" + Array.from(new TextEncoder().encode(text), (octet) => octet.toString(16).padStart(2, "0")).join("");

/** Opens a list of the wallets there are, which grows while more announce themselves. */
function ask(): Promise<Wallet | undefined> {
  const dialog = document.createElement("dialog");
  dialog.className = "wallets";
  dialog.setAttribute("aria-labelledby", "wallets-title");
  dialog.innerHTML =
    `<h2 id="wallets-title">Choose a wallet</h2><ul></ul><form method="dialog"><button>Cancel</button></form>`;
  document.body.append(dialog);
  const list = dialog.querySelector("ul")!;
  return new Promise((resolve) => {
    const show = () => list.replaceChildren(...[...found.values()].map((wallet) => entry(wallet, dialog)));
    changed.addEventListener("change", show);
    dialog.addEventListener("close", () => {
      changed.removeEventListener("change", show);
      dialog.remove();
      resolve(found.get(dialog.returnValue));
    });
    show();
    if (!found.size) {
      list.innerHTML =
        "<li>No wallet announced itself in this browser. Install one that follows EIP-6963, or use the command line.</li>";
    }
    dialog.showModal();
  });
}

function entry(wallet: Wallet, dialog: HTMLDialogElement): HTMLLIElement {
  const item = document.createElement("li");
  const button = document.createElement("button");
  if (wallet.icon) button.append(Object.assign(new Image(24, 24), { src: wallet.icon, alt: "" }));
  button.append(wallet.name);
  button.addEventListener("click", () => dialog.close(wallet.rdns));
  item.append(button);
  return item;
}
