"""Signatures of answers by the key of an enclave: fetched for answers that are audited, and held against what passed.

    GET …/signature/ID?model=NAME&signing_algo=ecdsa
    {"text": "HASH-OF-REQUEST:HASH-OF-ANSWER", "signature": "0x…", "signing_address": "0x…", "signing_algo": "ecdsa"}

`text` may have the model's name before the hashes. The signature is a wallet's over a message (EIP-191), or Ed25519's.
What the signature was made with is recovered from it; the address beside it is not believed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from mercato.compute.errors import Unproven, Unreached
from mercato.compute.gateway.line import Line, Patience, whole
from mercato.compute.gateway.sealing import Seal
from mercato.compute.model import ProviderId, Receipt
from mercato.compute.tee import findings
from mercato.compute.tee.words import Level, Signer
from mercato.compute.verify.match import Cut
from mercato.core.events import Json
from mercato.store.bare import Bare

PATIENCE = Patience(connect=5, first=15, idle=10, total=30)
MOST = 64 * 1024  # octets of a signature's answer
KEPT = timedelta(minutes=10)  # engines keep signatures for a while only: one that is missing later says nothing
KEYS = timedelta(days=1)  # for which a key that was proven may have signed


@dataclass(frozen=True, slots=True)
class Signed:
    """Whether an answer was signed by the enclave that its provider claims, and if not, why not. A signature `proves`
    the model only where the enclave's software is known."""

    wrong: str = ""
    proves: bool = True

    method = "signature"

    @property
    def tells(self) -> bool:
        """Whether it says something of the answer."""
        return bool(self.wrong) or self.proves

    @property
    def hopeless(self) -> bool:
        """Whether it is beyond what noise of any hardware does."""
        return bool(self.wrong)

    def fails(self, cut: Cut) -> bool:
        """Whether the signature is wrong."""
        return bool(self.wrong)

    def body(self) -> dict[str, Json]:
        """Returns what an audit keeps of it."""
        return {"signature": self.wrong or "right"}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a provider's signatures are: the path, its algorithm, and its names of our models."""

    path: str
    algorithm: str
    models: Mapping[str, str]


class Signatures:
    """Fetches signatures of providers; `line` knows the way to each. `places` are of those that the settings name, None
    for one that signs nothing; `others` is that of all nodes, None where they are not asked."""

    def __init__(
        self, line: Callable[[ProviderId], Line | None], places: Mapping[ProviderId, Place | None],
        others: Place | None = None,
    ) -> None:  # fmt: skip
        self._line, self._places, self._others = line, dict(places), others

    def of(self, provider: ProviderId) -> Place | None:
        """Returns where a provider's signatures are, None where it signs nothing."""
        return self._places.get(provider, self._others)

    @property
    def wanted(self) -> bool:
        """Whether anybody's signatures are asked for."""
        return self._others is not None or any(self._places.values())

    async def fetched(self, seal: Seal, receipt: Receipt) -> Signer | None:
        """Returns who signed an answer, None where there is no signature of it; Unproven where what was signed is
        another answer, or nobody signed it, Unreached where the provider cannot be asked."""
        if not seal.id:
            raise Unproven("answer had no id to ask for its signature by")
        place, line = self.of(receipt.provider), self._line(receipt.provider)
        if line is None or place is None:
            raise Unreached("left", "provider is not here")
        name = quote(place.models.get(receipt.model, receipt.model), safe="")
        path = f"{place.path}/{quote(seal.id, safe='')}?model={name}&signing_algo={place.algorithm}"
        status, raw = await _read(line, path)
        if status >= 500 or status == 429:
            raise Unreached(str(status), f"provider answered with status {status} where its signature is")
        return _signer(raw, seal, place.algorithm) if status == 200 else None


def judged(bare: Bare, signer: Signer, receipt: Receipt) -> Signed | None:
    """Returns whether a key is one that the provider's machine proved; None where the next check has to tell: an
    enclave that starts anew has a new key."""
    known = findings.since(bare, (receipt.provider, receipt.model), receipt.at - KEYS)
    proved = [it for it in known if signer in it.signers]
    if proved:
        return Signed(proves=proved[0].level is Level.ATTESTED)
    if any(it.at > receipt.at and it.level is not Level.NOTHING for it in known):
        return Signed(f"answer was signed by {signer.name}, which no machine of the provider has proven to hold")
    return None


async def _read(line: Line, path: str) -> tuple[int, bytes]:
    reply = await line.open(path, b"", {"accept": "application/json"}, deadline=PATIENCE)
    return reply.status, await whole(reply, MOST, Unproven(f"signature came with more than {MOST} octets"))


def _signer(raw: bytes, seal: Seal, algorithm: str) -> Signer:
    try:
        body: dict[str, Any] = json.loads(raw)
        text, signature = str(body["text"]), bytes.fromhex(str(body["signature"]).removeprefix("0x"))
        address = bytes.fromhex(str(body["signing_address"]).removeprefix("0x"))
    except (ValueError, KeyError, TypeError, RecursionError):
        raise Unproven(f"signature was {raw[:40]!r}", hint="expected text, signature and signing_address") from None
    if [part.lower() for part in text.split(":")[-2:]] != [seal.asked, seal.answered]:
        raise Unproven("signature was of another question or answer", hint="its hashes are not those of what passed")
    if algorithm == "ed25519":
        return _ed25519(text, signature, address)
    return _ecdsa(text, signature)


def _ed25519(text: str, signature: bytes, key: bytes) -> Signer:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, text.encode())
    except (InvalidSignature, ValueError):
        raise Unproven("signature was not made by the key that it names") from None
    return Signer("ed25519", key)


def _ecdsa(text: str, signature: bytes) -> Signer:
    from mercato.chains.errors import BadCall
    from mercato.chains.signing import personal, signed_by

    try:
        return Signer("ecdsa", bytes.fromhex(signed_by(personal(text.encode()), signature)[2:]))
    except BadCall:
        raise Unproven("signature was nobody's") from None
