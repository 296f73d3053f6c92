// Unmodified ethers against a node: deploys, sends, reads, meets a refusal, listens. Prints what it saw as JSON.
import { Contract, ContractFactory, isError, JsonRpcProvider, Wallet, WebSocketProvider } from "ethers";

const [url, socket, key, file] = Deno.args;
const { abi, bytecode } = JSON.parse(Deno.readTextFileSync(file));
const provider = new JsonRpcProvider(url, undefined, { cacheTimeout: -1, pollingInterval: 50 });
const live = new WebSocketProvider(socket);
const wallet = new Wallet(key, provider);

const made = await (await new ContractFactory(abi, bytecode, wallet).deploy()).waitForDeployment();
const address = await made.getAddress();
const dollar = new Contract(address, abi, wallet);

const heads: number[] = [];
const heard: bigint[] = [];
const pending: string[] = [];
const polled: bigint[] = [];
await live.on("block", (number: number) => heads.push(number));
await live.on("pending", (hash: string) => pending.push(hash));
await new Contract(address, abi, live).on("Transfer", (_from, _to, amount: bigint) => heard.push(amount));
await dollar.on("Transfer", (_from, _to, amount: bigint) => polled.push(amount));
await new Promise((done) => setTimeout(done, 500));

const given = await dollar.faucet(wallet.address, 1000n);
const receipt = await given.wait();
const other = Wallet.createRandom(provider);
const sent = await dollar.transfer(other.address, 400n);
await sent.wait();

async function failure(work: () => Promise<unknown>): Promise<Error & { reason?: string; code?: string }> {
  try {
    await work();
  } catch (error) {
    return error as Error;
  }
  throw new Error("nothing was refused");
}
const refusal = await failure(() =>
  new Contract(address, abi, other).getFunction("transfer").staticCall(wallet.address, 401n)
);
const early = await failure(() => dollar.transfer(other.address, 10n ** 30n));
const poor = await failure(() =>
  other.sendTransaction({ to: wallet.address, value: 1n, gasLimit: 21000n, maxFeePerGas: 1n, maxPriorityFeePerGas: 1n })
);
const stale = await failure(() => wallet.sendTransaction({ to: other.address, nonce: 0, gasLimit: 21000n }));

for (let waited = 0; waited < 100 && (heard.length < 2 || polled.length < 2); waited++) {
  await new Promise((done) => setTimeout(done, 100));
}
const logs = await dollar.queryFilter("Transfer", 0);
console.log(JSON.stringify(
  {
    status: receipt.status,
    balance: await dollar.balanceOf(other.address),
    amounts: logs.map((log) => (log as unknown as { args: { value: bigint } }).args.value),
    reason: refusal.reason,
    early: isError(early, "CALL_EXCEPTION"),
    broke: isError(poor, "INSUFFICIENT_FUNDS"),
    stale: isError(stale, "NONCE_EXPIRED"),
    heard,
    polled,
    heads: heads.length >= 2,
    pending: [given.hash, sent.hash].every((one) => pending.includes(one)),
    listed: (await provider.listAccounts()).length,
  },
  (_, value) => typeof value === "bigint" ? Number(value) : value,
));
Deno.exit(0);
