"""Earlier states of the embedded chain, made by running its blocks again on an engine of their own.

Engines keep only the newest state. The first look back runs every block up to there, later ones only what lies between.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from mercato.chains.evm.engine import Engine, Head, Message
from mercato.chains.model import Address


@dataclass(frozen=True, slots=True)
class Grant:
    """Money from nowhere, given when the newest block was `height`."""

    height: int
    address: Address
    wei: int


@dataclass
class Past:
    """An engine that stands after some earlier block. `given` counts the grants that it has seen."""

    fresh: Callable[[], Engine]
    grants: list[Grant] = field(default_factory=list)
    _engine: Engine | None = None
    _height: int = 0
    _given: int = 0

    def cut(self, height: int, grants: int) -> None:
        """Forgets what was given and run beyond a mark."""
        del self.grants[grants:]
        if self._height > height or self._given > grants:
            self._engine = None

    def after(self, height: int, plays: Callable[[int], tuple[Head, list[Message]]]) -> Engine:
        """Returns an engine with the state after a block; `plays` gives a block's head and what was run in it."""
        if self._engine is None or self._height > height:
            self._engine, self._height, self._given = self.fresh(), 0, 0
        engine = self._engine
        for number in range(self._height + 1, height + 1):
            self._give(engine, number - 1)
            head, messages = plays(number)
            for message in messages:
                engine.run(message, head)
            self._height = number
        self._give(engine, height)
        return engine

    def _give(self, engine: Engine, height: int) -> None:
        while self._given < len(self.grants) and self.grants[self._given].height <= height:
            grant = self.grants[self._given]
            engine.set_balance(grant.address, grant.wei)
            self._given += 1
