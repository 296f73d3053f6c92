"""What is on record about one provider, and what one more audited answer does to it. Pure: the auditor stores it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Protocol

from mercato.compute.model import Standing
from mercato.compute.verify.evidence import Evidence, Test
from mercato.compute.verify.known import Reply
from mercato.compute.verify.match import Cut
from mercato.compute.verify.rate import Rates
from mercato.compute.verify.standing import Effect, Event, step
from mercato.core.events import Json

CLEAR = 0.1  # of the bar, below which a provider on probation may become active


class Finding(Protocol):
    """What one audit found of an answer, by a `method`: a match of tokens, a distance of vectors, a known answer."""

    @property
    def method(self) -> str:
        """By what it was judged."""
        ...

    @property
    def tells(self) -> bool:
        """Whether there was enough to judge."""
        ...

    @property
    def hopeless(self) -> bool:
        """Whether it is beyond what noise of any hardware does."""
        ...

    def fails(self, cut: Cut) -> bool:
        """Whether the answer is one that honest providers seldom give."""
        ...

    def body(self) -> dict[str, Json]:
        """Returns what the audit keeps of it."""
        ...


@dataclass(frozen=True, slots=True)
class Record:
    """Where a provider stands, the evidence against it, and its clean audits since the last reset."""

    standing: Standing = Standing.PROBATION
    evidence: Evidence = field(default_factory=Evidence)
    clean: int = 0


@dataclass(frozen=True, slots=True)
class Judge:
    """What audits are judged by: a match with a reference by the cut, a known answer by being right."""

    test: Test = field(default_factory=Test)
    cut: Cut = field(default_factory=Cut)
    rates: Rates = field(default_factory=Rates)

    def share(self, record: Record, floor: float = 0.0) -> float:
        """Returns the share of this provider's answers to audit: all of them on probation."""
        if record.standing is not Standing.ACTIVE:
            return 1.0
        return self.rates.share(record.clean, record.evidence, self.test, floor)

    def fails(self, found: Finding) -> bool:
        """Whether an answer is one that honest providers seldom give."""
        return found.fails(self.cut)

    def after(self, record: Record, found: Finding) -> tuple[Record, frozenset[Effect]]:
        """Returns the record with one more audited answer, and what follows; one too short to judge changes nothing.

        A wrong answer to a canary whose answer is known puts an active provider back on probation, however little it
        adds to the evidence; what ejects is the evidence alone.
        """
        if not found.tells:
            return record, frozenset()
        failed = self.fails(found)
        evidence = record.evidence.after(failed, self.test)
        made = Record(record.standing, evidence, self.rates.clean(record.clean, failed, hopeless=found.hopeless))
        event = self._event(made, wrong=failed and isinstance(found, Reply))
        if event is None:
            return made, frozenset()
        standing, effects = step(made.standing, event)
        return replace(made, standing=standing, clean=0 if event is Event.WARNED else made.clean), effects

    def _event(self, record: Record, *, wrong: bool) -> Event | None:
        """What the record amounts to, where that is something new."""
        if record.evidence.proven(self.test):
            return None if record.standing is Standing.EJECTED else Event.CONVICTED
        if record.standing is Standing.ACTIVE and (wrong or record.evidence.warned(self.test)):
            return Event.WARNED
        sure = record.clean >= self.rates.first and record.evidence.level(self.test) < CLEAR
        return Event.PROVED if sure and record.standing is Standing.PROBATION else None
