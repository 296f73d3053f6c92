"""The lab's pages in a real Chromium."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from mercato.app import SECTIONS, Room, create_app
from mercato.chains.testing import local
from mercato.core.clock import SystemClock
from mercato.core.settings import load
from mercato.lab.own import mine
from mercato.lab.results import results
from mercato.lab.service import Lab
from mercato.lab.study import load as registered
from mercato.lab.workers import here
from mercato.launch.service import Launches
from mercato.launch.settings import LaunchSettings
from mercato.launch.testing import application
from mercato.store import Store
from mercato.store.testing import sqlite_store
from tests.browser.conftest import Serving
from tests.browser.visits import Visits
from tests.lab.studies import records

pytestmark = pytest.mark.browser
STUDY = "c0ffee" * 10


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    made = sqlite_store(tmp_path_factory.mktemp("lab"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def site(held: Store, serving: Serving, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Where an empty lab is, one with a study, a launch that was tried, and one that was not."""
    home: Path = tmp_path_factory.mktemp("home")
    room = Launches(held, local(), SystemClock(), LaunchSettings())
    tried, other = (room.apply(application(symbol=symbol)) for symbol in ("TRIED", "OTHER"))
    full, empty = Lab(home / "full", room), Lab(home / "empty", room)
    full.publish(json.loads(json.dumps(results(records(), STUDY))))
    study = registered()
    few = replace(study, attacks={name: points[:1] for name, points in study.attacks.items()})
    full.keep(tried, mine(few, tried.application, 1, here))
    first, second = (
        serving(create_app(load(*SECTIONS, home=home), held, [Room("launch", room), Room("lab", lab)], worker=False))
        for lab in (full, empty)
    )
    return {
        "a study": f"{first}/lab", "no study": f"{second}/lab", "a launch": f"{first}/lab/launches/{tried.id}",
        "a launch not tried": f"{first}/lab/launches/{other.id}",
    }  # fmt: skip


ALIKE = [pytest.param(name, marks=pytest.mark.nightly) for name in ("no study", "a launch not tried")]


@pytest.mark.parametrize("page", ["a study", "a launch", *ALIKE])
def test_a_page_of_the_lab_meets_the_standard(visits: Visits, site: dict[str, str], page: str) -> None:
    visits.check(site[page])


def test_the_page_of_a_study_needs_no_script_and_shows_every_table(visits: Visits, site: dict[str, str]) -> None:
    with visits.open(site["a study"]) as visit:
        shut = visit.page.locator("details").count()
        visit.page.locator("details summary").first.click()
        tables = visit.page.locator("table:visible").count()

    assert (shut, tables) == (5, 4)
    assert visit.complaints == []
