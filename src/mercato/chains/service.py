"""The indexer: logs of a chain in the store, each exactly once, through forks, faults and kills.

A range of blocks, its logs, how far each watch was read and the event of it are written in one transaction, and only
where nobody else moved in the meantime. Before each range the newest kept block is compared with the chain; where it
is another one now, everything above the last common block is deleted, with an event, and read anew.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from mercato.chains import tables
from mercato.chains.errors import BadAnswer, Unreachable
from mercato.chains.model import Block, BlocksIndexed, BlocksReorged, Chain, Log, LogQuery, Watch
from mercato.chains.tables import Head, Progress
from mercato.core.clock import Clock, SystemClock
from mercato.core.errors import InvalidInput, NotFound
from mercato.store import Store, emit

ROWS = 10_000  # that one reader gets at once
START = (-1, -1)
PAUSE = 0.05  # seconds after the first fault, doubled with each one in a row


@dataclass(frozen=True, slots=True)
class Pace:
    """How a chain is read.

    confirmations   blocks at the tip that are left alone; 0 reads the newest, and forks are undone where they happen
    window          blocks at the tip whose heads are all kept, so that a fork's first block is found exactly
    span            blocks of the first request; grows to `most`, and halves where the endpoint refuses
    plenty          logs in one answer that are enough: the range does not grow beyond
    tries           faults in a row that are met by asking for less, before the job is given up until later
    """

    confirmations: int = 0
    window: int = 128
    span: int = 256
    most: int = 4096
    plenty: int = 5_000
    tries: int = 8


@dataclass(frozen=True, slots=True)
class Part:
    """The next blocks to read: the watches that want them, and the range."""

    watches: tuple[Watch, ...]
    first: int
    last: int


class Indexer:
    """Keeps the logs that rooms watch. Several may run on one store: whoever comes second starts over."""

    def __init__(self, store: Store, chain: Chain, clock: Clock | None = None, pace: Pace | None = None) -> None:
        self.store, self.chain, self.pace = store, chain, pace or Pace()
        self._clock = clock or SystemClock()
        self._name = str(chain.name)
        self._span = self.pace.span
        self._faults = 0

    def watch(self, *wanted: Watch) -> None:
        """Adds watches, to be read from their first block on; those that are there already go on as they were."""
        for one in wanted:
            if one.first < 0 or len(one.topics) > tables.TOPICS or not one.name:
                raise InvalidInput(f"watch was {one!r}", hint="it needs a name, a first block and at most four topics")
        with self.store.transaction() as tx:
            for one in wanted:
                tables.put_watch(tx, self._name, one)

    def unwatch(self, name: str) -> None:
        """Reads no more for a watch; the logs that it brought stay."""
        with self.store.transaction() as tx:
            tables.drop_watch(tx, self._name, name)

    def logs(self, query: LogQuery, *, after: tuple[int, int] = START, limit: int = ROWS) -> tuple[Log, ...]:
        """Returns kept logs as the chain would, at most `limit`; `after` is (block, index) of the last seen."""
        with self.store.read() as session:
            return tuple(tables.logs(session, self._name, query, after, limit))

    def time(self, number: int) -> int:
        """Returns when a block with kept logs was made, in seconds since 1970; NotFound where it is not kept."""
        with self.store.read() as session:
            found = tables.head(session, self._name, number)
        if found is None:
            raise NotFound(f"block was {number!r}, which is not kept", hint="only blocks with watched logs are")
        return found.time

    def read_to(self, name: str) -> int:
        """Returns the last block that was read for a watch; one below its first where none was yet."""
        with self.store.read() as session:
            found = {one.name: ahead for one, ahead in tables.progress(session, self._name).cursors}
        if name not in found:
            raise NotFound(f"watch was {name!r}", hint=f"watched: {', '.join(sorted(found)) or 'nothing'}")
        return found[name] - 1

    def sync(self, stop: Callable[[], bool] = lambda: False) -> int:
        """Reads until nothing is left or `stop` says so; returns how many steps it took. Raises what a chain raises."""
        steps = 0
        while not stop() and self.step():
            steps += 1
        return steps

    def step(self) -> bool:
        """Undoes a fork or reads one range; returns False where there was nothing to do.

        Asks for fewer blocks where the chain answers badly, and raises that after some tries in a row.
        """
        with self.store.read() as session:
            seen = tables.progress(session, self._name)
        if not seen.cursors:
            return False
        try:
            busy = self._step(seen)
        except (BadAnswer, Unreachable):
            self._faults += 1
            if self._faults >= self.pace.tries:
                self._faults = 0
                raise
            self._span = max(1, self._span // 2)
            self._clock.sleep(PAUSE * 2**self._faults)
            return True
        self._faults = 0
        return busy

    def _step(self, seen: Progress) -> bool:
        if seen.newest and not self._still(seen.newest):
            return self._rewind(seen)
        top = self.chain.block().number - self.pace.confirmations
        part = divide(seen, top, self._span)
        if part is None:
            return False
        blocks, logs = self._fetch(seen, part, top)
        self._write(seen, part, blocks, logs)
        grown = self._span * 2 if len(logs) < self.pace.plenty else self._span // 2
        self._span = max(1, min(grown, self.pace.most))
        return True

    def _fetch(self, seen: Progress, part: Part, top: int) -> tuple[list[Block], list[Log]]:
        """Returns heads and logs of a range that the chain held all the while; BadAnswer where it changed under us."""
        before = self._block(part.last)
        logs = [log for log in self.chain.logs(union(part)) if any(one.takes(log) for one in part.watches)]
        numbers = {log.block for log in logs} | set(range(max(part.first, top - self.pace.window + 1), part.last + 1))
        if seen.newest is None or part.last > seen.newest.number:
            numbers.add(part.last)  # the mark by which the next step knows the chain again
        blocks = [before if number == part.last else self._block(number) for number in sorted(numbers)]
        hashes = {block.number: block.hash for block in blocks}
        linked = all(one.parent == two.hash for two, one in pairwise(blocks) if one.number == two.number + 1)
        held = all(hashes[log.block] == log.block_hash for log in logs)
        same = self._block(part.last).hash == before.hash and (seen.newest is None or self._still(seen.newest))
        if not (linked and held and same and all(part.first <= log.block <= part.last for log in logs)):
            raise BadAnswer(
                f"blocks {part.first} to {part.last} were not of one chain", hint="it changed while it was read"
            )
        return blocks, logs

    def _write(self, seen: Progress, part: Part, blocks: Sequence[Block], logs: Sequence[Log]) -> None:
        with self.store.transaction() as tx:
            if tables.progress(tx, self._name, lock=True) != seen:
                return
            tables.add(tx, self._name, blocks, logs)
            tables.advance(tx, self._name, [one.name for one in part.watches], part.last + 1)
            if seen.newest and part.last > seen.newest.number:
                window = self.pace.window
                tables.thin(tx, self._name, seen.newest.number - window, part.last - window)
            if logs:
                about = BlocksIndexed(
                    time=self._clock.now(), chain=self._name, first=part.first, last=part.last, logs=len(logs)
                )
                emit(tx, about)

    def _rewind(self, seen: Progress) -> bool:
        last = self._fork()
        with self.store.transaction() as tx:
            if tables.progress(tx, self._name, lock=True) == seen:
                gone = tables.cut(tx, self._name, last)
                emit(tx, BlocksReorged(time=self._clock.now(), chain=self._name, kept=last, logs=gone))
        return True

    def _fork(self) -> int:
        """Returns the newest kept block that holds, -1 where none does. None above it can hold, so halving finds it."""
        below: int | None = None
        while True:
            with self.store.read() as session:
                kept = tables.heads(session, self._name, self.pace.window, below)[::-1]
            if not kept:
                return -1
            if shared := bisect_left(kept, True, key=lambda head: not self._still(head)):
                return kept[shared - 1].number
            below = kept[0].number

    def _block(self, number: int) -> Block:
        try:
            return self.chain.block(number)
        except NotFound as error:  # it was there a moment ago
            raise BadAnswer(f"block {number} was taken back", hint="the chain changed while it was read") from error

    def _still(self, head: Head) -> bool:
        try:
            return self.chain.block(head.number).hash == head.hash
        except NotFound:
            return False


def divide(seen: Progress, top: int, span: int) -> Part | None:
    """Returns the next range of the watches that are furthest behind, ending where others wait; None at the top."""
    behind = [(one, ahead) for one, ahead in seen.cursors if ahead <= top]
    if not behind:
        return None
    first = min(ahead for _, ahead in behind)
    others = [ahead - 1 for _, ahead in behind if ahead > first]
    return Part(tuple(one for one, ahead in behind if ahead == first), first, min([first + span - 1, top, *others]))


def union(part: Part) -> LogQuery:
    """Returns the narrowest question whose answer holds the logs of every watch of a part."""
    every = [one.addresses for one in part.watches]
    places = min(len(one.topics) for one in part.watches)
    accepted = [[one.topics[place] for one in part.watches] for place in range(places)]
    return LogQuery(
        part.first,
        part.last,
        frozenset().union(*every) if all(every) else frozenset(),
        tuple(frozenset().union(*sets) if all(sets) else frozenset() for sets in accepted),
    )
