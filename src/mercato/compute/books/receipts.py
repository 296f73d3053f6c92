"""Receipts: one spelling, one chain of hashes for each lane, the gateway's signature, and a Merkle root for each epoch.

Who holds a receipt can check it without us: `hashed` gives its hash, which `signature` signs; the next receipt names
it; and `opening` proves that the epoch's root, which is published, counts it. Trees are those of RFC 9162, section 2.1.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from mercato.compute.model import End, KeyId, Price, ProviderId, Receipt, RequestId, Usage, canonical
from mercato.core.errors import InvalidInput
from mercato.core.events import Json
from mercato.core.money import UP

START = "0" * 64
SETTLED = "settled"
_SAYS = b"mercato compute receipt "


def body(receipt: Receipt) -> dict[str, Json]:
    """Returns what is hashed: all of a receipt but its hash and signatures, which come after it."""
    price: dict[str, Json] = {"prompt": receipt.price.prompt, "completion": receipt.price.completion}
    return {
        "kind": SETTLED, "request": receipt.request, "lane": receipt.lane, "seq": receipt.seq,
        "at": receipt.at.isoformat(timespec="microseconds"), "key": receipt.key, "provider": receipt.provider,
        "model": receipt.model, "end": receipt.end.value, "asked": receipt.asked, "answered": receipt.answered,
        "claimed": receipt.claimed.body(), "counted": receipt.counted.body(),
        "price": price | {"cached": receipt.price.cached}, "charged": receipt.charged, "earned": receipt.earned,
        "previous": receipt.previous,
    }  # fmt: skip


def shown(receipt: Receipt) -> dict[str, Json]:
    """Returns a receipt as a document: what is hashed, its hash, and the signatures below."""
    below: dict[str, Json] = {
        "hash": receipt.hash, "signature": receipt.signature, "countersigned": receipt.countersigned,
    }  # fmt: skip
    return body(receipt) | below


def receipt_of(found: Mapping[str, Any], hash: str = "", signature: str = "", countersigned: str = "") -> Receipt:
    """Returns the receipt of a body; InvalidInput where it is none."""
    try:
        return Receipt(
            request=RequestId(found["request"]), lane=found["lane"], seq=found["seq"],
            at=datetime.fromisoformat(found["at"]), key=KeyId(found["key"]), provider=ProviderId(found["provider"]),
            model=found["model"], end=End(found["end"]), asked=found["asked"], answered=found["answered"],
            claimed=Usage(**found["claimed"]), counted=Usage(**found["counted"]), price=Price(**found["price"]),
            charged=found["charged"], earned=found["earned"], previous=found["previous"], hash=hash,
            signature=signature, countersigned=countersigned,
        )  # fmt: skip
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidInput(f"receipt was not one: {error!r:.120}", hint="give it as the gateway gave it") from None


def hashed(receipt: Receipt) -> str:
    """Returns the hash that a receipt should have, as hexadecimal text."""
    return digest(canonical(body(receipt)))


def digest(data: bytes) -> str:
    """Returns SHA-256 as hexadecimal text."""
    return hashlib.sha256(data).hexdigest()


class Signer:
    """Signs by Ed25519 (RFC 8032). `seed` is 32 bytes, which are not kept; `public` is the key that checks."""

    def __init__(self, seed: bytes) -> None:
        try:
            self._key = Ed25519PrivateKey.from_private_bytes(seed)
        except ValueError:
            raise InvalidInput(f"signing key was {len(seed)} bytes long", hint="it is 32 bytes") from None
        self.public = self._key.public_key().public_bytes_raw().hex()

    @classmethod
    def fresh(cls) -> Signer:
        """Returns a signer with a key that nobody else has."""
        return cls(Ed25519PrivateKey.generate().private_bytes_raw())

    def sign(self, hash: str) -> str:
        """Returns the signature of a receipt's hash as hexadecimal text."""
        return self._key.sign(_SAYS + hash.encode()).hex()


def signed_by(public: str, hash: str, signature: str) -> bool:
    """Returns whether a signature is that of a public key over a receipt's hash."""
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(public)).verify(
            bytes.fromhex(signature), _SAYS + hash.encode()
        )
    except (InvalidSignature, ValueError):
        return False
    return True


def faults(receipt: Receipt, public: str, provider: str = "") -> list[str]:
    """Returns what is wrong with a receipt, nothing where it is sound. `provider` is the public key of who served; its
    signature is not looked at without."""
    found = []
    if hashed(receipt) != receipt.hash:
        found.append("its hash is not that of its content")
    if not signed_by(public, receipt.hash, receipt.signature):
        found.append("the gateway's signature does not fit")
    if receipt.countersigned and provider and not signed_by(provider, receipt.hash, receipt.countersigned):
        found.append("the provider's signature does not fit")
    found += [] if fair(receipt) else ["it charges more than both counts allow"]
    return found


def fair(receipt: Receipt) -> bool:
    """Returns whether nobody is charged, or paid, for more than either count of tokens."""
    most = min(receipt.price.of(usage, round=UP) for usage in (receipt.claimed, receipt.counted))
    return 0 <= receipt.earned <= receipt.charged <= most


def countersigned(receipt: Receipt, public: str, signature: str) -> Receipt:
    """Returns the receipt with its provider's signature; InvalidInput where that does not fit."""
    if not signed_by(public, receipt.hash, signature):
        raise InvalidInput("countersignature does not fit", hint="sign the receipt's hash with the provider's key")
    return replace(receipt, countersigned=signature)


def root(hashes: Sequence[str]) -> str:
    """Returns the Merkle root of receipts' hashes in their order."""
    return _root([_leaf(item) for item in hashes]).hex()


def opening(hashes: Sequence[str], index: int) -> list[str]:
    """Returns what proves that the hash at `index` is among those of a root: siblings from the leaf upwards."""
    return [item.hex() for item in _path([_leaf(item) for item in hashes], index)]


def opens(root: str, hash: str, index: int, count: int, path: Sequence[str]) -> bool:
    """Returns whether `path` proves that `hash` is the one at `index` of `count` below a root."""
    if not 0 <= index < count:
        return False
    made, at, last = _leaf(hash), index, count - 1
    for sibling in path:
        if not last:
            return False
        if at & 1 or at == last:
            made = _node(bytes.fromhex(sibling), made)
            while at and not at & 1:  # a subtree without a right sibling is carried up as it is
                at, last = at >> 1, last >> 1
        else:
            made = _node(made, bytes.fromhex(sibling))
        at, last = at >> 1, last >> 1
    return not last and made.hex() == root


def _leaf(hash: str) -> bytes:
    return hashlib.sha256(b"\x00" + bytes.fromhex(hash)).digest()


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def _split(count: int) -> int:
    return 1 << (count - 1).bit_length() - 1


def _root(leaves: Sequence[bytes]) -> bytes:
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    middle = _split(len(leaves))
    return _node(_root(leaves[:middle]), _root(leaves[middle:]))


def _path(leaves: Sequence[bytes], index: int) -> list[bytes]:
    if len(leaves) <= 1:
        return []
    middle = _split(len(leaves))
    if index < middle:
        return [*_path(leaves[:middle], index), _root(leaves[middle:])]
    return [*_path(leaves[middle:], index - middle), _root(leaves[:middle])]
