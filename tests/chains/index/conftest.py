"""An embedded chain with a talkative contract, and stores of both kinds to index it into."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from mercato.chains import Address, Chain, Deployed, Log, LogQuery, deploy
from mercato.chains.evm.local import LocalChain
from mercato.chains.model import Call, Watch
from mercato.chains.service import Indexer, Pace
from mercato.chains.testing import ACCOUNTS, local
from mercato.contracts import load
from mercato.core.clock import HandClock
from mercato.store import Store
from mercato.store.tables import event
from tests.conformance.store.conftest import BACKENDS, on_postgres, on_sqlite

ALL = LogQuery(0, 2**62)
#: Small, so that few blocks fill many ranges and windows.
PACE = Pace(window=4, span=3, most=8, plenty=6)


@dataclass
class World:
    """A chain on which two dollars can be made to write logs."""

    chain: LocalChain
    dollars: tuple[Deployed, Deployed]

    def speak(self, count: int = 1, dollar: int = 0) -> None:
        """Makes blocks of one log each."""
        for _ in range(count):
            self.dollars[dollar].send("faucet", ACCOUNTS[1], 1, sender=ACCOUNTS[1])

    def speak_together(self, count: int) -> None:
        """Makes one block of several logs."""
        self.chain.automine = False
        for number in range(count):
            self.chain.send(Call(ACCOUNTS[number % 5], *self._call(number), gas=200_000))
        self.chain.automine = True
        self.chain.mine()

    def _call(self, number: int) -> tuple[Address, bytes]:
        dollar = self.dollars[number % 2]
        return dollar.address, dollar.interface.encode("faucet", ACCOUNTS[2], number + 1)

    def watches(self) -> tuple[Watch, Watch]:
        """One watch for each dollar."""
        one, two = self.dollars
        return Watch("one", 0, frozenset({one.address})), Watch("two", 0, frozenset({two.address}))


@pytest.fixture
def world() -> World:
    chain, artefact = local(), load("test_dollar")

    def made() -> Deployed:
        return deploy(chain, artefact.abi, artefact.bytecode, sender=ACCOUNTS[0])

    return World(chain, (made(), made()))


@pytest.fixture(params=BACKENDS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A migrated, empty store."""
    yield from {"sqlite": on_sqlite, "postgresql": on_postgres}[request.param](request, tmp_path)


def indexer(store: Store, chain: Chain, pace: Pace = PACE) -> Indexer:
    """An indexer that waits by hand."""
    return Indexer(store, chain, HandClock(datetime(2026, 3, 2, 12, tzinfo=UTC)), pace)


def told(store: Store) -> tuple[list[dict], list[dict]]:
    """What events said was indexed, and what was taken back."""
    with store.read() as session:
        found = session.execute(sa.select(event.c.name, event.c.body).order_by(event.c.id)).all()
    return (
        [row.body for row in found if row.name == "chains.BlocksIndexed"],
        [row.body for row in found if row.name == "chains.BlocksReorged"],
    )


def agrees(store: Store, index: Indexer, truth: tuple[Log, ...]) -> None:
    """Checks that the index holds exactly these logs, and that events tell of exactly those that it holds."""
    came, went = told(store)

    assert index.logs(ALL) == truth
    assert sum(one["logs"] for one in came) - sum(one["logs"] for one in went) == len(truth)
