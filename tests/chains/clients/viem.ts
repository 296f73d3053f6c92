// An unmodified viem against a node: deploys, sends, reads, meets a refusal, listens. Prints what it saw as JSON.
import {
  BaseError,
  ContractFunctionRevertedError,
  createPublicClient,
  createTestClient,
  createWalletClient,
  defineChain,
  http,
  InsufficientFundsError,
  NonceTooLowError,
  parseAbiItem,
  webSocket,
} from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";

const [url, socket, key, file] = Deno.args;
const { abi, bytecode } = JSON.parse(Deno.readTextFileSync(file));
const chain = defineChain({
  id: 31337,
  name: "embedded",
  nativeCurrency: { name: "Ether", symbol: "ETH", decimals: 18 },
  rpcUrls: { default: { http: [url] } },
});
const account = privateKeyToAccount(key as `0x${string}`);
const reader = createPublicClient({ chain, transport: http(url, { batch: true }), pollingInterval: 50 });
const wallet = createWalletClient({ account, chain, transport: http(url) });
const live = createPublicClient({ chain, transport: webSocket(socket) });
const test = createTestClient({ chain, mode: "anvil", transport: http(url) });

const hash = await wallet.deployContract({ abi, bytecode });
const deployed = await reader.waitForTransactionReceipt({ hash });
const dollar = { address: deployed.contractAddress!, abi };

const heads: string[] = [];
const seen: string[] = [];
const polled: string[] = [];
const pending: string[] = [];
const transfer = parseAbiItem("event Transfer(address indexed sender, address indexed receiver, uint256 amount)");
const stops = [
  live.watchBlocks({ onBlock: (block) => heads.push(String(block.number)) }),
  live.watchEvent({ address: dollar.address, onLogs: (logs) => seen.push(...logs.map((log) => log.data)) }),
  live.watchPendingTransactions({ onTransactions: (found) => pending.push(...found) }),
  reader.watchEvent({ address: dollar.address, onLogs: (logs) => polled.push(...logs.map((log) => log.data)) }),
];
await new Promise((done) => setTimeout(done, 500));

const given = await wallet.writeContract({ ...dollar, functionName: "faucet", args: [account.address, 1000n] });
const receipt = await reader.waitForTransactionReceipt({ hash: given });
const other = privateKeyToAccount(generatePrivateKey());
const sent = await wallet.writeContract({ ...dollar, functionName: "transfer", args: [other.address, 400n] });
await reader.waitForTransactionReceipt({ hash: sent });

async function failure(work: () => Promise<unknown>): Promise<BaseError> {
  try {
    await work();
  } catch (error) {
    return error as BaseError;
  }
  throw new Error("nothing was refused");
}
const call = { ...dollar, functionName: "transfer", args: [account.address, 401n], account: other.address } as const;
const refusal = (await failure(() => reader.simulateContract(call))).walk((e) =>
  e instanceof ContractFunctionRevertedError
) as ContractFunctionRevertedError;
const poor = createWalletClient({ account: other, chain, transport: http(url) });
const broke = await failure(() => poor.sendTransaction({ to: account.address, value: 1n, gas: 21000n }));
const stale = await failure(() => wallet.sendTransaction({ to: other.address, nonce: 0, gas: 21000n }));

const mark = await test.snapshot();
const before = await reader.getBlock();
await test.request({ method: "evm_increaseTime", params: ["0xe10"] });
const later = await reader.getBlock();
await test.revert({ id: mark });
const after = await reader.getBlock();

for (let waited = 0; waited < 100 && (seen.length < 2 || polled.length < 2); waited++) {
  await new Promise((done) => setTimeout(done, 100));
}
stops.forEach((stop) => stop());
const logs = await reader.getLogs({ address: dollar.address, event: transfer, fromBlock: 0n });
const whole = await reader.getBlock({ blockNumber: receipt.blockNumber, includeTransactions: true });
console.log(JSON.stringify(
  {
    status: receipt.status,
    balance: await reader.readContract({ ...dollar, functionName: "balanceOf", args: [other.address] }),
    from: whole.transactions[0].from.toLowerCase() === account.address.toLowerCase(),
    amounts: logs.map((log) => log.args.amount),
    reason: refusal.reason,
    broke: broke.walk((e) => e instanceof InsufficientFundsError) !== null,
    stale: stale.walk((e) => e instanceof NonceTooLowError) !== null,
    heard: seen.map((data) => BigInt(data)),
    polled: polled.map((data) => BigInt(data)),
    heads: heads.length >= 2,
    pending: [given, sent].every((one) => pending.includes(one)),
    passed: later.timestamp - before.timestamp,
    reverted: after.hash === before.hash,
    fees: (await reader.estimateFeesPerGas()).maxPriorityFeePerGas,
  },
  (_, value) => typeof value === "bigint" ? Number(value) : value,
));
Deno.exit(0);
