"""The report that a confidential endpoint gives of itself, as Phala, RedPill and NEAR AI serve it.

    GET …/attestation/report?model=NAME&nonce=64-HEX&signing_algo=ecdsa
    {"signing_address": "0x…", "signing_algo": "ecdsa", "request_nonce": "…", "intel_quote": "…",
     "nvidia_payload": "{\\"nonce\\": …, \\"arch\\": …, \\"evidence_list\\": […]}", …}

Where several machines serve a model, they stand in `all_attestations` or `model_attestations`. A quote's 64 octets of
data are the signing key, filled up to 32 with zeros, and the nonce. What else is in a report is not read.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from urllib.parse import quote as quoted

from mercato.compute.errors import Unproven
from mercato.compute.tee.quote import MOST_QUOTE
from mercato.compute.tee.words import NONCE, Measured, Signer

PATH = "/attestation/report"
MOST = 8 << 20  # octets of a report: event logs and evidence of eight accelerators are most of it
MOST_MACHINES = 32
KEYS = {"ecdsa": 20, "ed25519": 32}  # octets
LISTS = ("all_attestations", "model_attestations")


@dataclass(frozen=True, slots=True)
class Claim:
    """What one machine shows: its quote, the key that it says it signs with, and evidence of its accelerators."""

    quote: bytes
    signer: Signer
    gpu: Mapping[str, Any] | None

    def gpu_hash(self) -> str:
        """Returns the SHA-256 of the evidence of accelerators, "" where there is none."""
        return sha256(json.dumps(self.gpu, sort_keys=True).encode()).hexdigest() if self.gpu is not None else ""


def address(path: str, model: str, nonce: bytes, algorithm: str) -> str:
    """Returns what to ask for, below an endpoint's own address."""
    return f"{path}?model={quoted(model, safe='')}&nonce={nonce.hex()}&signing_algo={algorithm}"


def read(raw: bytes, algorithm: str) -> list[Claim]:
    """Returns what each machine shows; Unproven where it is no such report, or a machine signs by another algorithm."""
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        raise Unproven(f"report was {raw[:40]!r}", hint="expected JSON") from None
    if not isinstance(body, dict):
        raise Unproven(f"report was a {type(body).__name__}", hint="expected an object")
    several = next((body[name] for name in LISTS if body.get(name)), [body])
    if not isinstance(several, list) or len(several) > MOST_MACHINES or not all(isinstance(it, dict) for it in several):
        raise Unproven("report's list of machines was none", hint=f"expected 1 to {MOST_MACHINES} objects")
    return [_claim(one, algorithm) for one in several]


def _claim(body: Mapping[str, Any], algorithm: str) -> Claim:
    said = str(body.get("signing_algo", algorithm)).lower()
    if said != algorithm:
        raise Unproven(f"machine signed by {said!r:.40}", hint=f"the settings say {algorithm}")
    signer = Signer(algorithm, _octets(body, "signing_address", KEYS[algorithm], KEYS[algorithm]))
    return Claim(_octets(body, "intel_quote", 1, MOST_QUOTE), signer, _gpu(body.get("nvidia_payload")))


def _octets(body: Mapping[str, Any], name: str, least: int, most: int) -> bytes:
    value = body.get(name)
    try:
        found = bytes.fromhex(value.removeprefix("0x")) if isinstance(value, str) else b""
    except ValueError:
        found = b""
    if not least <= len(found) <= most:
        raise Unproven(f"report's {name} was {value!r:.60}", hint=f"expected {least} to {most} octets as hexadecimal")
    return found


def _gpu(value: Any) -> Mapping[str, Any] | None:
    if isinstance(value, str) and value:
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            raise Unproven("report's nvidia_payload was no JSON", hint="expected an object with nonce") from None
    return value if isinstance(value, dict) else None


def unbound(found: Measured, claim: Claim, nonce: bytes) -> str:
    """Returns what keeps a quote from being this machine's answer to this nonce, "" for nothing."""
    if len(nonce) != NONCE or found.data[NONCE:] != nonce:
        return "quote was not made for our nonce: an old one may have been shown again"
    if found.data[:NONCE] != claim.signer.key.ljust(NONCE, b"\0"):
        return f"quote was made for another key than {claim.signer.name}"
    if claim.gpu is not None and str(claim.gpu.get("nonce", "")).lower() != nonce.hex():
        return "evidence of the accelerators was not made for our nonce"
    return ""
