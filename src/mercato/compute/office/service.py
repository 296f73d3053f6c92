"""The office: what is shown of the compute room, to whom, and the kill switch.

Everybody may see who serves what at which price and how good it is: that is what a market is for. What users spend and
what they asked for is for operators. Who an operator is, the settings say; by default it is nobody.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from mercato.compute import audits, roster
from mercato.compute.audits import Audit
from mercato.compute.books import disputes, epochs, receipts, sheet, switch
from mercato.compute.books.disputes import Dispute
from mercato.compute.books.epochs import Epoch, Proof, Settlement
from mercato.compute.books.turn import read
from mercato.compute.errors import Forbidden
from mercato.compute.model import End, Offer, Provider, ProviderId, Receipt, Standing
from mercato.compute.office import reading
from mercato.compute.office.reading import Checked, Line, Now, Pace, Served, Spent
from mercato.compute.roster import Turn
from mercato.compute.routing.health import wilson
from mercato.compute.service import Compute
from mercato.core.errors import NotFound
from mercato.store.bare import Bare

Z = 1.96  # standard deviations of a normal distribution on both sides of 95 % of it
WINDOW = timedelta(days=1)
MONTH = timedelta(days=30)
PAGE = 50


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

    @property
    def quality(self) -> tuple[float, float] | None:
        """Returns the interval, at 95 %, of the share of its answers that are good, by audits; None without any."""
        good, bad = self.checked.passed, self.checked.failed
        if not good + bad:
            return None
        return wilson(good, bad, Z), 1 - wilson(bad, good, Z)


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


@dataclass(frozen=True, slots=True)
class Shown:
    """A receipt with what proves it: `faults` are what a check of its hash, signatures and sums found."""

    receipt: Receipt
    public: str
    faults: tuple[str, ...]
    proof: Proof | None
    opens: bool
    audit: Audit | None


class Office:
    """The room's books as pages show them. Safe to share between threads."""

    def __init__(self, room: Compute) -> None:
        self.room, self.operators = room, dict(room.operators)
        self._names, self._listed = [it for it, _ in room.listed], [it for _, it in room.listed]

    def fleet(self) -> Fleet:
        """Returns who serves, how well, and what goes on."""
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
        faults = receipts.faults(found, public, provider.key if provider else "")
        good = proof is not None and receipts.opens(
            proof.epoch.root, found.hash, proof.index, proof.epoch.receipts, proof.path
        )
        return Shown(found, public, tuple(faults), proof, good, audit)

    def receipts(self, before: int | None = None) -> tuple[list[Line], int | None]:
        """Returns a page of receipts, newest first, and what leads to the next page; None after the last."""
        with self._reading() as bare:
            found = reading.receipts(bare, before=before, limit=PAGE + 1)
        return [line for _, line in found[:PAGE]], found[PAGE - 1][0] if len(found) > PAGE else None

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

    def turn(self, account: str, *, on: bool, why: str = "") -> None:
        """Turns the whole platform's kill switch; any operator may."""
        by = self.require(account)
        with self.room.till() as till:
            switch.turn(till, switch.PLATFORM, on=on, by=by, why=why)

    def title(self, provider: str) -> str:
        """Returns the name of a provider of the settings, otherwise its id."""
        return next((it.name for it in self._names if it.id == provider), provider)

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
        paces, checked = reading.paces(bare), reading.checked(bare)
        whole = sum(it.requests for it in served.values())
        rows = []
        for id, provider in known.items():
            own = served.get(id, Served())
            turns = roster.history(bare, id)
            mine = tuple(it for it in offers if it.provider == id)
            share = own.requests * 10_000 // whole if whole else 0
            pace, found = paces.get(id, Pace()), checked.get(id, Checked())
            rows.append(Row(provider, mine, own, pace, found, share, turns[-1].why if turns else ""))
        return sorted(rows, key=lambda row: (-row.served.requests, row.provider.name, row.provider.id))
