// Unmodified @solana/web3.js (1.x) against a node: airdrop, transfer, refusals, expiry, subscriptions. Prints JSON.
import {
  Connection,
  Keypair,
  PublicKey,
  sendAndConfirmTransaction,
  SendTransactionError,
  SystemProgram,
  Transaction,
  TransactionMessage,
  VersionedTransaction,
} from "@solana/web3.js";

const [url, seed, mint, holder] = Deno.args;
// Without an address for WebSocket, as most scripts have it: the client adds one to the port.
const connection = new Connection(url, "confirmed");
const ann = Keypair.fromSeed(Uint8Array.fromHex(seed));
const ben = Keypair.generate();

const heard = { account: [] as number[], logs: 0, slots: 0, programs: 0 };
connection.onAccountChange(ben.publicKey, (info) => heard.account.push(info.lamports));
connection.onLogs(ben.publicKey, (found) => heard.logs += found.err === null ? 1 : 0);
connection.onSlotChange(() => heard.slots += 1);
connection.onProgramAccountChange(SystemProgram.programId, () => heard.programs += 1);
await new Promise((go) => setTimeout(go, 700));

const latest = await connection.getLatestBlockhash();
const dropped = await connection.requestAirdrop(ben.publicKey, 2_000_000_000);
await connection.confirmTransaction({ signature: dropped, ...latest });

const pay = (lamports: number | bigint) =>
  SystemProgram.transfer({ fromPubkey: ann.publicKey, toPubkey: ben.publicKey, lamports });
const name = await sendAndConfirmTransaction(connection, new Transaction().add(pay(1_000_000_000)), [ann]);
const found = await connection.getTransaction(name, { maxSupportedTransactionVersion: 0 });
const parsed = await connection.getParsedTransaction(name, { maxSupportedTransactionVersion: 0 });
const block = await connection.getBlock(found!.slot, { maxSupportedTransactionVersion: 0 });
const listed = await connection.getSignaturesForAddress(ben.publicKey);

async function failure(work: () => Promise<unknown>): Promise<Error> {
  try {
    await work();
  } catch (error) {
    return error as Error;
  }
  throw new Error("nothing was refused");
}
async function versioned(lamports: number | bigint) {
  const { blockhash } = await connection.getLatestBlockhash();
  const message = new TransactionMessage({
    payerKey: ann.publicKey,
    recentBlockhash: blockhash,
    instructions: [pay(lamports)],
  }).compileToV0Message();
  const made = new VersionedTransaction(message);
  made.sign([ann]);
  return made;
}
const poor = await versioned(10n ** 18n);
const refused = await failure(() => connection.sendTransaction(poor)) as SendTransactionError;
const simulated = await connection.simulateTransaction(poor, { replaceRecentBlockhash: true });
const kept = await connection.sendTransaction(poor, { skipPreflight: true });
const failed = await connection.confirmTransaction({ signature: kept, ...(await connection.getLatestBlockhash()) });

const late = await versioned(7);
const fee = (await connection.getFeeForMessage(late.message)).value;
await fetch(url, {
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "mercato_mine", params: [150] }),
});
const expired = await failure(() => connection.sendTransaction(late));
const good = await connection.isBlockhashValid(latest.blockhash);

for (let waited = 0; waited < 100 && (heard.account.length < 2 || heard.logs < 2 || heard.slots < 150); waited++) {
  await new Promise((go) => setTimeout(go, 100));
}
const token = new PublicKey(mint);
const owned = await connection.getParsedTokenAccountsByOwner(new PublicKey(holder), { mint: token });
const raw = await connection.getMultipleAccountsInfo([token, ben.publicKey, Keypair.generate().publicKey]);
console.log(JSON.stringify({
  balance: await connection.getBalance(ben.publicKey),
  fee: found!.meta!.fee,
  estimate: fee,
  version: found!.version,
  signer: parsed!.transaction.message.accountKeys[0].signer,
  inBlock: block!.transactions.length,
  listed: listed.length,
  refused: refused.message.includes("Error processing Instruction 0: custom program error: 0x1"),
  logs: (await refused.getLogs(connection)).length,
  simulated: simulated.value.err,
  failed: failed.value.err,
  expired: expired.message.includes("Blockhash not found"),
  good: good.value,
  token: owned.value[0].account.data.parsed.info.tokenAmount.amount,
  sizes: raw.map((one) => one && one.data.length),
  heard: heard.account.slice(0, 2),
  logged: heard.logs >= 2,
  slots: heard.slots >= 150,
  programs: heard.programs >= 2,
  epoch: (await connection.getEpochInfo()).epoch,
}));
Deno.exit(0);
