"""What happened at the tip since somebody last looked: blocks that came, and blocks that a fork took back."""

from __future__ import annotations

from collections import deque
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
            while self._recent and not self._still(self._recent[-1].block):
                gone = self._recent.pop()
                found.append(Change(gone.block, gone.logs, removed=True))
            last = self._recent[-1].block.number if self._recent else found[-1].block.number - 1
            try:
                top = self._chain.block().number
                for number in range(max(last + 1, top - AT_ONCE + 1), top + 1):
                    self._recent.append(self._change(self._chain.block(number)))
                    found.append(self._recent[-1])
            except NotFound:  # taken back while it was read; the next look tells of it
                pass
            return found

    def _change(self, block: Block) -> Change:
        return Change(block, self._chain.logs(LogQuery(block.number, block.number)))

    def _still(self, block: Block) -> bool:
        try:
            return self._chain.block(block.number).hash == block.hash
        except NotFound:
            return False
