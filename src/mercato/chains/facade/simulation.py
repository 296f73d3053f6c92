"""`eth_simulateV1`: what calls would do one after another on the newest block; nothing is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from mercato.chains.evm.local import LocalChain
from mercato.chains.facade import wire
from mercato.chains.facade.dispatch import Method
from mercato.chains.facade.faults import PARAMS, REVERTED, Fault
from mercato.chains.facade.reads import argument, call_of, optional
from mercato.chains.facade.shapes import Json
from mercato.chains.model import Address, Call, Log, Outcome

CALLS = 256  # that one request may make


class Simulation:
    """Answers from a chain in this process. One simulated block, and no other state or head than the chain's own."""

    def __init__(self, chain: LocalChain) -> None:
        self._chain = chain

    def methods(self) -> Mapping[str, Method]:
        """Returns what this answers, by its JSON-RPC name."""
        return {"eth_simulateV1": self.simulate}

    def simulate(self, params: Sequence[object]) -> list[Json]:
        """Returns one block with what each call would do in it."""
        asked = wire.fields(argument(params, 0, "simulation"), "simulation")
        place, newest = wire.place(optional(params, 1)), self._chain.block()
        if (place.hash or newest.hash, newest.number if place.number is None else place.number) != (
            newest.hash, newest.number,
        ):  # fmt: skip
            raise Fault(PARAMS, f"invalid argument: only the newest block, {newest.number}, can be gone on from")
        blocks = wire.items(asked.get("blockStateCalls"), "blockStateCalls")
        if len(blocks) != 1:
            raise Fault(PARAMS, f"invalid argument: blocks were {len(blocks)}, expected one")
        block = wire.fields(blocks[0], "block")
        if others := sorted(name for name in set(block) - {"calls", "stateOverrides"} if block[name]):
            raise Fault(PARAMS, f"invalid argument: {others[0][:40]!r} is not known here")
        codes = _codes(block.get("stateOverrides"))
        calls = wire.items(block.get("calls"), "calls")
        if len(calls) > CALLS:
            raise Fault(PARAMS, f"invalid argument: calls were {len(calls)}, expected at most {CALLS}")
        outcomes = self._chain.simulate([_placed(call_of(call), codes) for call in calls])
        gas = sum(outcome.gas_used for outcome in outcomes)
        return [
            {
                "number": wire.quantity(newest.number + 1),
                "parentHash": newest.hash,
                "gasUsed": wire.quantity(gas),
                "calls": [_shown(outcome) for outcome in outcomes],
            }
        ]


def _codes(value: object) -> Mapping[Address, bytes]:
    """Returns the code that accounts shall have; nothing else of an account can be put in place of what it is."""
    found = {}
    for place, item in wire.fields(value or {}, "stateOverrides").items():
        given = wire.fields(item, "override")
        if others := sorted(set(given) - {"code"}):
            raise Fault(PARAMS, f"invalid argument: the override of {others[0][:40]!r} is not known here")
        found[wire.address(place)] = wire.octets(given.get("code"), "code")
    return found


def _placed(call: Call, codes: Mapping[Address, bytes]) -> Call:
    return replace(call, code=codes.get(call.to, b"")) if call.to else call


def _shown(outcome: Outcome) -> Json:
    shown: Json = {
        "status": wire.quantity(int(outcome.succeeded)),
        "returnData": wire.hexed(outcome.output),
        "gasUsed": wire.quantity(outcome.gas_used),
        "logs": [_log(log) for log in outcome.logs],
    }
    if not outcome.succeeded:
        why = f": {outcome.reason}" if outcome.reason else ""
        shown["error"] = {"code": REVERTED, "message": f"execution reverted{why}"}
    return shown


def _log(log: Log) -> Json:
    return {
        "address": log.address,
        "topics": [wire.hexed(topic) for topic in log.topics],
        "data": wire.hexed(log.data),
        "blockNumber": wire.quantity(log.block),
        "blockHash": log.block_hash,
        "transactionHash": log.transaction,
        "transactionIndex": "0x0",
        "logIndex": wire.quantity(log.index),
        "removed": False,
    }
