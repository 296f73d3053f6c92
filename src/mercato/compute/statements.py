"""What a key signed, as documents that anyone can check, and when two of them cannot both be true.

| two documents of one key | contradict each other where |
|---|---|
| receipts of one request, both signed | they are not the same |
| roots of one epoch | they are not the same |
| an epoch's root, and the opening of a receipt in it | the opening does not lead to the root |
| a document of offers, and an attestation that names it | the weights, tokenizer or template of a model are others |

Nothing else takes a stake, and none of these is a matter of chance: whoever holds both documents sees it. Receipts,
roots and openings are signed by the SHA-256 of their canonical JSON; offers and attestations are a node's own words.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mercato.compute.books.epochs import Epoch, Proof
from mercato.compute.books.receipts import SETTLED, Signer, digest, hashed, opens, receipt_of, signed_by
from mercato.compute.model import Receipt, canonical
from mercato.compute.node import attesting, offers
from mercato.compute.node.keyfile import verifies
from mercato.core.errors import MercatoError
from mercato.core.events import Json

ROOT, OPENING = "root", "opening"
Document = Mapping[str, Any]


def of_root(epoch: Epoch, signer: Signer) -> dict[str, Json]:
    """Returns an epoch's root as its gateway signs it."""
    return _signed({"kind": ROOT, "epoch": epoch.number, "root": epoch.root, "receipts": epoch.receipts}, signer)


def of_opening(proof: Proof, receipt: Receipt, signer: Signer) -> dict[str, Json]:
    """Returns as its gateway signs it that a receipt is in an epoch, and where."""
    path: list[Json] = [*proof.path]
    body: dict[str, Json] = {"kind": OPENING, "epoch": proof.epoch.number, "hash": receipt.hash, "index": proof.index}
    return _signed(body | {"path": path}, signer)


def signed(document: Document, key: str) -> bool:
    """Returns whether a document of any kind is signed by a key; False for what is none."""
    try:
        kind = document.get("kind")
        if kind == SETTLED:
            receipt = receipt_of(document, document["hash"])
            names = (document.get(name, "") for name in ("signature", "countersigned"))
            return hashed(receipt) == receipt.hash and any(signed_by(key, receipt.hash, it) for it in names)
        body = {name: value for name, value in document.items() if name != "signature"}
        if kind in (ROOT, OPENING):
            return signed_by(key, digest(canonical(body)), document["signature"])
        own = kind in (offers.PURPOSE, attesting.PURPOSE) and document["key"] == key
        return own and verifies(key, str(kind), canonical(body), document["signature"])
    except (MercatoError, KeyError, TypeError, ValueError):
        return False


def contradiction(first: Document, second: Document, key: str) -> str:
    """Returns why two documents that a key signed cannot both be true, or "": in either order, whatever they hold."""
    if not (signed(first, key) and signed(second, key)):
        return ""
    for one, other in ((first, second), (second, first)):
        rule = _RULES.get((str(one.get("kind")), str(other.get("kind"))))
        try:
            if rule and (why := rule(one, other)):
                return why
        except (KeyError, TypeError, ValueError, AttributeError):
            continue  # signed, and yet not what its kind says: no statement
    return ""


def subject(first: Document) -> str:
    """Returns what a document is about, the same for all that could contradict it: a request, an epoch, an offer."""
    kind = first.get("kind")
    if kind == SETTLED:
        return str(first["request"])
    if kind in (ROOT, OPENING):
        return f"epoch-{first['epoch']}"
    return f"offers-{first['signature' if kind == offers.PURPOSE else 'offers']}"[:40]


def _receipts(one: Document, other: Document) -> str:
    same = one["request"] == other["request"] and one["hash"] != other["hash"]
    return f"it signed two receipts for {one['request']}" if same else ""


def _roots(one: Document, other: Document) -> str:
    pairs = [(it["root"], it["receipts"]) for it in (one, other)]
    return (
        f"it signed two roots of epoch {one['epoch']}" if one["epoch"] == other["epoch"] and len({*pairs}) > 1 else ""
    )


def _openings(root: Document, opening: Document) -> str:
    if root["epoch"] != opening["epoch"]:
        return ""
    path: Sequence[str] = opening["path"]
    try:
        sound = opens(root["root"], opening["hash"], opening["index"], root["receipts"], path)
    except (ValueError, TypeError):
        sound = False  # what is no path leads nowhere
    return "" if sound else f"it signed an opening that does not lead to its root of epoch {root['epoch']}"


def _parts(offered: Document, attested: Document) -> str:
    if attested["offers"] != offered["signature"]:
        return ""
    wrong = attesting.other(offered, attesting.by_model(attested))
    return f"it attested other {wrong} than it offered" if wrong else ""


_RULES: Mapping[tuple[str, str], Callable[[Document, Document], str]] = {
    (SETTLED, SETTLED): _receipts, (ROOT, ROOT): _roots, (ROOT, OPENING): _openings,
    (offers.PURPOSE, attesting.PURPOSE): _parts,
}  # fmt: skip


def _signed(body: Mapping[str, Json], signer: Signer) -> dict[str, Json]:
    return {**body, "signature": signer.sign(digest(canonical(body)))}
