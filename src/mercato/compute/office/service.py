"""The office: what is shown of the compute room, to whom, and the kill switch.

Everybody may see who serves what at which price and how good it is: that is what a market is for. What users spend and
what they asked for is for operators. Who an operator is, the settings say; by default it is nobody.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock

from mercato.compute import audits, roster
from mercato.compute.audits import Audit
from mercato.compute.books import disputes, epochs, receipts, sheet, switch
from mercato.compute.books.disputes import Dispute
from mercato.compute.books.epochs import Epoch, Proof, Settlement
from mercato.compute.books.turn import read
from mercato.compute.errors import Forbidden
from mercato.compute.model import SIMULATED, End, Offer, Provider, ProviderId, Receipt, Standing
from mercato.compute.office import reading
from mercato.compute.office.reading import Checked, Line, Now, Pace, Served, Spent
from mercato.compute.roster import Turn
from mercato.compute.service import Compute
from mercato.compute.tee import findings
from mercato.compute.tee.words import Finding
from mercato.compute.verify import docket
from mercato.compute.verify.match import interval
from mercato.core.errors import NotFound
from mercato.store.bare import Bare

WINDOW = timedelta(days=1)
MONTH = timedelta(days=30)
PAGE = 50
FRESH = 1.0  # seconds


@dataclass(frozen=True, slots=True)
class Row:
    """A provider as the list shows it."""

    provider: Provider
    offers: tuple[Offer, ...]
    served: Served
    pace: Pace
    checked: Checked
    share_bps: int
    why: str
    evidence: tuple[int, int]
    proven: Mapping[str, Finding] = field(default_factory=dict)  # what holds of its machines, by model

    @property
    def quality(self) -> tuple[float, float] | None:
        """Returns the exact interval, at 95 %, of the share of right answers, by all audits that are evidence."""
        fails, audited = self.evidence
        return interval(fails, audited) if audited else None

    @property
    def simulated(self) -> bool:
        """Returns whether the provider was made up."""
        return self.provider.url.startswith(SIMULATED)


@dataclass(frozen=True, slots=True)
class Fleet:
    """What the first page shows."""

    rows: tuple[Row, ...]
    now: Now
    day: Served
    at: datetime


@dataclass(frozen=True, slots=True)
class Profile:
    """What a provider's own page shows."""

    row: Row
    turns: tuple[Turn, ...]
    audits: tuple[Audit, ...]
    settlements: tuple[Settlement, ...]
    disputes: tuple[Dispute, ...]
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Shown:
    """A receipt with what proves it: `faults` are what a check of its hash, signatures and sums found."""

    receipt: Receipt
    public: str
    provider_key: str
    faults: tuple[str, ...]
    proof: Proof | None
    opens: bool
    audit: Audit | None


class Office:
    """The room's books as pages show them. Safe to share between threads."""

    def __init__(self, room: Compute) -> None:
        self.room, self.operators = room, dict(room.operators)
        self._lock = Lock()
        self._kept: tuple[float, Fleet | None] = 0.0, None
        self._names, self._listed = [it for it, _ in room.listed], [it for _, it in room.listed]

    def fleet(self) -> Fleet:
        """Returns who serves, how well, and what goes on, as of a second ago at most: everybody may ask for it."""
        with self._lock:
            until, fleet = self._kept
            if fleet is None or time.monotonic() > until:
                fleet = self._fleet()
                self._kept = time.monotonic() + FRESH, fleet
            return fleet

    def _fleet(self) -> Fleet:
        at = self.room.clock.now()
        with self._reading() as bare:
            served = reading.served(bare, at - WINDOW)
            rows = self._rows(bare, served)
            going = reading.now(bare, at)
        ends: dict[End, int] = {}
        for one in served.values():
            for end, count in one.ends.items():
                ends[end] = ends.get(end, 0) + count
        day = Served(ends, sum(it.charged for it in served.values()), sum(it.earned for it in served.values()))
        return Fleet(tuple(rows), going, day, at)

    def profile(self, id: str) -> Profile:
        """Returns all that is known of a provider; NotFound where there is no such one."""
        with self._reading() as bare:
            served = reading.served(bare, self.room.clock.now() - WINDOW)
            row = next((it for it in self._rows(bare, served) if it.provider.id == id), None)
            if row is None:
                raise NotFound(f"provider was {id!r:.80}, which does not exist", hint="see /compute")
            return Profile(
                row, tuple(reversed(roster.history(bare, id))), tuple(audits.latest(bare, id, limit=PAGE)),
                tuple(reversed(epochs.settlements(bare, id))), tuple(disputes.listed(bare, id)),
                tuple(findings.latest(bare, id, limit=PAGE)),
            )  # fmt: skip

    def shown(self, request: str) -> Shown:
        """Returns a receipt with what proves it; NotFound where there is none."""
        with self._reading() as bare:
            found = read(bare, request)
            if found is None:
                raise NotFound(
                    f"receipt was {request!r:.80}, which does not exist", hint="the request may still be open"
                )
            provider = roster.one(bare, found.provider)
            proof, audit = epochs.proof(bare, request), audits.of(bare, request)
        public = self.room.signer.public
        key = provider.key if provider and found.countersigned else ""
        faults = receipts.faults(found, public, key)
        good = proof is not None and receipts.opens(
            proof.epoch.root, found.hash, proof.index, proof.epoch.receipts, proof.path
        )
        return Shown(found, public, key, tuple(faults), proof, good, audit)

    def receipts(self, before: str = "") -> tuple[list[Line], str]:
        """Returns a page of receipts, newest first, and what leads to the next page; "" after the last."""
        with self._reading() as bare:
            found = reading.receipts(bare, before=before, limit=PAGE + 1)
        return found[:PAGE], found[PAGE - 1].request if len(found) > PAGE else ""

    def spent(self) -> list[Spent]:
        """Returns what was spent in the last thirty days by day, account and key."""
        with self._reading() as bare:
            return reading.spent(bare, self.room.clock.now() - MONTH)

    def checks(self) -> tuple[list[Audit], list[Dispute], list[Epoch]]:
        """Returns the newest audits, all disputes, and the closed epochs, newest first."""
        with self._reading() as bare:
            return audits.latest(bare, limit=PAGE), disputes.listed(bare), list(reversed(epochs.epochs(bare)))[:PAGE]

    def stopped(self) -> bool:
        """Returns whether the whole platform's kill switch is on."""
        with self._reading() as bare:
            return switch.PLATFORM in sheet.stopped(bare)

    def simulated(self) -> bool:
        """Returns whether any of what is shown was made up."""
        with self._reading() as bare:
            return reading.simulated(bare)

    def turn(self, account: str, *, on: bool, why: str = "") -> None:
        """Turns the whole platform's kill switch; any operator may."""
        by = self.require(account)
        with self.room.till() as till:
            switch.turn(till, switch.PLATFORM, on=on, by=by, why=why)

    def titles(self) -> Callable[[str], str]:
        """Returns what gives the name of a provider by its id, and the id where it is not known any more."""
        with self._reading() as bare:
            known = {it.id: it.name for it in [*self._names, *roster.everyone(bare)]}
        return lambda id: known.get(ProviderId(id), id)

    def require(self, account: str) -> str:
        """Returns the name of the operator who is signed in with an account; Forbidden for everybody else."""
        name = next((name for name, own in self.operators.items() if own == account), "")
        if not account:
            raise Forbidden("nobody was signed in", hint="sign in with the account of an operator of this installation")
        if not name:
            raise Forbidden(
                f"account was {account!r}, no operator's", hint="see `operators` in the settings of compute"
            )
        return name

    @contextmanager
    def _reading(self) -> Iterator[Bare]:
        with Bare(self.room.url) as bare, bare.read():
            yield bare

    def _rows(self, bare: Bare, served: Mapping[ProviderId, Served]) -> list[Row]:
        known = {it.id: it for it in self._names} | {it.id: it for it in roster.everyone(bare)}
        known |= {id: Provider(id, id, Standing.EXITING) for id in served if id not in known}
        offers = [*self._listed, *roster.offers(bare)]
        paces, checked = reading.paces(bare), reading.checked(bare, self.room.clock.now() - reading.AUDITED)
        proven = findings.holding(bare, self.room.clock.now())
        whole = sum(it.requests for it in served.values())
        rows = []
        for id, provider in known.items():
            own = served.get(id, Served())
            turns, evidence = roster.history(bare, id), docket.recorded(bare, id, provider.standing).evidence
            rows.append(
                Row(
                    provider, tuple(it for it in offers if it.provider == id), own, paces.get(id, Pace()),
                    checked.get(id, Checked()), own.requests * 10_000 // whole if whole else 0,
                    turns[-1].why if turns else "", (evidence.fails, evidence.audits),
                    {model: found for (who, model), found in proven.items() if who == id},
                )
            )  # fmt: skip
        return sorted(rows, key=lambda row: (-row.served.requests, row.provider.name, row.provider.id))
