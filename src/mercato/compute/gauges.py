"""What the books say, for Prometheus: read from the database when somebody scrapes, at most once in five seconds.

Counts of providers, audits and disputes may be seen by anybody who may see the pages. Sums of money are for the admin
plane, which is the operator's alone. No account, key or request is in any label.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from threading import Lock
from typing import TYPE_CHECKING

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector, CollectorRegistry

from mercato.compute.books.words import micros
from mercato.core.clock import Clock, SystemClock
from mercato.store.bare import Bare

if TYPE_CHECKING:
    from mercato.compute.office.service import Office

__all__ = ["Books", "collect"]

SECONDS = 5.0
COUNTS = (
    ("requests_open", "Requests that are reserved and not settled yet.", (),
     "SELECT COALESCE(SUM(open), 0) FROM compute_lane"),
    ("providers", "Providers that came to the gateway, by where they stand.", ("standing",),
     "SELECT standing, COUNT(*) FROM compute_provider GROUP BY standing"),
    ("books_audits", "Audits of all time, by verdict; those that wait are wanted.", ("verdict",),
     "SELECT CASE WHEN state = 'judged' THEN verdict ELSE state END, COUNT(*) FROM compute_audit GROUP BY 1"),
    ("disputes", "Disputes, by kind and outcome.", ("kind", "state"),
     "SELECT kind, state, COUNT(*) FROM compute_dispute GROUP BY kind, state"),
    # An entry of the log has one spelling, and a quote within a text of it is escaped.
    ("replays", "Answers that a referee judged again, by whether it agrees with the audit.", ("agrees",),
     """SELECT CASE WHEN body LIKE '%"agrees":true%' THEN 'yes' WHEN body LIKE '%"agrees":false%' THEN 'no'
     ELSE 'not audited' END, COUNT(*) FROM compute_entry WHERE lane = 'books' AND kind = 'replayed' GROUP BY 1"""),
    ("epochs", "Closed epochs.", (), "SELECT COUNT(*) FROM compute_epoch"),
)  # fmt: skip
WORKERS = "SELECT COUNT(*) FROM compute_lane WHERE NOT closed AND due_us >= ?"
PROVEN = "SELECT level, COUNT(*) FROM compute_attestation WHERE until_us > ? GROUP BY level"
#: Accounts of providers are provider:<id>:<kind>, those of users user:<name> and reserved:<name>.
MONEY = """SELECT CASE WHEN account LIKE 'provider:%:held' THEN 'held' WHEN account LIKE 'provider:%:withheld' THEN
    'withheld' WHEN account LIKE 'provider:%:due' THEN 'due' WHEN account LIKE 'provider:%:stake' THEN 'stake'
    WHEN account LIKE 'reserved:%' THEN 'reserved' WHEN account LIKE 'user:%' THEN 'users' ELSE account END, SUM(micro)
    FROM compute_balance GROUP BY 1"""


class Books(Collector):
    """Reads the books of a database; with `money` also what lies on which kind of account."""

    def __init__(self, url: str, clock: Clock, *, money: bool) -> None:
        self._url, self._clock, self._money, self._lock = url, clock, money, Lock()
        self._kept: list[GaugeMetricFamily] = []
        self._until = 0.0

    def describe(self) -> list[GaugeMetricFamily]:
        """Returns nothing: names are not known to others before the first scrape, and the books are not asked."""
        return []

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Gives the counts, as of five seconds ago at most."""
        with self._lock:
            if time.monotonic() >= self._until:
                self._kept, self._until = self._read(), time.monotonic() + SECONDS
            yield from self._kept

    def _read(self) -> list[GaugeMetricFamily]:
        found = []
        with Bare(self._url) as bare, bare.read():
            for name, words, labels, sql in COUNTS:
                found.append(_family(name, words, labels, bare.run(sql)))
            alive = bare.run(WORKERS, (micros(self._clock.now()),))
            found.append(_family("workers", "Workers of the gateway that renewed their lease.", (), alive))
            proven = bare.run(PROVEN, (micros(self._clock.now()),))
            words = "What holds of machines that say they are trusted ones, by what they proved."
            found.append(_family("attestations", words, ("level",), proven))
            if self._money:
                words = "What lies on accounts of a kind, in micro-dollars; reserved is what open requests may cost."
                found.append(_family("balance_micro_dollars", words, ("kind",), bare.run(MONEY)))
        return found


def collect(office: Office, registry: CollectorRegistry) -> None:
    """Adds the room's public counts to the application's."""
    registry.register(Books(office.room.url, SystemClock(), money=False))


def _family(name: str, words: str, labels: tuple[str, ...], rows: list[tuple[object, ...]]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"mercato_compute_{name}", words, labels=labels)
    for *values, number in rows:
        family.add_metric([str(value) for value in values], int(str(number)))
    return family
