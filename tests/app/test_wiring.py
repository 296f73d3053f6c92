from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import httpx
import pytest
from fastapi import APIRouter
from websockets.sync.client import connect

from mercato.api.testing import serve
from mercato.app import SECTIONS, Room, check, create_app, create_worker
from mercato.core.errors import Conflict
from mercato.core.events import Event
from mercato.core.settings import Settings, load
from mercato.store import Store, migrate
from mercato.store.model import Schedule
from mercato.store.outbox import emit
from tests.postgres import Cluster

ROOT = Path(__file__).parents[2]
OTHER_PROCESS = "import sys; from tests.app.test_wiring import speak; speak(sys.argv[1], sys.argv[2])"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoke(Event):
    room: ClassVar[str] = "talk"
    said: str


def speak(url: str, said: str) -> None:
    """Commits an event, as another process would."""
    store = Store(url)
    with store.transaction() as tx:
        emit(tx, Spoke(time=datetime.now(UTC), said=said))
    store.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    databases = {"sqlite": lambda: f"sqlite:///{tmp_path / 'mercato.db'}", "postgresql": lambda: None}
    plain = databases[request.param]()
    if plain:
        yield plain
        return
    cluster: Cluster = request.getfixturevalue("postgres")
    with cluster.database() as found:
        yield found


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    made = Store(url)
    migrate(made)
    yield made
    made.close()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load(*SECTIONS, home=tmp_path)


class Talk(Room):
    """A room of a test: parts made here, under the name of a real one, whose templates it does not use."""

    def part(self, name: str) -> ModuleType | None:
        made = ModuleType(name)
        made.__dict__.update(PARTS.get(name, {}))
        return made if name in PARTS else None


def routes(service: object) -> APIRouter:
    router = APIRouter()

    @router.get("/words")
    def words() -> dict[str, str]:
        """Say something."""
        return {"said": str(service)}

    return router


def pages(service: object, render: Any) -> APIRouter:
    router = APIRouter()

    @router.get("/talk")
    def talk() -> Any:
        return render("web/start.html", topic="talk")

    return router


PARTS: dict[str, dict[str, Any]] = {
    "routes": {"router": routes},
    "pages": {
        "NAV": (("/talk", "Talk"),),
        "pages": pages,
        "live": lambda service, render: {
            "talk.Spoke": lambda event: [("talk", "line", render("web/gallery_pulse.html", words=event.body["said"]))]
        },
    },
    "jobs": {
        "handlers": lambda service: {"talk.answer": lambda run: service.append(run.job.body["body"]["said"])},
        "SUBSCRIPTIONS": {"talk.Spoke": ["talk.answer"]},
        "SCHEDULES": (),
    },
}


def test_what_another_process_commits_reaches_the_pages_as_numbers_and_as_a_fragment(
    url: str, store: Store, settings: Settings
) -> None:
    app = create_app(settings, store, [Talk("market", [])], worker=False)
    with serve(app) as address, connect(f"{address.replace('http', 'ws')}/live?topic=talk") as socket:
        hello = json.loads(socket.recv(timeout=60))
        subprocess.run([sys.executable, "-c", OTHER_PROCESS, url, "<hi>"], check=True, timeout=60, cwd=ROOT)
        spoke, line = json.loads(socket.recv(timeout=60)), json.loads(socket.recv(timeout=60))

    assert hello["event"] == "hello"
    assert (spoke["event"], spoke["data"]) == ("Spoke", {"said": "<hi>"})
    assert (line["event"], line["html"].strip()) == ("line", "<b>&lt;hi&gt;</b>")


def test_the_jobs_of_a_room_run_in_the_serving_process(url: str, store: Store) -> None:
    heard: list[str] = []
    worker = create_worker(store, [Talk("market", heard)])
    speak(url, "hello")

    assert worker.drain() > 0
    assert heard == ["hello"]


def test_a_room_is_served_by_its_parts(store: Store, settings: Settings) -> None:
    with serve(create_app(settings, store, [Talk("market", "me")], worker=False)) as address:
        words = httpx.get(f"{address}/api/market/words").json()
        page = httpx.get(f"{address}/", follow_redirects=True).text
        listed = httpx.get(f"{address}/api").text

    assert words == {"said": "me"}
    assert '<a href="/talk" aria-current="page">Talk</a>' in page
    assert 'data-topic="talk"' in page
    assert "GET /api/market/words" in listed
    assert "Say something" in listed


def test_a_browser_gets_problems_as_pages_and_a_program_gets_them_as_json(store: Store, settings: Settings) -> None:
    with serve(create_app(settings, store, (), worker=False)) as address:
        page = httpx.get(f"{address}/nowhere", headers={"accept": "text/html"})
        body = httpx.get(f"{address}/nowhere", headers={"accept": "application/json"})

    assert (page.status_code, "<h1>Not Found</h1>" in page.text) == (404, True)
    assert body.headers["content-type"] == "application/problem+json"


def test_a_database_that_was_not_migrated_is_not_ready(tmp_path: Path) -> None:
    bare = Store(f"sqlite:///{tmp_path / 'bare.db'}")
    with pytest.raises(Conflict, match="database was at step None"):
        check(bare)
    migrate(bare)
    check(bare)
    bare.close()


def test_schedules_of_all_rooms_are_followed(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    from datetime import timedelta

    from mercato.store.schedules import next_due

    monkeypatch.setitem(PARTS["jobs"], "SCHEDULES", (Schedule("talk.daily", "talk.answer", timedelta(days=1)),))
    create_worker(store, [Talk("market", [])]).prepare()
    with store.read() as session:
        assert "talk.daily" in next_due(session)


def test_a_process_starts_without_pandas() -> None:
    """It takes a fifth of a start; what needs it (the first Arrow array does) imports it then."""
    script = "import sys, mercato.app; print('pandas' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert ran.stdout.strip() == "False"
