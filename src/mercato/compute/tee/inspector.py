"""The inspector: asks a machine to prove itself with a nonce of ours, and says what was proven."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from mercato.compute.errors import Unproven
from mercato.compute.gateway.line import Line, Patience
from mercato.compute.model import ProviderId
from mercato.compute.tee import quote, report
from mercato.compute.tee.asking import PATIENCE, fetched
from mercato.compute.tee.collateral import Collateral
from mercato.compute.tee.report import Claim
from mercato.compute.tee.words import NONCE, Finding, Level, Measured, Policy, Software
from mercato.core.clock import Clock
from mercato.core.errors import MercatoError


@dataclass(frozen=True, slots=True)
class Place:
    """Whom to ask about which model, and where: `upstream` is the model's name there, `path` that of its report. A node
    has no line here: a courier asks it."""

    provider: ProviderId
    model: str
    upstream: str
    line: Line | None = None
    path: str = report.PATH
    algorithm: str = "ecdsa"
    software: frozenset[str] = frozenset()


class Inspector:
    """Checks places by a policy. `hold` is for how long what was found is taken, `root` as in `quote.measured`."""

    def __init__(
        self, collateral: Collateral, policy: Policy, clock: Clock, hold: timedelta, *, root: bytes | None = None,
        entropy: Callable[[int], bytes] = secrets.token_bytes, patience: Patience = PATIENCE,
    ) -> None:  # fmt: skip
        self._collateral, self._policy, self._clock, self._hold = collateral, policy, clock, hold
        self._root, self._entropy, self._patience = root, entropy, patience

    async def look(self, place: Place) -> Finding:
        """Returns what a place proves; Unreached where it, or who vouches for its platform, could not be asked."""
        nonce = self.nonce()
        assert place.line is not None, "nodes are asked by a courier"
        path = report.address(place.path, place.upstream, nonce, place.algorithm)
        try:
            status, raw = await fetched(place.line, path, self._patience)
            if status != 200:
                raise Unproven(f"provider answered with status {status}, not with a report")
        except Unproven as wrong:
            return self._finding(place, nonce, Level.NOTHING, wrong.message)
        return await self.judge(place, nonce, raw)

    def nonce(self) -> bytes:
        """Returns a fresh nonce."""
        return self._entropy(NONCE)

    async def judge(self, place: Place, nonce: bytes, raw: bytes) -> Finding:
        """Returns what a report proves that was made for a nonce; Unreached where nobody can be asked who vouches."""
        try:
            return await self._judged(place, nonce, report.read(raw, place.algorithm))
        except Unproven as wrong:
            return self._finding(place, nonce, Level.NOTHING, wrong.message)

    async def _judged(self, place: Place, nonce: bytes, claims: Sequence[Claim]) -> Finding:
        """Returns what some machines prove together: the least that any of them does, as any may answer."""
        collateral: dict[str, str] = {}
        shown: list[object] = []
        proven: list[Measured] = []
        why = ""
        for claim in claims:
            found = await self._collateral.of(claim.quote)
            collateral[":".join(quote.platform(claim.quote))] = found
            shown.append({"quote": claim.quote.hex(), "signer": claim.signer.name, "gpu_sha256": claim.gpu_hash()})
            try:
                measured = quote.measured(claim.quote, found, self._clock.now(), root=self._root)
            except Unproven as wrong:
                why = why or wrong.message
                continue
            why = why or self._policy.objection(measured) or report.unbound(measured, claim, nonce)
            proven.append(measured)
        made = self._said(place, nonce, proven, why)
        signers = tuple(dict.fromkeys(claim.signer for claim in claims)) if made.level is not Level.NOTHING else ()
        evidence = {"nonce": nonce.hex(), "machines": shown, "collateral": collateral}
        return replace(made, signers=signers, gpu=_gpu(claims), evidence=evidence)

    def _said(self, place: Place, nonce: bytes, proven: Sequence[Measured], why: str) -> Finding:
        status = ", ".join(sorted({it.status for it in proven}))
        if why:
            return replace(self._finding(place, nonce, Level.NOTHING, why), status=status)
        allowed = replace(self._policy, software=_allowed(self._policy, place))
        names = [allowed.named(it) for it in proven]
        if all(names):
            told = f"hardware and software are proven: {', '.join(sorted(set(names)))}"
            made = self._finding(place, nonce, Level.ATTESTED, told)
            return replace(made, status=status, software=", ".join(sorted(set(names))))
        unknown = proven[names.index("")]
        told = f"hardware is proven, software is unknown: mrtd {unknown.mrtd[:16]}…, rtmr3 {unknown.rtmr[3][:16]}…"
        return replace(self._finding(place, nonce, Level.HARDWARE, told), status=status)

    def _finding(self, place: Place, nonce: bytes, level: Level, why: str) -> Finding:
        now = self._clock.now()
        return Finding(place.provider, place.model, now, now + self._hold, level, why, nonce.hex())

    def unreached(self, place: Place, error: MercatoError) -> Finding:
        """Returns the finding of a place that could not be asked."""
        return self._finding(place, b"", Level.NOTHING, f"could not be checked: {error.message}")


def due(last: datetime | None, now: datetime, every: timedelta) -> bool:
    """Whether it is time to look again at what was looked at last then."""
    return last is None or now - last >= every


def _allowed(policy: Policy, place: Place) -> tuple[Software, ...]:
    """Returns what may run at a place. An upstream's operator is trusted with which model its software serves; a node
    is not, so software that names no models proves none of its."""
    named = [it for it in policy.software if not place.software or it.name in place.software]
    node = place.line is None
    return tuple(it for it in named if place.model in it.models or not (it.models or node))


def _gpu(claims: Sequence[Claim]) -> str:
    shown = sum(claim.gpu is not None for claim in claims)
    if not shown:
        return "no evidence of accelerators was shown"
    return f"evidence of accelerators was shown by {shown} of {len(claims)} machines, for our nonce; not verified"
