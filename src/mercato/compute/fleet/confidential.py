"""A stub provider in a trusted machine, as it says, of a made-up maker, and a server of that maker's collateral.

Its report and its signatures have the shape that Phala, RedPill and NEAR AI publish; what it signs is simulated.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any
from urllib.parse import quote

from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from mercato.chains.signing import Key, personal
from mercato.compute.fleet.behaviour import Manner
from mercato.compute.fleet.stub import Stub
from mercato.compute.tee.testing import Machine, Maker

Report = dict[str, Any]


class Confidential(Stub):
    """A stub in a machine of `maker`. `tamper` changes a report before it is sent; `odd` answers in its place. `signs`
    says what it signs: `right`, `other` hashes than those of the answer, with a `strange` key, or `nothing`."""

    def __init__(
        self, maker: Maker, machine: Machine | None = None, *, manner: Manner | None = None,
        models: Sequence[str] = ("toy",), algorithm: str = "ecdsa", signs: str = "right",
        tamper: Callable[[Report], Report] = lambda report: report,
    ) -> None:  # fmt: skip
        super().__init__(manner or Manner(), models)
        self.maker, self.machine, self.algorithm, self.signs = maker, machine or Machine(), algorithm, signs
        self.tamper, self.odd, self.pause = tamper, list[web.Response](), 0.0
        self.nonces: list[str] = []
        self._wallet, self._stranger, self._own = Key.new(), Key.new(), Ed25519PrivateKey.generate()
        self._sealed: dict[str, str] = {}

    @property
    def signer(self) -> bytes:
        """Returns the key that it signs with: an address, or an Ed25519 key."""
        if self.algorithm == "ecdsa":
            return bytes.fromhex(self._wallet.address[2:])
        return self._own.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    def _routes(self, app: web.Application) -> None:
        super()._routes(app)
        app.router.add_get("/v1/attestation/report", self._report)
        app.router.add_get("/v1/signature/{id}", self._signature)

    async def _report(self, request: web.Request) -> web.StreamResponse:
        nonce = request.query["nonce"]
        self.nonces.append(nonce)
        await asyncio.sleep(self.pause)
        if self.odd:
            return self.odd.pop()
        data = self.signer.ljust(32, b"\0") + bytes.fromhex(nonce)
        gpu = {"nonce": nonce, "arch": "HOPPER", "evidence_list": [{"certificate": "", "evidence": ""}]}
        report = {
            "signing_address": self.signer.hex(), "signing_algo": self.algorithm, "request_nonce": nonce,
            "intel_quote": self.maker.quote(self.machine, data).hex(), "nvidia_payload": json.dumps(gpu),
        }  # fmt: skip
        return web.json_response(self.tamper(report))

    async def _signature(self, request: web.Request) -> web.StreamResponse:
        text = self._sealed.get(request.match_info["id"])
        if text is None or self.signs == "nothing":
            return web.json_response({"error": "signature was not found"}, status=404)
        if self.signs == "other":
            text = f"{text.partition(':')[0]}:{sha256(b'another answer').hexdigest()}"
        said = {"text": text, "signing_address": self.signer.hex(), "signing_algo": self.algorithm}
        return web.json_response(said | {"signature": self._signed(text.encode())})

    def _signed(self, text: bytes) -> str:
        if self.algorithm == "ed25519":
            return self._own.sign(text).hex()
        key = self._stranger if self.signs == "strange" else self._wallet
        return "0x" + key.digest(personal(text)).hex()

    async def _whole(self, request: web.Request, body: bytes, shows: bool) -> web.StreamResponse:
        await self._seal(request, json.loads(body)["id"], body)
        return await super()._whole(request, body, shows)

    async def _streamed(
        self, request: web.Request, events: Iterable[dict[str, Any]], shows: bool
    ) -> web.StreamResponse:
        found = list(events)
        lines = [json.dumps(it, ensure_ascii=False, separators=(",", ":")).encode() for it in found]
        body = b"".join(b"data: " + line + b"\n\n" for line in [*lines, b"[DONE]"])
        await self._seal(request, found[0]["id"], body)
        return await super()._streamed(request, found, shows)

    async def _seal(self, request: web.Request, id: str, body: bytes) -> None:
        """Notes what is signed of an answer: the hashes of what came and of what goes."""
        self._sealed[id] = f"{sha256(await request.read()).hexdigest()}:{sha256(body).hexdigest()}"


class Vault(Stub):
    """A server of collateral, as a PCCS: `tamper` changes what vouches, `asked_for` are the paths that were read."""

    def __init__(self, maker: Maker) -> None:
        super().__init__(Manner())
        self.maker = maker
        self.status = 200
        self.asked_for: list[str] = []

    def _routes(self, app: web.Application) -> None:
        app.router.add_get("/v1/{tail:.*}", self._say)

    async def _say(self, request: web.Request) -> web.StreamResponse:
        self.asked_for.append(request.path)
        if self.status != 200:
            return web.Response(status=self.status)
        held = json.loads(self.maker.collateral())
        name = request.path.rsplit("/", 1)[-1]
        if name == "rootcacrl":
            return web.Response(text=held["root_ca_crl"])
        if name == "pckcrl":
            headers = _chain("SGX-PCK-CRL-Issuer-Chain", held["pck_crl_issuer_chain"])
            return web.Response(body=bytes.fromhex(held["pck_crl"]), headers=headers)
        if name == "tcb":
            headers = _chain("TCB-Info-Issuer-Chain", held["tcb_info_issuer_chain"])
            return _document("tcbInfo", held["tcb_info"], held["tcb_info_signature"], headers)
        headers = _chain("SGX-Enclave-Identity-Issuer-Chain", held["qe_identity_issuer_chain"])
        return _document("enclaveIdentity", held["qe_identity"], held["qe_identity_signature"], headers)


def _document(name: str, text: str, signature: str, headers: Mapping[str, str]) -> web.Response:
    body = f'{{"{name}": {text}, "signature": "{signature}"}}'
    return web.Response(text=body, headers=headers, content_type="application/json")


def _chain(name: str, pem: str) -> Mapping[str, str]:
    return {name: quote(pem)}
