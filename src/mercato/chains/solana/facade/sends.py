"""Methods that send transactions, try them out, or give lamports from nowhere."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from hashlib import sha256
from itertools import count

from mercato.chains.errors import BadCall
from mercato.chains.facade.dispatch import Method
from mercato.chains.facade.faults import Fault
from mercato.chains.solana.facade import wire
from mercato.chains.solana.facade.faults import PREFLIGHT, SIGNATURES, params
from mercato.chains.solana.facade.parsed import Json
from mercato.chains.solana.facade.shapes import inner_json, returned_json
from mercato.chains.solana.facade.state import State
from mercato.chains.solana.keys import SolanaKey
from mercato.chains.solana.local import LocalCluster
from mercato.chains.solana.machine import Result
from mercato.chains.solana.messages import compile_message, decode, sign, signature_of
from mercato.chains.solana.model import SOL, Address, Instruction, Signature
from mercato.chains.solana.reasons import words
from mercato.chains.solana.tokens import transfer_lamports

AIRDROP = 1_000_000 * SOL  # lamports at once
BUDGET = Address("ComputeBudget111111111111111111111111111111")
UNITS = 2_000  # enough for a transfer; the count behind it makes each airdrop another transaction


class Sends:
    """Takes transactions. `sent` is told when there may be news."""

    def __init__(self, cluster: LocalCluster, state: State, sent: Callable[[], None]) -> None:
        self._cluster, self._state, self._sent = cluster, state, sent
        self._faucet = SolanaKey(sha256(b"mercato simulated faucet").digest())
        self._airdrops = count(UNITS)

    def methods(self) -> Mapping[str, Method]:
        """Returns what this answers, by its JSON-RPC name."""
        return {"sendTransaction": self.send, "simulateTransaction": self.simulate, "requestAirdrop": self.airdrop}

    def send(self, given: Sequence[object]) -> str:
        """`sendTransaction`: tried out before, unless `skipPreflight`; then one that no block takes is lost unsaid."""
        options = wire.options(given, 1)
        raw = wire.transaction(wire.argument(given, 0, "transaction"), options)
        self._state.reached(options)
        name = self._read(raw)
        if not wire.flag(options, "skipPreflight"):
            self._check(raw)
        with suppress(BadCall):
            self._cluster.send_raw(raw, preflight=False)
        self._sent()
        return name

    def simulate(self, given: Sequence[object]) -> Json:
        """`simulateTransaction`: as it is, or with a newer blockhash in its place."""
        options = wire.options(given, 1)
        raw = wire.transaction(wire.argument(given, 0, "transaction"), options)
        verify, replace = wire.flag(options, "sigVerify"), wire.flag(options, "replaceRecentBlockhash")
        if verify and replace:
            raise params("sigVerify may not be used with replaceRecentBlockhash")
        self._read(raw)
        named, how = self._wanted(options)
        if verify and self._cluster.refusal(raw, recent=False):
            raise Fault(SIGNATURES, "Transaction signature verification failure")
        refused = "" if replace else self._cluster.refusal(raw, verify=False)
        value = told(refused) if refused else self._tried(self._cluster.attempt(raw), named, how, options)
        if replace:
            newest = self._cluster.lifetime()
            value["replacementBlockhash"] = {
                "blockhash": newest.blockhash,
                "lastValidBlockHeight": newest.last_height,
            }
        return self._state.within(given, 1, value)

    def airdrop(self, given: Sequence[object]) -> str:
        """`requestAirdrop`: a transfer from an account that has whatever is asked."""
        target = wire.address(wire.argument(given, 0, "address"))
        lamports = wire.number(wire.argument(given, 1, "lamports"), "lamports", AIRDROP)
        payer = self._faucet.address
        self._cluster.fund(payer, 2**60)
        limit = Instruction(BUDGET, (), b"\2" + next(self._airdrops).to_bytes(4, "little"))
        steps = [limit, transfer_lamports(payer, target, lamports)]
        raw = sign(compile_message(payer, steps, self._cluster.lifetime().blockhash), [self._faucet])
        return self.send([base64.b64encode(raw).decode(), {"encoding": "base64"}])

    def _read(self, raw: bytes) -> Signature:
        try:
            decode(raw)
        except BadCall as error:
            kind = "solana_transaction::versioned::VersionedTransaction"
            raise params(f"failed to deserialize {kind}: {error.message}") from None
        return signature_of(raw)

    def _check(self, raw: bytes) -> None:
        refused = self._cluster.refusal(raw)
        if refused == "SignatureFailure":
            raise Fault(SIGNATURES, "Transaction signature verification failure")
        if refused == "AlreadyProcessed" and self._cluster.record(signature_of(raw)) is None:
            return  # it waits for a block, and nodes do not mind to hear of it again
        found = told(refused) if refused else self._tried(self._cluster.attempt(raw), [], "base64", {})
        if found["err"] is not None:
            raise Fault(PREFLIGHT, f"Transaction simulation failed: {words(found['err'])}", found)

    def _wanted(self, options: Mapping[str, object]) -> tuple[list[Address], str]:
        asked = options.get("accounts")
        if asked is None:
            return [], ""
        if not isinstance(asked, dict):
            raise params(f"Invalid params: accounts was {wire.shortened(asked)}, not an object.")
        how = wire.encoding(asked) if asked.get("encoding") else "base64"
        if how in ("binary", "base58"):
            raise params("base58 encoding not supported")
        return [wire.address(one) for one in wire.items(asked.get("addresses") or [], "addresses", 64)], how

    def _tried(self, found: Result, named: Sequence[Address], how: str, options: Mapping[str, object]) -> Json:
        """Returns what a transaction would do, with the accounts that were asked for."""
        value = told(found.error, found.logs, found.units)
        value["returnData"] = returned_json(found)
        value["fee"] = found.fee
        if wire.flag(options, "innerInstructions"):
            value["innerInstructions"] = inner_json(found, None)
        if named and found.error is None:
            state = [found.changed.get(at) or self._state.look(at) for at in named]
            value["accounts"] = [self._state.shown(one if one and one.lamports else None, {}, how) for one in state]
        elif named:
            value["accounts"] = [None] * len(named)
        return value


def told(error: object, logs: Sequence[str] = (), units: int = 0) -> Json:
    """Returns what a simulation says at least; no error but "" means that it succeeds."""
    return {
        "err": error or None,
        "logs": list(logs),
        "accounts": None,
        "unitsConsumed": units,
        "returnData": None,
        "innerInstructions": None,
        "replacementBlockhash": None,
    }
