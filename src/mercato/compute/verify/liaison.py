"""What one worker of the gateway shares with all others: health, standings, what is audited, and the epoch's secret.

`look` talks to the store, in a thread; what it brings is used by the loop and by the desk's thread, and is exchanged as
a whole. An audit epoch is an hour of UTC: a receipt's own moment tells which secret drew it. Each hour's commitment is
published before the hour begins, its secret after it is over.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from mercato.compute import audits, roster
from mercato.compute.model import Provider, ProviderId, Receipt, Standing
from mercato.compute.routing.router import Counts, Router
from mercato.compute.tee import findings
from mercato.compute.tee.words import Finding
from mercato.compute.verify import docket, posp
from mercato.compute.verify.record import Judge
from mercato.compute.verify.sampling import Secret, chosen
from mercato.core.clock import Clock
from mercato.core.events import Json
from mercato.store.bare import Bare

HOUR = 3600
AHEAD = 2  # hours for which commitments are published beforehand, the present one among them
LATE = timedelta(minutes=5)  # after an epoch until its secret is public: receipts of it may still be settling
FRESH = timedelta(minutes=10)  # what another worker told longer ago does not count
EVERY = timedelta(seconds=10)  # between the times that a worker tells what it lived
THOUSANDTHS = 1000
SAVING = 0.5  # of an answer's pay that cheating may save, for the floor of proofs of sampling
POWER = 0.4  # the chance that an audit finds a cheat, for the same: of quantised answers, the weakest
NAMES = ("good", "bad", "sound", "flawed")


@dataclass(frozen=True, slots=True)
class View:
    """What was found in the store at one moment."""

    standings: Mapping[ProviderId, Standing] = field(default_factory=dict)
    shares: Mapping[ProviderId, float] = field(default_factory=dict)
    secrets: Mapping[int, Secret] = field(default_factory=dict)
    others: Sequence[Mapping[ProviderId, Counts]] = ()
    proven: Mapping[findings.Pair, Finding] = field(default_factory=dict)


class Liaison:
    """One for each worker. `settled` are providers of the settings, which are known to the store by being told."""

    def __init__(
        self, url: str, clock: Clock, worker: str, judge: Judge | None, *, settled: Sequence[Provider] = (),
        entropy: Callable[[int], bytes] = os.urandom,
    ) -> None:  # fmt: skip
        self._bare, self._clock, self._worker, self._judge = Bare(url), clock, worker, judge
        self._settled, self._entropy = tuple(settled), entropy
        self._wrote: datetime | None = None
        self._kept: dict[int, Secret] = {}
        self.view = View()
        #: Reads something else in the same look.
        self.beside: Callable[[Bare], None] = lambda bare: None

    def look(self, counts: Mapping[ProviderId, Counts]) -> None:
        """Writes what this worker lived, and reads the rest. Blocks; one thread at a time."""
        bare, now = self._bare, self._clock.now()
        if self._due(now):
            with bare.transaction():
                self._write(counts, now)
            self._wrote = now
        with bare.read():
            standings = {each.id: each.standing for each in roster.everyone(bare)}
            told = roster.told(bare, now - FRESH, but=self._worker)
            shares = {name: self._share(name, standing) for name, standing in standings.items()}
            proven = findings.holding(bare, now)
            self.beside(bare)
        others = [{name: _counts(body) for name, body in each.items()} for each in told.values()]
        self.view = View(standings, shares, self._kept, others, proven)

    def teach(self, router: Router) -> None:
        """Tells the router of this worker what the others lived. For the loop's thread."""
        router.hear(self.view.others)

    def draw(self, receipt: Receipt) -> bool:
        """Whether the answer of a receipt is audited, by the secret of its hour. For the desk's thread."""
        view = self.view
        secret = view.secrets.get(epoch(receipt.at))
        return secret is not None and chosen(secret, receipt.hash, view.shares.get(receipt.provider, 1.0))

    def close(self) -> None:
        """Closes the connection."""
        self._bare.close()

    def _due(self, now: datetime) -> bool:
        """Whether something is to be written: seldom, as others' requests wait meanwhile, and when an hour turns."""
        if self._wrote is None or now - self._wrote >= EVERY:
            return True
        return epoch(now) != epoch(self._wrote) or epoch(now - LATE) != epoch(self._wrote - LATE)

    def _write(self, counts: Mapping[ProviderId, Counts], now: datetime) -> None:
        known = {each.id for each in roster.everyone(self._bare)}
        for provider in self._settled:
            if provider.id not in known:
                roster.save(self._bare, provider, now, "in the settings")
        roster.tell(self._bare, self._worker, {name: _body(each) for name, each in counts.items()}, now)
        self._kept = self._secrets(now) if self._judge else {}

    def _share(self, provider: ProviderId, standing: Standing) -> float:
        if self._judge is None:
            return 0.0
        record = docket.recorded(self._bare, provider, standing)
        held, reward = roster.unsettled(self._bare, provider), roster.reward(self._bare, provider)
        alpha = self._judge.test.honest
        floor = posp.floor(SAVING, 1, held / reward, alpha=alpha, power=max(POWER, 2 * alpha)) if reward else 0.0
        return self._judge.share(record, floor)

    def _secrets(self, now: datetime) -> dict[int, Secret]:
        """Keeps secrets ahead of time, and publishes those that are over. All workers read the same."""
        present = epoch(now)
        kept = {}
        for number in range(present - 1, present + AHEAD):
            found = audits.secret(self._bare, number)
            if found is None and number >= present:
                made = Secret.draw(number, self._entropy)
                audits.commit(self._bare, number, made.commitment, made.value)
                found = audits.secret(self._bare, number)
            if found is not None:
                kept[number] = Secret(number, found)
        audits.reveal_before(self._bare, epoch(now - LATE), now)
        return kept


def epoch(moment: datetime) -> int:
    """Returns the number of the audit epoch of a moment: hours since 1970."""
    return int(moment.timestamp()) // HOUR


def _body(counts: Counts) -> dict[str, Json]:
    return {name: round(each * THOUSANDTHS) for name, each in zip(NAMES, counts, strict=True)}


def _counts(body: Mapping[str, Json]) -> Counts:
    good, bad, sound, flawed = (_number(body.get(name)) / THOUSANDTHS for name in NAMES)
    return good, bad, sound, flawed


def _number(value: Json) -> int:
    return value if isinstance(value, int) else 0
