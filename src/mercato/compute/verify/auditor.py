"""The auditor: takes what the books put up for audit, asks the reference, and books what follows for the provider.

What follows goes into one transaction with the verdict: the standing, and the pay that is withheld. Any number of
auditors may run; each answer is judged once, and a provider's record is changed by one of them at a time.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import ParamSpec, TypeVar

from mercato.compute import audits, roster
from mercato.compute.audits import Wanted
from mercato.compute.books import disputes
from mercato.compute.books.pen import Pen
from mercato.compute.books.till import Till
from mercato.compute.errors import Unproven, Unreached
from mercato.compute.gateway.sealing import Seal, parted
from mercato.compute.model import ProviderId, Receipt, Standing
from mercato.compute.tee import findings
from mercato.compute.tee.words import Signer
from mercato.compute.verify import docket, exhibit, signature
from mercato.compute.verify.checker import Checker
from mercato.compute.verify.exhibit import Exhibit
from mercato.compute.verify.known import Known, Reply
from mercato.compute.verify.match import Match
from mercato.compute.verify.protocol import Fault, Note, notes
from mercato.compute.verify.record import Finding, Judge, Record
from mercato.compute.verify.signature import KEPT, Signatures, Signed
from mercato.compute.verify.standing import Effect
from mercato.compute.verify.toploc import Opened
from mercato.core.events import Json
from mercato.store.errors import Lost

P = ParamSpec("P")
T = TypeVar("T")
LEASE = timedelta(minutes=5)
TOGETHER = 8
log = logging.getLogger("mercato.compute.verify")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an audit came to: `pass`, `fail` or `void`, where the provider stands since, and the kinds of what was odd
    besides."""

    request: str
    provider: ProviderId
    verdict: str
    standing: Standing | None = None
    moved: bool = False
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Examined:
    """What is to be said of one answer: what it is judged by, None for nothing, and what is odd about it."""

    found: Finding | None = None
    notes: tuple[Note, ...] = ()


class Auditor:
    """Judges by one reference, None for none; what the user of the key `asker` asks is looked up in `known` first.
    Commitments are opened by `states`. An answer is one observation: where commitments came with it, they have to be
    the model's, and as far as its tokens can be judged, they have to match besides. `told` hears of every verdict, such
    as the router of this process.

    Only the answers to a `witness` are evidence against a provider; the verdict on others is told, and no more: who may
    choose questions may choose such as no two machines agree on.
    """

    def __init__(
        self, till: Till, checker: Checker | None, judge: Judge, *,
        told: Callable[[Verdict], None] = lambda verdict: None,
        witness: Callable[[Receipt], bool] = lambda receipt: True, known: Known | None = None, asker: str = "",
        states: Checker | None = None, signatures: Signatures | None = None,
    ) -> None:  # fmt: skip
        self._states, self._signatures = states, signatures
        self._known, self._asker = known or Known(), asker
        self._till, self._checker, self._judge, self._told, self._witness = till, checker, judge, told, witness
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="mercato-audit")

    async def turn(self, limit: int = TOGETHER) -> list[Verdict]:
        """Judges what waits, oldest first, at most so many; returns what came of each. What the reference could not
        be asked about waits until its lease is over."""
        found: list[Verdict] = []
        taken = await self._books(self._take, limit)
        for wanted in taken:
            try:
                verdict = await self._books(self._book, wanted, await self._examined(wanted))
            except Unreached as error:
                log.warning("%s was not audited: %s", wanted.receipt.request, error.message)
                continue
            except Lost:
                continue  # another auditor was faster
            self._told(verdict)
            found.append(verdict)
        if len(taken) < limit:
            await self._books(self._sweep)
        return found

    async def run(self, pause: float = 1.0) -> None:
        """Judges for ever; waits a moment where nothing does."""
        while True:
            try:
                judged = await self.turn()
            except Exception:  # the database may be away for a while; audits wait for it
                log.exception("audits have to wait")
                judged = []
            if not judged:
                await asyncio.sleep(pause)

    def close(self) -> None:
        """Waits for what is being written, and closes the books. Blocks."""
        self._thread.shutdown()
        self._till.close()

    async def _books(self, work: Callable[P, T], *given: P.args, **named: P.kwargs) -> T:
        """Does what touches the books in the one thread that does."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, partial(work, *given, **named))

    def _take(self, limit: int) -> list[Wanted]:
        with self._till.bare.transaction():
            return audits.take(self._till.bare, self._till.clock.now(), limit=limit, lease=LEASE)

    def _sweep(self) -> None:
        """Withholds what ejected providers earned by answers that were under way then, unless somebody decided that
        they are to be paid."""
        bare = self._till.bare
        for provider in [it.id for it in roster.everyone(bare) if it.standing is Standing.EJECTED]:
            cleared = any(it.state is disputes.Outcome.REJECTED for it in disputes.listed(bare, provider))
            if roster.unsettled(bare, provider) and not cleared:
                with self._till.writing() as pen:
                    disputes.withheld(pen, provider, "under way when it was ejected", {"standing": "ejected"})

    async def _examined(self, wanted: Wanted) -> Examined:
        """Returns what is to be said of an answer."""
        receipt = wanted.receipt
        seal, evidence = parted(wanted.evidence)
        signed = await self._signed(seal, receipt)
        kept = exhibit.read(evidence)
        if kept is None or (signed is not None and signed.wrong):
            return Examined(signed)
        odd = notes(kept, receipt)
        shown = kept.drawn(int(receipt.hash, 16))
        known = self._known.judged(receipt.model, kept.body, kept.text) if receipt.key == self._asker else None
        wrong = next((it for it in odd if it.sure), None)
        found: Finding | None = known or (Fault(str(wrong)) if wrong else None)
        if found is None and shown is not None:
            found = await self._referred(shown, receipt)
        return Examined(found if found and found.tells else signed or found, tuple(odd))

    async def _signed(self, seal: Seal | None, receipt: Receipt) -> Signed | None:
        """Returns what the enclave's signature says of an answer; None where there was to be none, or is none any more.
        Unreached where that cannot be told yet."""
        if seal is None or self._signatures is None or self._signatures.of(receipt.provider) is None:
            return None
        try:
            signer = await self._signatures.fetched(seal, receipt)
        except Unproven as wrong:
            return Signed(wrong.message)
        if signer is None:
            late = self._till.clock.now() - receipt.at > KEPT
            return None if late else Signed("answer was not signed")
        return await self._books(self._proven, signer, receipt)

    def _proven(self, signer: Signer, receipt: Receipt) -> Signed:
        """Returns whether a key may have signed an answer. What its machine proved is over where nobody proved that key
        yet: the next check tells."""
        bare, pair = self._till.bare, (receipt.provider, receipt.model)
        found = signature.judged(bare, signer, receipt)
        if found is None:
            why = f"an answer was signed by {signer.name}, which no machine had proven to hold"
            with bare.transaction():
                findings.end(bare, pair, self._till.clock.now(), why)
            raise Unreached("key", why)
        return found

    async def _referred(self, shown: Exhibit, receipt: Receipt) -> Finding | None:
        """Returns what the references say: of commitments that are wrong, else of the tokens, else of those."""
        opened = await self._asked(self._states, shown, receipt) if shown.proofs is not None else None
        if opened and opened.tells and self._judge.fails(opened):
            return opened
        matched = await self._asked(self._checker, shown, receipt) if shown.matched else None
        return matched if matched and matched.tells else opened or matched

    async def _asked(self, judge: Checker | None, shown: Exhibit, receipt: Receipt) -> Finding | None:
        """Returns what a reference says of an answer that is not its own: nobody judges itself."""
        if judge is None or judge.provider == receipt.provider:
            return None
        return await judge.check(shown, receipt.model)

    def _by(self, found: Finding | None) -> str:
        """Returns the name of the reference that judged."""
        if isinstance(found, Reply | Fault | Signed):
            return ""
        judge = self._states if isinstance(found, Opened) else self._checker
        return judge.name if judge else ""

    def _book(self, wanted: Wanted, examined: Examined) -> Verdict:
        receipt, found = wanted.receipt, examined.found
        by = self._by(found)
        told = docket.told(examined.notes)
        kinds = tuple(it.kind for it in examined.notes)
        with self._till.writing() as pen:
            provider = roster.one(pen.bare, receipt.provider)
            if found is None or not found.tells or provider is None:
                audits.judge(
                    pen.bare, receipt.request, pen.at, method=Match.method, verdict="void", statistic=told, checker=by
                )
                return Verdict(receipt.request, receipt.provider, "void", notes=kinds)
            before = docket.recorded(pen.bare, receipt.provider, provider.standing)
            heard = self._witness(receipt)
            record, effects = self._judge.after(before, found) if heard else (before, frozenset[Effect]())
            failed = self._judge.fails(found)
            verdict = "fail" if failed else "pass"
            audits.judge(
                pen.bare, receipt.request, pen.at, method=found.method, verdict=verdict,
                statistic=docket.statistic(found, failed, record) | told, checker=by,
            )  # fmt: skip
            moved = record.standing is not before.standing
            if moved:
                self._follow(pen, receipt.provider, record, effects, found)
            return Verdict(receipt.request, receipt.provider, verdict, record.standing, moved, kinds)

    def _follow(
        self, pen: Pen, provider: ProviderId, record: Record, effects: frozenset[Effect], found: Finding
    ) -> None:  # fmt: skip
        """Moves the provider, and withholds what it has not been given yet where that follows."""
        evidence, test = record.evidence, self._judge.test
        wrong = (
            f"canary {found.canary!r} was answered wrongly; " if isinstance(found, Reply) and not found.right else ""
        )
        why = (
            f"{wrong}{evidence.fails} of {evidence.audits} audited answers failed,"
            f" evidence at {evidence.level(test):.0%} of the bar for alpha {test.alpha:g}"
        )
        roster.stand(pen.bare, provider, record.standing, pen.at, why)
        if Effect.WITHHOLD in effects:
            level = round(evidence.level(test) * 10_000)
            facts: dict[str, Json] = {"audits": evidence.audits, "fails": evidence.fails, "level_bps": level}
            disputes.withheld(pen, provider, why, facts)
