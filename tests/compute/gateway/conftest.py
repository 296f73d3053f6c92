from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from mercato.compute import verifying
from tests.compute.gateway.house import House, blank, furnished

Open = Callable[..., House]


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return blank(tmp_path_factory.mktemp("blank"))


@pytest.fixture
def house(tmp_path: Path, database: Path) -> Iterator[Open]:
    """Opens a gateway over upstreams, each named with its address; it ends with the test."""
    with ExitStack() as opened:

        def start(upstreams: dict[str, str], **wanted: Any) -> House:
            return opened.enter_context(House(furnished(tmp_path / "home", database), upstreams, **wanted))

        yield start


@pytest.fixture
def look_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers look into the store ten times a second, so that nobody waits long here."""
    monkeypatch.setattr(verifying, "PAUSE", 0.1)
