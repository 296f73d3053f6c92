"""Methods that read slots, blocks and transactions."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence

from mercato.chains.errors import BadCall
from mercato.chains.facade.dispatch import Method
from mercato.chains.facade.faults import Fault
from mercato.chains.solana import clusters
from mercato.chains.solana.facade import wire
from mercato.chains.solana.facade.faults import NO_BLOCK, SKIPPED, params
from mercato.chains.solana.facade.parsed import Json
from mercato.chains.solana.facade.shapes import TRANSACTIONS, memo, status_json, transaction_json
from mercato.chains.solana.facade.state import VERSION, State
from mercato.chains.solana.ledger import Record
from mercato.chains.solana.local import LocalCluster
from mercato.chains.solana.model import SYSTEM, Block

STATUSES, SIGNATURES, BLOCKS, FEES = 256, 1000, 500_000, 150
FINAL = "finalized"  # each block is, at once
IDENTITY = SYSTEM  # nobody validates here


class History:
    """Answers about what happened on one cluster."""

    def __init__(self, cluster: LocalCluster, state: State) -> None:
        self._cluster, self._state = cluster, state

    def methods(self) -> Mapping[str, Method]:
        """Returns what this answers, by its JSON-RPC name."""
        return {
            **self._constants(),
            "getSlot": lambda given: self._newest(given).slot,
            "getBlockHeight": lambda given: self._newest(given).height,
            "getTransactionCount": lambda given: self.count(),
            "getEpochInfo": self.epoch,
            "getEpochSchedule": self.schedule,
            "getLatestBlockhash": self.latest,
            "isBlockhashValid": self.valid,
            "getFeeForMessage": self.fee,
            "getRecentPrioritizationFees": self.fees,
            "getBlock": self.block,
            "getBlocks": self.blocks,
            "getBlocksWithLimit": self.some_blocks,
            "getBlockTime": lambda given: self._block(given).time,
            "getTransaction": self.transaction,
            "getSignatureStatuses": self.statuses,
            "getSignaturesForAddress": self.signatures,
        }

    def _constants(self) -> Mapping[str, Method]:
        return {
            "getHealth": lambda given: "ok",
            "getVersion": lambda given: {"solana-core": VERSION, "feature-set": 0},
            "getGenesisHash": lambda given: clusters.GENESIS,
            "getIdentity": lambda given: {"identity": IDENTITY},
            "getSlotLeader": lambda given: IDENTITY,
            "getFirstAvailableBlock": lambda given: 0,
            "minimumLedgerSlot": lambda given: 0,
            "getVoteAccounts": lambda given: {"current": [], "delinquent": []},
        }

    def count(self) -> int:
        """Returns how many transactions there were."""
        return sum(len(block.transactions) for block in self._cluster.blocks(0, self._cluster.block().slot))

    def epoch(self, given: Sequence[object]) -> Json:
        """`getEpochInfo`."""
        newest = self._newest(given)
        epoch, place, length = self._cluster.epoch()
        return {
            "absoluteSlot": newest.slot,
            "blockHeight": newest.height,
            "epoch": epoch,
            "slotIndex": place,
            "slotsInEpoch": length,
            "transactionCount": self.count(),
        }

    def schedule(self, given: Sequence[object]) -> Json:
        """`getEpochSchedule`: epochs are of one length from the start."""
        _, _, length = self._cluster.epoch()
        return {
            "slotsPerEpoch": length,
            "leaderScheduleSlotOffset": length,
            "warmup": False,
            "firstNormalEpoch": 0,
            "firstNormalSlot": 0,
        }

    def latest(self, given: Sequence[object]) -> Json:
        """`getLatestBlockhash`."""
        found = self._cluster.lifetime()
        return self._state.within(given, 0, {"blockhash": found.blockhash, "lastValidBlockHeight": found.last_height})

    def valid(self, given: Sequence[object]) -> Json:
        """`isBlockhashValid`."""
        named = wire.address(wire.argument(given, 0, "blockhash"))  # 32 bytes too
        return self._state.within(given, 1, self._cluster.good(named))

    def fee(self, given: Sequence[object]) -> Json:
        """`getFeeForMessage`: null where its blockhash is too old."""
        text = wire.argument(given, 0, "message")
        try:
            message = base64.b64decode(text, validate=True) if isinstance(text, str) else b""
        except ValueError as error:
            raise params(f"invalid base64 encoding: {error}") from None
        try:
            found: int | None = self._cluster.fee(message)
        except BadCall as error:
            if error.facts.get("error") != "BlockhashNotFound":
                raise
            found = None
        return self._state.within(given, 1, found)

    def fees(self, given: Sequence[object]) -> list[Json]:
        """`getRecentPrioritizationFees`: nobody has to outbid anybody here, so each slot asked for none."""
        named = wire.items(given[0] if given and given[0] is not None else [], "addresses", 128)
        for one in named:
            wire.address(one)
        newest = self._cluster.block().slot
        recent = self._cluster.blocks(max(0, newest - FEES + 1), newest)
        return [{"slot": block.slot, "prioritizationFee": 0} for block in recent]

    def block(self, given: Sequence[object]) -> Json:
        """`getBlock`, with its transactions whole, as signatures, or not at all."""
        found = self._block(given)
        options = _told(given, 1)
        detail, how, newest = options.get("transactionDetails", "full"), _how(options), _version(options)
        shown: Json = {
            "blockhash": found.hash,
            "previousBlockhash": found.parent,
            "parentSlot": found.parent_slot,
            "blockHeight": found.height,
            "blockTime": found.time,
        }
        match detail:
            case "full":
                shown["transactions"] = [transaction_json(one, how, newest) for one in self._records(found)]
            case "signatures":
                shown["signatures"] = list(found.transactions)
            case "none":
                pass
            case _:
                raise params(f"Invalid params: transactionDetails was {wire.shortened(detail)}, not known here.")
        return shown if options.get("rewards") is False else {**shown, "rewards": []}

    def blocks(self, given: Sequence[object]) -> list[int]:
        """`getBlocks`: the slots that have one, from a first to a last or the newest."""
        first = wire.number(wire.argument(given, 0, "first slot"), "first slot")
        told = given[1] if len(given) > 1 and not isinstance(given[1], dict) else None
        last = self._cluster.block().slot if told is None else wire.number(told, "last slot")
        if last - first > BLOCKS:
            raise params(f"Slot range too large; max {BLOCKS}")
        return [block.slot for block in self._cluster.blocks(first, last)]

    def some_blocks(self, given: Sequence[object]) -> list[int]:
        """`getBlocksWithLimit`."""
        first = wire.number(wire.argument(given, 0, "first slot"), "first slot")
        limit = wire.number(wire.argument(given, 1, "limit"), "limit", BLOCKS)
        return [block.slot for block in self._cluster.blocks(first, self._cluster.block().slot)[:limit]]

    def transaction(self, given: Sequence[object]) -> Json | None:
        """`getTransaction`; null where there is none."""
        found = self._cluster.record(wire.signature(wire.argument(given, 0, "signature")))
        options = _told(given, 1)
        if found is None:
            return None
        shown = transaction_json(found, _how(options), _version(options))
        return {"slot": found.receipt.slot, "blockTime": found.receipt.time, **shown}

    def statuses(self, given: Sequence[object]) -> Json:
        """`getSignatureStatuses`: null for each that is in no block."""
        named = wire.items(wire.argument(given, 0, "signatures"), "signatures", STATUSES)
        found = [self._cluster.receipt(wire.signature(one)) for one in named]
        shown = [
            one
            and {
                "slot": one.slot,
                "confirmations": None,
                "err": one.error,
                "status": status_json(one.error),
                "confirmationStatus": FINAL,
            }
            for one in found
        ]
        return self._state.within(given, 1, shown)

    def signatures(self, given: Sequence[object]) -> list[Json]:
        """`getSignaturesForAddress`: newest first, after `before` and until `until`."""
        at, options = wire.address(wire.argument(given, 0, "address")), wire.options(given, 1)
        self._state.reached(options)
        told = options.get("limit")
        limit = SIGNATURES if told is None else wire.number(told, "limit", SIGNATURES)
        found = list(self._cluster.history(at, limit=2**62))
        before, until = (
            None if (one := options.get(name)) is None else wire.signature(one) for name in ("before", "until")
        )
        if before is not None:
            found = found[found.index(before) + 1 :] if before in found else []
        if until in found:
            found = found[: found.index(until)]
        records = [record for one in found[:limit] if (record := self._cluster.record(one))]
        return [
            {
                "signature": one.receipt.signature,
                "slot": one.receipt.slot,
                "err": one.receipt.error,
                "memo": memo(one),
                "blockTime": one.receipt.time,
                "confirmationStatus": FINAL,
            }
            for one in records
        ]

    def _newest(self, given: Sequence[object]) -> Block:
        self._state.reached(wire.options(given, 0))
        return self._cluster.block()

    def _block(self, given: Sequence[object]) -> Block:
        slot = wire.number(wire.argument(given, 0, "slot"), "slot")
        newest = self._cluster.block().slot
        if slot > newest:
            raise Fault(NO_BLOCK, f"Block not available for slot {slot}")
        found = self._cluster.blocks(slot, slot)
        if not found:
            raise Fault(SKIPPED, f"Slot {slot} was skipped, or missing due to ledger jump to recent snapshot")
        return found[0]

    def _records(self, block: Block) -> list[Record]:
        return [record for one in block.transactions if (record := self._cluster.record(one))]


def _told(given: Sequence[object], place: int) -> Mapping[str, object]:
    """Returns the options; an encoding alone may stand in their place."""
    alone = given[place] if len(given) > place else None
    return {"encoding": alone} if isinstance(alone, str) else wire.options(given, place)


def _how(options: Mapping[str, object]) -> str:
    found = options.get("encoding", "json")
    if not isinstance(found, str) or found not in TRANSACTIONS:
        raise params(f"Invalid params: unknown variant {wire.shortened(found)}, expected one of json, jsonParsed, …")
    return found


def _version(options: Mapping[str, object]) -> int | None:
    found = options.get("maxSupportedTransactionVersion")
    return None if found is None else wire.number(found, "maxSupportedTransactionVersion", 255)
