"""A gateway over several stub providers at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from mercato.compute.testing import stub
from tests.compute.gateway.house import House, blank, furnished

BEHAVIOURS = {"good": "honest", **{name: name for name in ("flaky", "html", "error-in-200", "redirect", "truncate")}}


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("fleet")
    with ExitStack() as opened:
        urls = {name: opened.enter_context(stub(behaviour)).url for name, behaviour in BEHAVIOURS.items()}
        database = blank(tmp_path_factory.mktemp("blank"))
        yield opened.enter_context(House(furnished(folder, database), urls, attempts=len(urls)))
