// Unmodified @solana/kit against a node: airdrop, transfer, tokens, refusals, expiry, subscriptions. Prints JSON.
import {
  airdropFactory,
  appendTransactionMessageInstructions,
  createKeyPairSignerFromPrivateKeyBytes,
  createSolanaRpc,
  createSolanaRpcSubscriptions,
  createTransactionMessage,
  generateKeyPairSigner,
  getBase64EncodedWireTransaction,
  getSignatureFromTransaction,
  type Instruction,
  isSolanaError,
  type KeyPairSigner,
  lamports,
  pipe,
  sendAndConfirmTransactionFactory,
  setTransactionMessageFeePayerSigner,
  setTransactionMessageLifetimeUsingBlockhash,
  signTransactionMessageWithSigners,
  SOLANA_ERROR__JSON_RPC__SERVER_ERROR_SEND_TRANSACTION_PREFLIGHT_FAILURE,
} from "@solana/kit";
import { getCreateAccountInstruction, getTransferSolInstruction } from "@solana-program/system";
import {
  fetchToken,
  findAssociatedTokenPda,
  getCreateAssociatedTokenIdempotentInstructionAsync,
  getInitializeMint2Instruction,
  getMintSize,
  getMintToInstruction,
  getTransferCheckedInstruction,
  TOKEN_PROGRAM_ADDRESS,
} from "@solana-program/token";

const [url, socket, seed] = Deno.args;
const rpc = createSolanaRpc(url);
const live = createSolanaRpcSubscriptions(socket);
const ann = await createKeyPairSignerFromPrivateKeyBytes(Uint8Array.fromHex(seed));
const ben = await generateKeyPairSigner();
const confirm = sendAndConfirmTransactionFactory({ rpc, rpcSubscriptions: live });
const stop = new AbortController();

async function made(steps: Instruction[], payer: KeyPairSigner = ann) {
  const { value: latest } = await rpc.getLatestBlockhash().send();
  const message = pipe(
    createTransactionMessage({ version: 0 }),
    (it) => setTransactionMessageFeePayerSigner(payer, it),
    (it) => setTransactionMessageLifetimeUsingBlockhash(latest, it),
    (it) => appendTransactionMessageInstructions(steps, it),
  );
  return await signTransactionMessageWithSigners(message);
}
async function done(steps: Instruction[]) {
  const transaction = await made(steps);
  await confirm(transaction as Parameters<typeof confirm>[0], { commitment: "confirmed" });
  return getSignatureFromTransaction(transaction);
}
const pay = (amount: bigint) => getTransferSolInstruction({ source: ann, destination: ben.address, amount });

const heard = { account: [] as bigint[], logs: 0, slots: [] as bigint[] };
const abortSignal = stop.signal;
const told = [
  (async () => {
    for await (const one of await live.accountNotifications(ben.address).subscribe({ abortSignal })) {
      heard.account.push(one.value.lamports);
    }
  })(),
  (async () => {
    for await (const one of await live.logsNotifications({ mentions: [ben.address] }).subscribe({ abortSignal })) {
      heard.logs += one.value.logs?.length ? 1 : 0;
    }
  })(),
  (async () => {
    for await (const one of await live.slotNotifications().subscribe({ abortSignal })) heard.slots.push(one.slot);
  })(),
];
await new Promise((go) => setTimeout(go, 500));

await airdropFactory({ rpc, rpcSubscriptions: live } as Parameters<typeof airdropFactory>[0])({
  commitment: "confirmed",
  lamports: lamports(2_000_000_000n),
  recipientAddress: ben.address,
});
const name = await done([pay(1_000_000_000n)]);
const balance = (await rpc.getBalance(ben.address).send()).value;
const found = await rpc.getTransaction(name, { maxSupportedTransactionVersion: 0, encoding: "json" }).send();
const status = (await rpc.getSignatureStatuses([name]).send()).value[0];
const listed = await rpc.getSignaturesForAddress(ben.address).send();

const mint = await generateKeyPairSigner();
const space = BigInt(getMintSize());
const rent = await rpc.getMinimumBalanceForRentExemption(space).send();
const [mine] = await findAssociatedTokenPda({
  owner: ann.address,
  mint: mint.address,
  tokenProgram: TOKEN_PROGRAM_ADDRESS,
});
const [yours] = await findAssociatedTokenPda({
  owner: ben.address,
  mint: mint.address,
  tokenProgram: TOKEN_PROGRAM_ADDRESS,
});
await done([
  getCreateAccountInstruction({
    payer: ann,
    newAccount: mint,
    lamports: rent,
    space,
    programAddress: TOKEN_PROGRAM_ADDRESS,
  }),
  getInitializeMint2Instruction({ mint: mint.address, decimals: 2, mintAuthority: ann.address }),
  await getCreateAssociatedTokenIdempotentInstructionAsync({ payer: ann, owner: ann.address, mint: mint.address }),
  await getCreateAssociatedTokenIdempotentInstructionAsync({ payer: ann, owner: ben.address, mint: mint.address }),
  getMintToInstruction({ mint: mint.address, token: mine, mintAuthority: ann, amount: 1000n }),
]);
const moved = await done([
  getTransferCheckedInstruction({
    source: mine,
    mint: mint.address,
    destination: yours,
    authority: ann,
    amount: 250n,
    decimals: 2,
  }),
]);
const token = await fetchToken(rpc, yours);
const parsed = await rpc.getTokenAccountsByOwner(ben.address, { mint: mint.address }, { encoding: "jsonParsed" })
  .send();
const spent = await rpc.getTransaction(moved, { maxSupportedTransactionVersion: 0, encoding: "jsonParsed" }).send();
const held = (await rpc.getTokenAccountBalance(mine).send()).value;

async function failure(work: () => Promise<unknown>): Promise<Error> {
  try {
    await work();
  } catch (error) {
    return error as Error;
  }
  throw new Error("nothing was refused");
}
const wire = async (transaction: Awaited<ReturnType<typeof made>>) => getBase64EncodedWireTransaction(transaction);
const poor = await wire(await made([pay(10n ** 18n)]));
const refused = await failure(() => rpc.sendTransaction(poor, { encoding: "base64" }).send());
const simulated = await rpc.simulateTransaction(poor, { encoding: "base64" }).send();
const late = await wire(await made([pay(7n)]));
await fetch(url, {
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "mercato_mine", params: [150] }),
});
const expired = await failure(() => rpc.sendTransaction(late, { encoding: "base64" }).send());
const code = SOLANA_ERROR__JSON_RPC__SERVER_ERROR_SEND_TRANSACTION_PREFLIGHT_FAILURE;
const why = (error: Error) =>
  isSolanaError(error, code) ? (error.cause as Error).name + ": " + (error.cause as Error).message : String(error);

for (
  let waited = 0;
  waited < 100 && (heard.account.length < 2 || heard.logs < 2 || heard.slots.length < 150);
  waited++
) {
  await new Promise((go) => setTimeout(go, 100));
}
stop.abort();
await Promise.allSettled(told);
console.log(JSON.stringify(
  {
    balance,
    fee: found?.meta?.fee,
    version: found?.version,
    status: status?.confirmationStatus,
    listed: listed.length,
    token: token.data.amount,
    parsed: parsed.value[0].account.data.parsed.info.tokenAmount.uiAmountString,
    spent: spent?.meta?.postTokenBalances?.map((one) => one.uiTokenAmount.amount).sort(),
    held: held.uiAmountString,
    refused: why(refused),
    simulated: simulated.value.err,
    expired: why(expired),
    heard: heard.account.slice(0, 2),
    logs: heard.logs >= 2,
    slots: heard.slots.length >= 150,
  },
  (_, value) => typeof value === "bigint" ? Number(value) : value,
));
Deno.exit(0);
