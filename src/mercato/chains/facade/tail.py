"""What happened at the tip since somebody last looked: blocks that came, and blocks that a fork took back."""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from threading import Lock

from mercato.chains.evm.local import LocalChain
from mercato.chains.model import Block, Log, LogQuery
from mercato.core.errors import NotFound

DEPTH = 512  # blocks whose logs are remembered, to be told of where they are taken back
AT_ONCE = 2048


@dataclass(frozen=True, slots=True)
class Change:
    """A block with its logs that came, or that was `removed`."""

    block: Block
    logs: tuple[Log, ...]
    removed: bool = False


class Tail:
    """Follows the tip of a chain from the block that is newest when it is made."""

    def __init__(self, chain: LocalChain) -> None:
        self._chain = chain
        self._lock = Lock()
        self._recent: deque[Change] = deque([self._change(chain.block())], maxlen=DEPTH)

    def advance(self) -> list[Change]:
        """Returns what changed since the last call: first the blocks taken back, newest first, then those that came."""
        with self._lock:
            found = []
            while not self._still(self._recent[-1].block):
                gone = self._recent.pop()
                found.append(Change(gone.block, gone.logs, removed=True))
                if not self._recent:  # whatever is below is as good a start as any
                    self._recent.append(self._change(self._at_most(gone.block.number - 1)))
            last = self._recent[-1].block.number
            top = self._chain.block().number
            with suppress(NotFound):  # taken back while it is read; the next look tells of it
                for number in range(max(last + 1, top - AT_ONCE + 1), top + 1):
                    self._recent.append(self._change(self._chain.block(number)))
                    found.append(self._recent[-1])
            return found

    def _at_most(self, number: int) -> Block:
        newest = self._chain.block()
        if newest.number > number:
            with suppress(NotFound):
                return self._chain.block(number)
        return newest

    def _change(self, block: Block) -> Change:
        return Change(block, self._chain.logs(LogQuery(block.number, block.number)))

    def _still(self, block: Block) -> bool:
        try:
            return self._chain.block(block.number).hash == block.hash
        except NotFound:
            return False
