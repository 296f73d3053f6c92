"""Accounts, transactions and blocks as JSON-RPC shows them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mercato.chains.facade.faults import Fault
from mercato.chains.solana import base58
from mercato.chains.solana.facade.faults import VERSION
from mercato.chains.solana.facade.parsed import Json, account_data, holding_json
from mercato.chains.solana.facade.wire import Slice, written
from mercato.chains.solana.ledger import Record
from mercato.chains.solana.machine import Inner, Result
from mercato.chains.solana.messages import decode, own_accounts
from mercato.chains.solana.model import SYSTEM, Account, Address

NEVER = 2**64 - 1  # the epoch in which rent is due of accounts that hold enough
MEMOS = frozenset({"MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr", "Memo1UhkJRfHyvLMcVucJwxXeuD728EqVDDwQDxFMNo"})
TRANSACTIONS = frozenset({"json", "jsonParsed", "base58", "base64"})


def account_json(account: Account, how: str, part: Slice | None, look: Callable[[Address], Account | None]) -> Json:
    """Returns an account, its data in an encoding; `jsonParsed` falls back to base64 as nodes do."""
    parsed = account_data(account, look) if how == "jsonParsed" else None
    data = account.data[part.offset : part.offset + part.length] if part else account.data
    return {
        "data": parsed or written(data, "base64" if how == "jsonParsed" else how),
        "executable": account.executable,
        "lamports": account.lamports,
        "owner": account.owner,
        "rentEpoch": NEVER,
        "space": len(account.data),
    }


def status_json(error: object) -> Json:
    """Returns how a transaction ended, in the older of two ways to say so."""
    return {"Ok": None} if error is None else {"Err": error}


def returned_json(result: Result) -> Json | None:
    """Returns what a program gave back; None for nothing."""
    if not result.returned and result.returner == SYSTEM:
        return None
    return {"programId": result.returner, "data": written(result.returned, "base64")}


def transaction_json(record: Record, how: str, newest: int | None) -> Json:
    """Returns a transaction with what became of it; `newest` is the highest version that the client can read.

    Fault where it is of a higher one.
    """
    parsed = decode(record.transaction)
    version = parsed.version()
    if isinstance(version, int) and (newest is None or version > newest):
        raise Fault(
            VERSION,
            f"Transaction version ({version}) is not supported by the requesting client. "
            "Please try the request again with the following configuration parameter: "
            f'"maxSupportedTransactionVersion": {version}',
        )
    body: object
    if how in ("base58", "base64"):
        raw = record.transaction
        body = written(raw, how) if how == "base64" else [base58.encode(raw), how]
    else:
        body = {"signatures": [str(one) for one in parsed.signatures], "message": _message(record, how == "jsonParsed")}
    shown: Json = {"transaction": body, "meta": meta_json(record, how == "jsonParsed")}
    return shown if newest is None else {**shown, "version": version if isinstance(version, int) else "legacy"}


def meta_json(record: Record, parsed: bool) -> Json:
    """Returns what became of a transaction."""
    receipt, result = record.receipt, record.result
    shown: Json = {
        "err": receipt.error,
        "status": status_json(receipt.error),
        "fee": receipt.fee,
        "preBalances": list(receipt.before),
        "postBalances": list(receipt.after),
        "innerInstructions": inner_json(result, receipt.accounts if parsed else None),
        "logMessages": list(receipt.logs),
        "preTokenBalances": [holding_json(held) for held in record.tokens_before],
        "postTokenBalances": [holding_json(held) for held in record.tokens_after],
        "rewards": [],
        "computeUnitsConsumed": receipt.units,
    }
    if not parsed:
        shown["loadedAddresses"] = {"writable": list(record.loaded[0]), "readonly": list(record.loaded[1])}
    if returned := returned_json(result):
        shown["returnData"] = returned
    return shown


def inner_json(result: Result, accounts: Sequence[Address] | None) -> list[Json]:
    """Returns what programs called, by the instruction that it began with; with addresses where accounts are given."""
    return [
        {"index": place, "instructions": [_instruction(one, accounts) for one in group]}
        for place, group in enumerate(result.inner)
        if group
    ]


def memo(record: Record) -> str | None:
    """Returns the memos of a transaction as lists of signatures show them: each with its length before it."""
    found = [data.decode(errors="replace") for program, _, data in instructions(record) if program in MEMOS]
    return "; ".join(f"[{len(text.encode())}] {text}" for text in found) or None


def instructions(record: Record) -> list[tuple[Address, tuple[Address, ...], bytes]]:
    """Returns a transaction's instructions: program, accounts and data of each."""
    named = record.receipt.accounts
    return [
        (named[one.program_id_index], tuple(named[place] for place in bytes(one.accounts)), bytes(one.data))
        for one in decode(record.transaction).message.instructions
    ]


def _message(record: Record, parsed: bool) -> Json:
    message = decode(record.transaction).message
    shown: Json = {"recentBlockhash": str(message.recent_blockhash)}
    lookups = getattr(message, "address_table_lookups", None)
    if lookups is not None:
        shown["addressTableLookups"] = [
            {
                "accountKey": str(one.account_key),
                "writableIndexes": list(bytes(one.writable_indexes)),
                "readonlyIndexes": list(bytes(one.readonly_indexes)),
            }
            for one in lookups
        ]
    if parsed:
        own = [_instruction(one, record.receipt.accounts) for one in _compiled(record)]
        return {**shown, "accountKeys": _keys(record), "instructions": own}
    header = message.header
    return {
        **shown,
        "accountKeys": [str(key) for key in message.account_keys],
        "header": {
            "numRequiredSignatures": header.num_required_signatures,
            "numReadonlySignedAccounts": header.num_readonly_signed_accounts,
            "numReadonlyUnsignedAccounts": header.num_readonly_unsigned_accounts,
        },
        "instructions": [_instruction(one, None) for one in _compiled(record)],
    }


def _compiled(record: Record) -> list[Inner]:
    found = decode(record.transaction).message.instructions
    return [Inner(one.program_id_index, tuple(bytes(one.accounts)), bytes(one.data), None) for one in found]


def _instruction(one: Inner, accounts: Sequence[Address] | None) -> Json:
    """Returns an instruction by places in the list of accounts, or by addresses where these are given."""
    data, depth = base58.encode(one.data), one.depth
    if accounts is None:
        return {"programIdIndex": one.program, "accounts": list(one.accounts), "data": data, "stackHeight": depth}
    named = [accounts[place] for place in one.accounts]
    return {"programId": accounts[one.program], "accounts": named, "data": data, "stackHeight": depth}


def _keys(record: Record) -> list[Json]:
    own = own_accounts(decode(record.transaction).message)
    tables = [(at, True) for at in record.loaded[0]] + [(at, False) for at in record.loaded[1]]
    shown = [(one.address, one.signer, one.writable, "transaction") for one in own]
    shown += [(at, False, writable, "lookupTable") for at, writable in tables]
    return [
        {"pubkey": at, "signer": signer, "writable": writable, "source": source}
        for at, signer, writable, source in shown
    ]
