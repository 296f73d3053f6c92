"""The lab's pages and JSON over real HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from mercato.api.testing import serve
from mercato.app import SECTIONS, Room, create_app, create_worker
from mercato.chains.testing import local
from mercato.core.clock import SystemClock
from mercato.core.settings import load
from mercato.lab.results import results
from mercato.lab.service import REGISTERED, Lab
from mercato.launch.service import Launches
from mercato.launch.settings import LaunchSettings
from mercato.launch.testing import application
from mercato.store.testing import sqlite_store
from mercato.store.worker import Worker
from tests.lab.studies import records

FOUND = json.loads(json.dumps(results(records(), "c0ffee" * 10)))
NAME = "c0ffeec0ffeec0ff"


@dataclass
class Site:
    """A Mercato with one draft of a launch, and nothing in its lab at first."""

    client: httpx.Client
    lab: Lab
    launch: str
    worker: Worker


@pytest.fixture
def shipped(tmp_path: Path) -> Path:
    """Where the shipped study would be; none is there."""
    return tmp_path / REGISTERED.name


@pytest.fixture
def site(tmp_path: Path, shipped: Path) -> Iterator[Site]:
    store = sqlite_store(tmp_path)
    room = Launches(store, local(), SystemClock(), LaunchSettings())
    lab = Lab(tmp_path, room, shipped)
    rooms = [Room("launch", room), Room("lab", lab)]
    created = create_app(load(*SECTIONS, home=tmp_path), store, rooms, worker=False)
    asking = {"accept": "text/html"}
    with serve(created) as address, httpx.Client(base_url=address, timeout=60, headers=asking) as client:
        yield Site(client, lab, room.apply(application()).id, create_worker(store, rooms, threads=1))
    store.close()


def test_without_a_study_the_page_says_how_to_make_one(site: Site) -> None:
    assert "mercato lab run" in site.client.get("/lab").text
    assert site.client.get("/api/lab/studies").json() == []


def test_a_shipped_study_is_shown_until_another_has_more_seeds(site: Site, shipped: Path) -> None:
    other = {**FOUND, "config_hash": "f00d" * 16, "seeds": {**FOUND["seeds"], "n": 1}}
    shipped.write_text(json.dumps(other))
    before = [item["id"] for item in site.client.get("/api/lab/studies").json()]
    site.lab.publish(FOUND)

    assert before == ["f00d" * 4]
    assert [item["id"] for item in site.client.get("/api/lab/studies").json()] == [NAME, "f00d" * 4]


def test_a_reported_study_is_on_the_page_and_says_that_it_is_simulated(site: Site) -> None:
    site.lab.publish(FOUND)
    page = site.client.get("/lab").text

    assert "<b>Simulated.</b>" in page
    assert "Where our auction loses, and where it wins" in page
    assert page.count('<svg class="chart') == 7
    assert site.client.get(f"/lab/studies/{NAME}").text.count("<table") == page.count("<table")


def test_a_study_is_there_as_json_too(site: Site) -> None:
    site.lab.publish(FOUND)

    assert [item["id"] for item in site.client.get("/api/lab/studies").json()] == [NAME]
    assert site.client.get(f"/api/lab/studies/{NAME}").json() == FOUND


@pytest.mark.parametrize("name", ["0000000000000000", "..%2F..%2Fmercato", "x"])
def test_a_study_that_is_not_there_is_not_found(site: Site, name: str) -> None:
    assert site.client.get(f"/lab/studies/{name}").status_code == 404


def test_a_file_that_is_no_study_is_left_out(site: Site) -> None:
    site.lab.publish(FOUND)
    (site.lab.folder / "aaaaaaaaaaaaaaaa.json").write_text("[1, 2")
    (site.lab.folder / "bbbbbbbbbbbbbbbb.json").write_text('{"config_hash": "cc"}')

    assert [item["config_hash"] for item in site.lab.studies()] == [FOUND["config_hash"]]


def test_a_launch_links_to_the_lab(site: Site) -> None:
    assert f'href="/lab/launches/{site.launch}"' in site.client.get(f"/launch/{site.launch}").text
    assert f'href="/lab/launches/{site.launch}"' in site.client.get(f"/launch/desk/{site.launch}").text


def test_a_launch_is_tried_once_it_was_asked_for(site: Site) -> None:
    place = f"/lab/launches/{site.launch}"
    before = site.client.get(place).text
    asked = site.client.post(place, headers={"origin": str(site.client.base_url).rstrip("/")})
    waiting = site.client.get(asked.headers["location"]).text
    site.worker.drain()
    after = site.client.get(place).text

    assert asked.status_code == 303
    assert "Not worked out yet" in before
    assert "It is being worked out" in waiting
    assert "What attacks take" in after
    assert "twice as much money" in after
