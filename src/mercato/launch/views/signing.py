"""Requests for a wallet as the page hands them over: JSON for the island, the same in words without a script."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mercato.chains.model import Receipt
from mercato.launch.model import Request


@dataclass(frozen=True, slots=True)
class Step:
    """One transaction to sign."""

    title: str
    transaction: Mapping[str, str]
    function: str
    arguments: Mapping[str, str]

    def body(self) -> dict[str, object]:
        """Returns the step as the wallet's island reads it."""
        return {"kind": "transaction", "title": self.title, "transaction": dict(self.transaction)}


def steps(requests: Sequence[Request]) -> list[Step]:
    """Returns the requests as transactions in the fields of JSON-RPC."""
    return [
        Step(
            item.title,
            {
                "from": item.call.sender,
                "to": item.call.to or "",
                "data": "0x" + item.call.data.hex(),
                "value": hex(item.call.value),
            },
            item.function,
            item.arguments,
        )
        for item in requests
    ]


def outcome(receipt: Receipt | None) -> dict[str, object]:
    """Returns what became of a transaction, as the wallet's island reads it."""
    if receipt is None:
        return {"state": "waiting"}
    if receipt.succeeded:
        return {"state": "confirmed", "block": receipt.block}
    return {"state": "reverted", "block": receipt.block, "reason": receipt.reason}
