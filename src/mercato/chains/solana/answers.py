"""A Solana node's JSON as values. What does not fit is BadAnswer, never a guess."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

from mercato.chains.errors import BadAnswer, BadCall, Reverted, Unreachable
from mercato.chains.evm.answers import items, member
from mercato.chains.solana import base58
from mercato.chains.solana.model import Account, Address, Block, Blockhash, Held, Outcome, Receipt, Signature
from mercato.chains.solana.reasons import words
from mercato.core.errors import InvalidInput, MercatoError, NotFound

MOST = 2**64 - 1
PREFLIGHT, SIGNATURES, PARAMS = -32002, -32003, -32602
MISSING = frozenset({-32001, -32004, -32007, -32009, -32011})  # a block that is gone, skipped or has not come
LATER = frozenset({-32005, -32014, -32016, -32603})  # behind, or not yet: another try may help


def error(told: Any, host: str, method: str) -> MercatoError:
    """Returns our error for a node's: a program's refusal, a transaction that cannot be right, or what is not there."""
    fields = told if isinstance(told, dict) else {}
    code, said = fields.get("code"), str(fields.get("message", told))[:300]
    if code == PREFLIGHT:
        return _refused(fields.get("data"), said)
    if code in (SIGNATURES, PARAMS):
        return BadCall(f"{host} refused {method}: {said!r}", hint="see the transaction and its signatures", code=code)
    if code in MISSING:
        return NotFound(f"{host} has it not, by {method}: {said!r}", hint="older blocks are at archive nodes")
    if code in LATER:
        return Unreachable(f"{host} could not answer {method} yet: {said!r}", hint="it may be better later")
    return BadAnswer(f"{host} answered {method} with the error {code!r}: {said!r}", code=code)


def _refused(data: Any, said: str) -> MercatoError:
    """Returns the error of a simulation: with logs it ran, without it was never let in."""
    fields = data if isinstance(data, dict) else {}
    logs = fields.get("logs")
    lines = [str(line) for line in logs] if isinstance(logs, list) else []
    reason = words(fields.get("err")) or said.removeprefix("Transaction simulation failed: ")
    if lines:
        return Reverted(reason, hint=lines[-1][:200])
    return BadCall(f"transaction was refused: {reason}", hint="take a newer blockhash?", error=fields.get("err"))


def number(value: object) -> int:
    """Returns a whole number of 64 bits."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST:
        return value
    raise BadAnswer(f"a number of the node was {value!r:.80}", hint="expected a whole number of 64 bits")


def text(value: object) -> str:
    """Returns a text."""
    if isinstance(value, str):
        return value
    raise BadAnswer(f"a text of the node was {value!r:.80}", hint="expected a JSON string")


def address(value: object) -> Address:
    """Returns an address."""
    return Address(_base58(value, 32))


def blockhash(value: object) -> Blockhash:
    """Returns a blockhash."""
    return Blockhash(_base58(value, 32))


def signature(value: object) -> Signature:
    """Returns a signature."""
    return Signature(_base58(value, 64))


def account(value: object) -> Account | None:
    """Returns an account that was asked for in base64; None for null."""
    if value is None:
        return None
    told = member(value, "data")
    if not isinstance(told, list) or len(told) != 2 or told[1] != "base64":
        raise BadAnswer(f"data of an account was {told!r:.80}", hint="expected base64 and its name")
    executable = member(value, "executable") is True
    return Account(number(member(value, "lamports")), address(member(value, "owner")), _base64(told[0]), executable)


def receipt(value: object, named: Signature) -> Receipt:
    """Returns what became of a transaction that was asked for as `json`."""
    meta, told = member(value, "meta"), member(value, "transaction")
    message = member(told, "message")
    loaded = meta.get("loadedAddresses") if isinstance(meta, Mapping) else None
    keys = [*items(member(message, "accountKeys"))]
    for part in ("writable", "readonly"):
        keys += items(member(loaded, part)) if loaded else []
    before, after = (tuple(map(number, items(member(meta, name)))) for name in ("preBalances", "postBalances"))
    if not len(before) == len(after) == len(keys):
        raise BadAnswer(f"balances of {named} were {len(before)} and {len(after)}", hint=f"expected {len(keys)}")
    failed, time, named_by = member(meta, "err"), member(value, "blockTime"), tuple(map(address, keys))
    return Receipt(
        named, number(member(value, "slot")), number(time) if time is not None else 0, failed is None,
        number(member(meta, "fee")), number(meta.get("computeUnitsConsumed", 0)), logs(meta), named_by,
        before, after, words(failed), failed, _held(meta, "preTokenBalances", named_by),
        _held(meta, "postTokenBalances", named_by),
    )  # fmt: skip


def outcome(value: object) -> Outcome:
    """Returns what a simulation says."""
    failed, accounts = member(value, "err"), member(value, "accounts")
    returned = value.get("returnData") if isinstance(value, Mapping) else None
    units = value.get("unitsConsumed") if isinstance(value, Mapping) else None
    return Outcome(
        failed is None,
        number(units or 0),
        logs(value),
        _base64(items(member(returned, "data"))[0]) if returned else b"",
        tuple(map(account, items(accounts))) if accounts and failed is None else (),
        words(failed),
        failed,
        number(value["fee"]) if isinstance(value, Mapping) and value.get("fee") is not None else None,
    )


def block(value: object, slot: int) -> Block:
    """Returns a block's head, asked for with its signatures only."""
    return Block(
        slot,
        number(member(value, "blockHeight")),
        blockhash(member(value, "blockhash")),
        number(member(value, "parentSlot")),
        blockhash(member(value, "previousBlockhash")),
        number(member(value, "blockTime")),
        tuple(map(signature, items(member(value, "signatures")))),
    )


def logs(value: object) -> tuple[str, ...]:
    """Returns the lines that programs wrote; none where the node keeps none."""
    found = value.get("logMessages", value.get("logs")) if isinstance(value, Mapping) else None
    return tuple(map(text, items(found))) if found is not None else ()


def _held(meta: object, name: str, accounts: Sequence[Address]) -> tuple[Held, ...]:
    """Returns the tokens of a receipt, before or after; those whose owner a node does not tell are not among them."""
    found = []
    for one in items((meta.get(name) if isinstance(meta, Mapping) else None) or []):
        place, units = number(member(one, "accountIndex")), text(member(member(one, "uiTokenAmount"), "amount"))
        if place >= len(accounts) or not (units.isascii() and units.isdigit()):
            raise BadAnswer(f"token balance of the node was {one!r:.100}", hint="expected an account's place and units")
        if isinstance(one, Mapping) and one.get("owner"):
            found.append(Held(accounts[place], address(member(one, "mint")), address(one["owner"]), int(units)))
    return tuple(found)


def _base58(value: object, size: int) -> str:
    try:
        return base58.encode(base58.decode(text(value), size))
    except InvalidInput:
        raise BadAnswer(f"base 58 of the node was {value!r:.100}", hint=f"expected {size} bytes") from None


def _base64(value: object) -> bytes:
    try:
        return base64.b64decode(text(value), validate=True)
    except ValueError:
        raise BadAnswer(f"base64 of the node was {value!r:.80}", hint="expected bytes in base64") from None
