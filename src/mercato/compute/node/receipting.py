"""The node's look at receipts: it signs those that agree with its own daybook, and says why it does not sign others.

Both are kept in one file, which is the node's proof of what it is owed: a gateway that shows other receipts for the
same requests later has signed two things that cannot both be true.
"""

from __future__ import annotations

import json
from collections.abc import Container, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from mercato.compute.books.receipts import hashed, receipt_of, signed_by
from mercato.compute.books.words import PAID
from mercato.compute.model import Offer, ProviderId, Receipt
from mercato.compute.node.daybook import Line
from mercato.compute.node.keyfile import NodeKey
from mercato.compute.node.wording import Body, inner, text
from mercato.core.errors import ConfigError, InvalidInput
from mercato.core.events import Json

WHOLE = 10_000  # basis points


@dataclass(frozen=True, slots=True)
class Desk:
    """What receipts of one gateway are compared with: who we are there, the gateway's key as it was at first, our
    offers by the model's id, and the least share of what an answer is worth, in basis points, that we agree to."""

    provider: ProviderId
    gateway: str
    offers: Mapping[str, Offer]
    share_bps: int = 9_000


def received(body: Body) -> Receipt:
    """Returns the receipt in a gateway's message; InvalidInput where it is none, or not as it was hashed."""
    receipt = receipt_of(
        inner(body.get("body"), "receipt"), text(body, "hash", most=64), text(body, "signature", most=128)
    )
    if hashed(receipt) != receipt.hash:
        raise InvalidInput(f"receipt had the hash {receipt.hash!r}", hint="it is not that of its content")
    return receipt


def objection(desk: Desk, receipt: Receipt, line: Line | None) -> str:
    """Returns why the node does not sign a receipt, or ""; `line` is what its daybook has of that request."""
    if not signed_by(desk.gateway, receipt.hash, receipt.signature):
        return "it is not signed with the key that this gateway had at first"
    if receipt.provider != desk.provider:
        return "it is another provider's"
    if line is None:
        return "that request was not served here"
    offer = desk.offers.get(receipt.model)
    if receipt.model != line.model or offer is None:
        return f"the model was {line.model}"
    if receipt.price != offer.price:
        return "that is not the price that was offered"
    return _short(desk, receipt, line)


def _short(desk: Desk, receipt: Receipt, line: Line) -> str:
    """Returns how an answer that was delivered is paid too little, or ""."""
    if line.end != "done" or line.status != 200:
        return ""
    if receipt.end not in PAID:
        return f"the answer was delivered to its end, not {receipt.end.value}"
    if receipt.earned * WHOLE < line.worth * desk.share_bps and receipt.end.value == line.end:
        return f"it pays {receipt.earned} for an answer worth {line.worth}"
    return ""


class Folder:
    """The files: receipts with the node's word below them, and the key that each gateway had at first."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._receipts, self._pins = folder / "receipts.jsonl", folder / "gateways.json"

    def keep(self, receipt: Receipt, said: Mapping[str, Json], *, countersigned: str, objection: str) -> None:
        """Adds a receipt as the gateway sent it, with the node's signature or its objection: a line for each, which
        `mercato compute receipt verify` reads."""
        ours = {"hash": receipt.hash, "signature": receipt.signature, "countersigned": countersigned}
        with self._receipts.open("a", encoding="utf-8") as file:
            file.write(json.dumps({**said, **ours, "objection": objection}, separators=(",", ":")) + "\n")

    def signed(self, requests: Container[str]) -> dict[str, str]:
        """Returns the hash of the receipt that was signed for each of these requests."""
        found: dict[str, str] = {}
        if self._receipts.exists():
            with self._receipts.open(encoding="utf-8", errors="replace") as file:
                for line in file:
                    with suppress(ValueError, KeyError, TypeError):  # a line that was cut off says nothing
                        one = json.loads(line)
                        if one["request"] in requests and one["countersigned"]:
                            found[one["request"]] = one["hash"]
        return found

    def pin(self, gateway: str, key: str) -> str:
        """Returns the key that a gateway showed at first, which is this one where it is seen for the first time."""
        try:
            pins = json.loads(self._pins.read_text(encoding="utf-8")) if self._pins.exists() else {}
        except ValueError:
            raise ConfigError(f"{str(self._pins)!r} was no JSON", hint="correct it, or remove it") from None
        if gateway not in pins and key:
            part = self._pins.with_suffix(".part")
            part.write_text(json.dumps(pins | {gateway: key}, indent=1), encoding="utf-8")
            part.replace(self._pins)
        return str(pins.get(gateway, key))


def word(key: NodeKey, desk: Desk, receipt: Receipt, line: Line | None, before: str = "") -> tuple[str, str]:
    """Returns the node's signature below a receipt and "", or "" and its objection. `before` is the hash of what it
    signed for that request already: two different ones would cost it its stake."""
    why = objection(desk, receipt, line)
    if not why and before not in ("", receipt.hash):
        why = "another receipt of that request was signed"
    return ("", why) if why else (key.signer().sign(receipt.hash), "")
