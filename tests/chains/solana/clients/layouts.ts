// Instructions as the published clients write them, for fixed accounts and amounts. Prints JSON; sends nothing.
import { createMemoInstruction } from "@solana/spl-memo";
import {
  AuthorityType,
  createApproveCheckedInstruction,
  createBurnInstruction,
  createCloseAccountInstruction,
  createEnableRequiredMemoTransfersInstruction,
  createFreezeAccountInstruction,
  createInitializeDefaultAccountStateInstruction,
  createInitializeInstruction,
  createInitializeMetadataPointerInstruction,
  createInitializeMintCloseAuthorityInstruction,
  createInitializeNonTransferableMintInstruction,
  createInitializePausableConfigInstruction,
  createInitializePermanentDelegateInstruction,
  createInitializeTransferFeeConfigInstruction,
  createInitializeTransferHookInstruction,
  createReallocateInstruction,
  createRevokeInstruction,
  createSetAuthorityInstruction,
  createSetTransferFeeInstruction,
  createSyncNativeInstruction,
  createThawAccountInstruction,
  createTransferCheckedWithFeeInstruction,
  createUpdateAuthorityInstruction,
  ExtensionType,
  getMintLen,
  TOKEN_2022_PROGRAM_ID,
} from "@solana/spl-token";
import { createSignInMessageText } from "@solana/wallet-standard-util";
import {
  AddressLookupTableProgram,
  Authorized,
  ComputeBudgetProgram,

  Lockup,
  PublicKey,
  StakeProgram,
  SystemProgram,
  TransactionInstruction,
} from "@solana/web3.js";

const [ann, ben, cam, dan] = Deno.args.map((text) => new PublicKey(text));
const program = TOKEN_2022_PROGRAM_ID;
const shown = (item: TransactionInstruction) => ({
  program: item.programId.toBase58(),
  accounts: item.keys.map((key) => [key.pubkey.toBase58(), key.isSigner, key.isWritable]),
  data: item.data.toString("hex"),
});
const memo = createReallocateInstruction(ann, cam, [ExtensionType.MemoTransfer], cam, [], program);
const metadata = { programId: program, metadata: ann, mint: ann, updateAuthority: ben };
const [table, address] = AddressLookupTableProgram.createLookupTable({ authority: ann, payer: ben, recentSlot: 77 });
const made = { fromPubkey: ann, newAccountPubkey: dan, basePubkey: ann, seed: "coin", lamports: 7, space: 9 };
const stake = StakeProgram.initialize({ stakePubkey: ann, authorized: new Authorized(ben, cam), lockup: Lockup.default });

const instructions: Record<string, TransactionInstruction> = {
  approve: createApproveCheckedInstruction(ann, ben, cam, dan, 500n, 6, [], program),
  revoke: createRevokeInstruction(ann, ben, [], program),
  hand_over: createSetAuthorityInstruction(ann, ben, AuthorityType.CloseAccount, cam, [], program),
  renounce: createSetAuthorityInstruction(ann, ben, AuthorityType.PermanentDelegate, null, [], program),
  burn: createBurnInstruction(ann, ben, cam, 500n, [], program),
  close: createCloseAccountInstruction(ann, ben, cam, [], program),
  freeze: createFreezeAccountInstruction(ann, ben, cam, [], program),
  thaw: createThawAccountInstruction(ann, ben, cam, [], program),
  sync: createSyncNativeInstruction(ann),
  pointer: createInitializeMetadataPointerInstruction(ann, ben, ann, program),
  fee: createInitializeTransferFeeConfigInstruction(ann, ben, null, 125, 5000n, program),
  new_fee: createSetTransferFeeInstruction(ann, ben, [], 200, 7000n, program),
  delegate: createInitializePermanentDelegateInstruction(ann, ben, program),
  hook: createInitializeTransferHookInstruction(ann, ben, cam, program),
  frozen: createInitializeDefaultAccountStateInstruction(ann, 2, program),
  bound: createInitializeNonTransferableMintInstruction(ann, program),
  closing: createInitializeMintCloseAuthorityInstruction(ann, ben, program),
  pausing: createInitializePausableConfigInstruction(ann, ben, program),
  with_fee: createTransferCheckedWithFeeInstruction(ann, ben, cam, dan, 1000n, 6, 10n, [], program),
  room: memo,
  memos: createEnableRequiredMemoTransfersInstruction(ann, cam, [], program),
  metadata: createInitializeInstruction({ ...metadata, mintAuthority: cam, name: "Münze", symbol: "MÜ", uri: "x:y" }),
  no_metadata: createUpdateAuthorityInstruction({
    programId: program,
    metadata: ann,
    oldAuthority: ben,
    newAuthority: null,
  }),
  memo: createMemoInstruction("ça va", [ann]),
  table,
  extend: AddressLookupTableProgram.extendLookupTable({
    lookupTable: address,
    authority: ann,
    payer: ben,
    addresses: [cam, dan],
  }),
  end: AddressLookupTableProgram.deactivateLookupTable({ lookupTable: address, authority: ann }),
  close_table: AddressLookupTableProgram.closeLookupTable({ lookupTable: address, authority: ann, recipient: ben }),
  limit: ComputeBudgetProgram.setComputeUnitLimit({ units: 70_000 }),
  price: ComputeBudgetProgram.setComputeUnitPrice({ microLamports: 12_345n }),
  stake,
  stake_to: StakeProgram.delegate({ stakePubkey: ann, authorizedPubkey: ben, votePubkey: cam }).instructions[0],
  unstake: StakeProgram.deactivate({ stakePubkey: ann, authorizedPubkey: ben }).instructions[0],
  withdraw: StakeProgram.withdraw({ stakePubkey: ann, authorizedPubkey: ben, toPubkey: cam, lamports: 99 })
    .instructions[0],
  seeded: SystemProgram.createAccountWithSeed({ ...made, programId: program }),
};
const words = createSignInMessageText({
  domain: "example.org",
  address: ann.toBase58(),
  statement: "Come in.",
  uri: "https://example.org",
  version: "1",
  chainId: "solana:localnet",
  nonce: "abcdefgh12",
  issuedAt: "2026-01-01T00:00:00Z",
  expirationTime: "2026-01-02T00:00:00Z",
  notBefore: "2025-12-31T00:00:00Z",
  requestId: "7",
  resources: ["https://example.org/a", "https://example.org/b"],
});
const short = createSignInMessageText({ domain: "example.org", address: ann.toBase58() });
const kinds = [ExtensionType.TransferFeeConfig, ExtensionType.MetadataPointer, ExtensionType.NonTransferable];
console.log(JSON.stringify({
  instructions: Object.fromEntries(Object.entries(instructions).map(([name, item]) => [name, shown(item)])),
  place: (await PublicKey.createWithSeed(ann, "coin", program)).toBase58(),
  table: address.toBase58(),
  size: getMintLen(kinds),
  texts: [words, short],
}));
