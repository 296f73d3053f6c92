"""Keeps the snapshot that pages are filled from in memory, and notices when a newer one was stored."""

from __future__ import annotations

import threading
from collections import OrderedDict
from datetime import date, datetime

from mercato.market.report import tables
from mercato.market.report.reporting import Desk, gather
from mercato.market.report.snapshot import Snapshot, read, written

PAST = 4


class Shelf:
    """The newest snapshot of a sector, and a few of past days that somebody asked for. Safe between threads."""

    def __init__(self, market: Desk) -> None:
        self.market = market
        self._lock = threading.Lock()
        self._current: dict[str, Snapshot] = {}
        self._past: OrderedDict[tuple[date, str], Snapshot] = OrderedDict()

    def current(self, sector: str = "ai") -> Snapshot | None:
        """Returns the newest snapshot, None before the first. One small query tells whether memory is up to date."""
        with self.market.store.read() as session:
            stamp = tables.stamp(session, kind="snapshot", sector=sector)
            held = self._current.get(sector)
            if stamp is None or (held and held.sha == stamp[1]):
                return held if stamp else None
            body = tables.newest(session, kind="snapshot", sector=sector)
        assert body is not None, "a stored stamp has a stored body"
        fresh = read(body, stamp[1])
        self._current[sector] = fresh
        return fresh

    def on(self, as_of: date, sector: str = "ai") -> Snapshot:
        """Returns the snapshot of a past day: as published where a report was, else computed now from its metrics."""
        newest = self.current(sector)
        if newest is not None and newest.report.as_of == as_of:
            return newest
        key = (as_of, sector)
        with self._lock:
            if key in self._past:
                self._past.move_to_end(key)
                return self._past[key]
        found = self._published(as_of, sector) or self._computed(as_of, sector)
        with self._lock:
            self._past[key] = found
            while len(self._past) > PAST:
                self._past.popitem(last=False)
        return found

    def _published(self, as_of: date, sector: str) -> Snapshot | None:
        with self.market.store.read() as session:
            body = tables.newest(session, kind="weekly", sector=sector, as_of=as_of)
        return read(body, "") if body else None

    def _computed(self, as_of: date, sector: str) -> Snapshot:
        from mercato.market.report.compose import compose

        now: datetime = self.market.clock.now()
        book = gather(self.market, as_of, sector, None)
        body, sha = written(compose(book, as_of=as_of, known_at=now, sector=sector), book)
        return read(body, sha)
