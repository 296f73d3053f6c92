"""Collateral: what vouches for a platform, signed by Intel, from a PCCS, or from files where there is no network.

The server speaks the interface that Intel's "Provisioning Certificate Caching Service" has, version 4. Every document
is signed and dated by Intel, so the server need not be trusted; what it says is bounded all the same.
"""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from mercato.compute.errors import Unproven, Unreached
from mercato.compute.gateway.line import Line, Patience, whole
from mercato.compute.tee import quote

PATIENCE = Patience(connect=5, first=15, idle=10, total=30)
MOST = 1 << 20  # octets of one document
CRL, TCB, IDENTITY = "SGX-PCK-CRL-Issuer-Chain", "TCB-Info-Issuer-Chain", "SGX-Enclave-Identity-Issuer-Chain"


@dataclass(frozen=True, slots=True)
class Said:
    """A document: its octets, and who issued the certificate that signed it, as PEM."""

    raw: bytes
    chain: str


class Collateral:
    """Collateral by platform. Without a `server`, only files of the folder are read; with one, what it said last is
    kept there, for the time that it cannot be reached. `root` is where Intel's own list of what is revoked lies."""

    def __init__(self, folder: Path, server: Line | None = None, root: Line | None = None) -> None:
        self._folder, self._server, self._root = folder, server, root
        self._known: dict[str, str] = {}

    async def of(self, raw: bytes) -> str:
        """Returns what vouches for the platform of a quote, as JSON; Unproven where there is nothing, Unreached where
        the server cannot be asked and no file is there. Asks once for each platform."""
        fmspc, authority = quote.platform(raw)
        name = f"{fmspc}-{authority}"
        if name not in self._known:
            self._known[name] = await self._found(self._folder / f"{name}.json", fmspc, authority)
        return self._known[name]

    async def _found(self, path: Path, fmspc: str, authority: str) -> str:
        if self._server is None:
            if not path.is_file():
                hint = f"set compute.tee.pccs, or put a file at {path}"
                raise Unproven(f"nothing vouches for platform {fmspc!r} here", hint=hint)
            return path.read_text()
        try:
            text = await self._fetched(self._server, fmspc, authority)
        except Unreached:
            if not path.is_file():
                raise
            return path.read_text()
        _keep(path, text)
        return text

    async def _fetched(self, server: Line, fmspc: str, authority: str) -> str:
        crl = await _get(server, f"/sgx/certification/v4/pckcrl?ca={authority}&encoding=der", CRL)
        tcb = await _get(server, f"/tdx/certification/v4/tcb?fmspc={fmspc}", TCB)
        identity = await _get(server, "/tdx/certification/v4/qe/identity", IDENTITY)
        revoked = _binary((await self._revoked(server)).raw)
        info, signed = _split(tcb.raw, "tcbInfo")
        own, vouched = _split(identity.raw, "enclaveIdentity")
        found = {
            "pck_crl_issuer_chain": crl.chain, "root_ca_crl": revoked.hex(), "pck_crl": _binary(crl.raw).hex(),
            "tcb_info_issuer_chain": tcb.chain, "tcb_info": info, "tcb_info_signature": signed,
            "qe_identity_issuer_chain": identity.chain, "qe_identity": own, "qe_identity_signature": vouched,
        }  # fmt: skip
        return json.dumps(found)

    async def _revoked(self, server: Line) -> Said:
        """Returns the root's list: a PCCS has it, Intel's own server leaves it where its certificate says."""
        try:
            return await _get(server, "/sgx/certification/v4/rootcacrl")
        except Unproven:
            if self._root is None:
                raise
            return await _get(self._root, "")


async def _get(line: Line, path: str, chain: str = "") -> Said:
    """Returns a document; Unproven where there is none, Unreached where the server did not answer in its bounds."""
    reply = await line.open(path, b"", {"accept": "*/*"}, deadline=PATIENCE)
    raw = await whole(reply, MOST, Unreached("size", f"collateral had more than {MOST} octets"))
    if reply.status >= 500 or reply.status == 429:
        raise Unreached(str(reply.status), f"server of collateral answered with status {reply.status}")
    issuer = unquote(reply.headers.get(chain.lower(), reply.headers.get(f"sgx-{chain.lower()}", "")))
    if reply.status != 200 or (chain and not issuer):
        raise Unproven(f"server of collateral answered with status {reply.status}", hint=f"asked for {path[:120]}")
    return Said(raw, issuer)


def _split(raw: bytes, name: str) -> tuple[str, str]:
    """Returns the signed member of a document as it was written, for its signature is over these very letters, and the
    signature."""
    try:
        text = raw.decode()
        signature = str(json.loads(text)["signature"])
        start = text.index(":", text.index(f'"{name}"')) + 1
        start += len(text[start:]) - len(text[start:].lstrip())
        _, end = json.JSONDecoder().raw_decode(text, start)
    except (ValueError, KeyError, TypeError, RecursionError):
        raise Unproven(f"collateral was {raw[:40]!r}", hint=f"expected {name} and its signature as JSON") from None
    return text[start:end], signature


def _binary(raw: bytes) -> bytes:
    """Returns a list of what is revoked as DER; some servers write it as hexadecimal."""
    try:
        return bytes.fromhex(raw.decode())
    except ValueError:
        return raw


def _keep(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}.part")
    part.write_text(text)
    part.replace(path)
