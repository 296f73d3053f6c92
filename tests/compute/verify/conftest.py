"""A gateway whose answers are audited by a reference."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from mercato.compute.settings import Auditing
from mercato.compute.testing import stub
from tests.compute.gateway.house import PRICE, House, blank, furnished

Audited = Callable[..., House]


@pytest.fixture(scope="session")
def audited_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return blank(tmp_path_factory.mktemp("audited"))


@pytest.fixture
def audited(tmp_path: Path, audited_database: Path) -> Iterator[Audited]:
    """Opens a gateway over stub providers, named with their behaviour; the reference is an honest one of its own."""
    with ExitStack() as opened:

        def start(
            behaviours: dict[str, str], *, checker: str = "honest", features: frozenset[str] = PRICE.features,
            **audit: Any,
        ) -> House:  # fmt: skip
            urls = {name: opened.enter_context(stub(each)).url for name, each in behaviours.items()}
            urls["reference"] = opened.enter_context(stub(checker)).url
            wanted = Auditing(**{"checker": "reference", "horizon": 1_000, **audit})
            listed = PRICE.model_copy(update={"features": features})
            home = furnished(tmp_path / "home", audited_database)
            return opened.enter_context(House(home, urls, audit=wanted, listed=listed))

        yield start
