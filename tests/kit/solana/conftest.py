"""A town on the embedded cluster, and the operator's kit in it, for each test."""

from __future__ import annotations

import pytest

from mercato.core.clock import HandClock
from mercato.kit.service import Kit
from mercato.store import Store
from tests.kit.solana import ground
from tests.kit.solana.acting import opened
from tests.kit.solana.ground import Town


@pytest.fixture
def town() -> Town:
    return ground.town()


@pytest.fixture
def kit(sqlite: Store, clock: HandClock, town: Town) -> Kit:
    """A kit whose policy lets the operator do everything with SOL and the dollar."""
    return opened(town, sqlite, clock)
