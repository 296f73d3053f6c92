"""Questions to the books that pages ask, and nothing else does. Each function takes an open connection.

No prompt and no answer is in any table; what a request said is here as a hash only.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from statistics import quantiles

from mercato.compute.books.words import micros
from mercato.compute.books.words import moment as _moment
from mercato.compute.model import REQUESTS, SIMULATED, End, ProviderId
from mercato.store.bare import Bare

#: Latencies are read from so many of the newest requests: enough for a 95th percentile, quickly read.
NEWEST = 2_000
#: A request is settled at most so long after its id was made. Rows lie in the order of ids, so that what is new is
#: found without an index of its own, which every settle would have to pay for.
SLACK = timedelta(hours=3)
AUDITED = timedelta(days=30)
MINUTE, MICRO = timedelta(minutes=1), timedelta(microseconds=1)
DAY_US = 86_400_000_000


@dataclass(frozen=True, slots=True)
class Served:
    """What a provider served since a moment: receipts by how they ended, and micro-dollars."""

    ends: Mapping[End, int] = field(default_factory=dict)
    charged: int = 0
    earned: int = 0

    @property
    def requests(self) -> int:
        """Returns how many requests it served."""
        return sum(self.ends.values())


@dataclass(frozen=True, slots=True)
class Pace:
    """How quickly a provider answers, in milliseconds: medians and 95th percentiles; None where too little is known."""

    first: tuple[int, int] | None = None
    whole: tuple[int, int] | None = None
    tries: int = 0
    failed: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Checked:
    """How many answers of a provider were audited, and what was found."""

    passed: int = 0
    failed: int = 0
    void: int = 0
    waiting: int = 0


@dataclass(frozen=True, slots=True)
class Now:
    """What goes on: requests that are open, and what the last minute settled."""

    open: int
    reserved: int
    minute: int
    tokens: int
    workers: int


@dataclass(frozen=True, slots=True)
class Spent:
    """What one key of an account spent on one day, in micro-dollars."""

    day: str
    account: str
    key: str
    name: str
    requests: int
    charged: int


@dataclass(frozen=True, slots=True)
class Line:
    """A receipt in a list."""

    request: str
    at: datetime
    account: str
    key: str
    provider: ProviderId
    model: str
    end: End
    charged: int
    epoch: int


def served(bare: Bare, since: datetime) -> dict[ProviderId, Served]:
    """Returns what each provider served since a moment."""
    sql = """SELECT provider, ending, COUNT(*), SUM(charged), SUM(earned) FROM compute_receipt
        WHERE request >= ? AND at_us >= ? GROUP BY provider, ending"""
    ends: dict[str, dict[End, int]] = defaultdict(dict)
    money: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for provider, ending, count, charged, earned in bare.run(sql, _from(since)):
        ends[provider][End(ending)] = count
        money[provider][0] += int(charged)
        money[provider][1] += int(earned)
    return {ProviderId(name): Served(found, *money[name]) for name, found in ends.items()}


def paces(bare: Bare) -> dict[ProviderId, Pace]:
    """Returns how quickly providers answered the newest requests, and which of their attempts failed."""
    sql = "SELECT attempts FROM compute_request WHERE state <> 'open' ORDER BY id DESC LIMIT ?"
    first: dict[str, list[int]] = defaultdict(list)
    whole: dict[str, list[int]] = defaultdict(list)
    failed: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for (text,) in bare.run(sql, (NEWEST,)):
        for one in json.loads(text or "[]"):
            name = one["provider"]
            whole[name].append(one["whole_ms"])
            if one["first_ms"] is not None:
                first[name].append(one["first_ms"])
            if one["error"] and one["end"] != End.CLIENT_GONE:  # whoever was told to stop did not fail
                failed[name][one["error"]] += 1
    return {
        ProviderId(name): Pace(_spread(first[name]), _spread(taken), len(taken), dict(failed[name]))
        for name, taken in whole.items()
    }


def checked(bare: Bare, since: datetime) -> dict[ProviderId, Checked]:
    """Returns what audits found of what each provider answered since a moment."""
    sql = "SELECT provider, state, verdict, COUNT(*) FROM compute_audit WHERE request >= ? GROUP BY 1, 2, 3"
    found: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for provider, state, verdict, count in bare.run(sql, (REQUESTS.at(since),)):
        found[provider][verdict if state == "judged" else state] += count
    return {ProviderId(name): Checked(by["pass"], by["fail"], by["void"], by["wanted"]) for name, by in found.items()}


def now(bare: Bare, moment: datetime) -> Now:
    """Returns what goes on at a moment."""
    ((opened,),) = bare.run("SELECT COALESCE(SUM(open), 0) FROM compute_lane")
    ((reserved,),) = bare.run("SELECT COALESCE(SUM(micro), 0) FROM compute_balance WHERE account LIKE 'reserved:%'")
    sql = "SELECT COUNT(*) FROM compute_lane WHERE NOT closed AND due_us >= ?"
    ((workers,),) = bare.run(sql, (micros(moment),))
    sql = """SELECT body, at_us FROM compute_receipt JOIN compute_entry ON compute_entry.lane = compute_receipt.lane
        AND compute_entry.seq = compute_receipt.seq WHERE request >= ? AND at_us >= ? ORDER BY request DESC LIMIT ?"""
    minute = _from(moment - MINUTE)
    last = [(json.loads(text), at) for text, at in bare.run(sql, (*minute, NEWEST))]
    ((settled,),) = bare.run("SELECT COUNT(*) FROM compute_receipt WHERE request >= ? AND at_us >= ?", minute)
    tokens = sum(min(one["claimed"]["completion"], one["counted"]["completion"]) for one, _ in last)
    # Of more than can be read quickly, the newest stand for the minute.
    span = MINUTE if settled <= len(last) else moment - _moment(min(at for _, at in last))
    return Now(int(opened), int(reserved), settled, tokens * 60_000_000 // max(1, span // MICRO), workers)


def spent(bare: Bare, since: datetime) -> list[Spent]:
    """Returns what was spent by day, account and key, newest day first."""
    day = f"at_us / {DAY_US}"
    sql = f"""SELECT {day}, made.account, made.key, COALESCE(MAX(name), ''), COUNT(*), SUM(charged)
        FROM compute_receipt AS made LEFT JOIN compute_key ON compute_key.id = made.key WHERE request >= ?
        AND at_us >= ? GROUP BY {day}, made.account, made.key ORDER BY 1 DESC, 6 DESC"""  # noqa: S608  # our own names
    start = datetime(1970, 1, 1, tzinfo=UTC)
    return [
        Spent((start + timedelta(days=int(number))).date().isoformat(), account, key, name, count, int(charged))
        for number, account, key, name, count, charged in bare.run(sql, _from(since))
    ]


def receipts(bare: Bare, *, before: str = "", limit: int = 50) -> list[Line]:
    """Returns receipts of requests that were made before one of them, newest first."""
    sql = """SELECT request, at_us, account, key, provider, model, ending, charged, epoch FROM compute_receipt
        WHERE request < ? ORDER BY request DESC LIMIT ?"""
    return [
        Line(row[0], _moment(row[1]), row[2], row[3], ProviderId(row[4]), row[5], End(row[6]), row[7], row[8])
        for row in bare.run(sql, (before or "s", limit))
    ]


def simulated(bare: Bare) -> bool:
    """Returns whether any provider was made up."""
    return bool(bare.run("SELECT 1 FROM compute_provider WHERE url LIKE ? LIMIT 1", (SIMULATED + "%",)))


def _from(since: datetime) -> tuple[str, int]:
    """Returns what bounds receipts settled since a moment: a request's id, and microseconds."""
    return REQUESTS.at(since - SLACK), micros(since)


def _spread(values: list[int]) -> tuple[int, int] | None:
    """Returns the median and the 95th percentile; None of fewer than two."""
    if len(values) < 2:
        return None
    cuts = quantiles(values, n=20, method="inclusive")
    return round(cuts[9]), round(cuts[18])
