from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from mercato.api import Hub, Message, Metrics, Relay
from mercato.api.live import Live
from mercato.api.testing import serve


class Station:
    """A served hub, and a way to publish from the test's own thread."""

    def __init__(self) -> None:
        self.hub = Hub(limit=3, depth=4)
        self.metrics = Metrics()
        self.loop: asyncio.AbstractEventLoop | None = None
        self.started = threading.Event()
        self.app = FastAPI(lifespan=None)
        self.app.add_api_websocket_route(
            "/live", Live(self.hub, heartbeat=0.2, origins=["https://friend.example"]).endpoint
        )

        @self.app.get("/start")
        async def start() -> None:
            self.loop = asyncio.get_running_loop()

    def publish(self, topic: str, message: Message) -> None:
        assert self.loop is not None
        self.loop.call_soon_threadsafe(self.hub.publish, topic, message)

    def relay(self, renderers: Any) -> Relay:
        assert self.loop is not None
        return Relay(self.hub, self.loop, renderers, self.metrics)


@pytest.fixture
def station() -> Iterator[Any]:
    made = Station()
    with serve(made.app) as address:
        httpx.get(f"{address}/start")
        yield SimpleNamespace(own=made, host=address.removeprefix("http://"))


def joined(station: Any, query: str = "topic=market", origin: str | None = None) -> ClientConnection:
    own = None if origin is None else Origin(origin)
    return connect(f"ws://{station.host}/live?{query}", origin=own, open_timeout=60)


def hear(socket: ClientConnection, *, beats: bool = False) -> dict[str, Any]:
    """The next message, heartbeats left out unless they are wanted."""
    while True:
        message: dict[str, Any] = json.loads(socket.recv(timeout=60))
        if beats or message["event"] != "beat":
            return message


def test_a_connection_is_greeted_hears_its_topic_and_the_heartbeat(station: Any) -> None:
    with joined(station) as socket:
        hello = hear(socket)
        station.own.publish("swarm", Message("foreign"))
        station.own.publish("market", Message("moved", data={"cap": "1"}))
        moved, beat = hear(socket), hear(socket, beats=True)

    assert hello["event"] == "hello"
    assert (moved["event"], moved["data"]) == ("moved", {"cap": "1"})
    assert beat["event"] == "beat"


def test_a_connection_that_comes_back_gets_what_it_missed(station: Any) -> None:
    with joined(station) as socket:
        since = hear(socket)["at"]
    station.own.publish("market", Message("missed"))
    with joined(station, f"topic=market&since={since}") as socket:
        heard = [hear(socket)["event"], hear(socket)["event"]]

    assert heard == ["hello", "missed"]


@pytest.mark.parametrize("origin", ["https://evil.example", "http://127.0.0.1:1", "null"])
def test_pages_of_other_sites_are_refused(station: Any, origin: str) -> None:
    with pytest.raises(Exception, match="HTTP 403"):
        joined(station, origin=origin)


@pytest.mark.parametrize("origin", ["https://friend.example", "http://{host}", "http://{host}/"])
def test_our_own_pages_and_named_friends_are_welcome(station: Any, origin: str) -> None:
    with joined(station, origin=origin.format(host=station.host)) as socket:
        assert hear(socket)["event"] == "hello"


@pytest.mark.parametrize(("query", "code"), [("", 1008), ("topic=NO", 1008)])
def test_malformed_topics_are_refused_with_a_reason(station: Any, query: str, code: int) -> None:
    with joined(station, query) as socket, pytest.raises(ConnectionClosed) as closed:
        socket.recv(timeout=60)

    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == code
    assert "topics were" in closed.value.rcvd.reason


def test_a_full_hub_asks_to_come_back_later_and_forgets_those_who_left(station: Any) -> None:
    with ExitStack() as stack:
        sockets = [stack.enter_context(joined(station)) for _ in range(3)]
        hello = [hear(socket)["event"] for socket in sockets]
        with joined(station) as fourth, pytest.raises(ConnectionClosed) as closed:
            fourth.recv(timeout=60)
    with joined(station) as again:
        hello.append(hear(again)["event"])

    assert closed.value.rcvd is not None
    assert (closed.value.rcvd.code, hello) == (1013, ["hello"] * 4)


def test_an_event_goes_to_its_room_and_is_rendered_once_for_all(station: Any) -> None:
    rendered = []

    def render(event: Any) -> list[tuple[str, str, str]]:
        rendered.append(event.name)
        return [("market", "overview", f"<b>{event.body['rows']}</b>")]

    relay = station.own.relay({"market.Arrived": render})
    event = SimpleNamespace(name="market.Arrived", body={"rows": 3})
    with joined(station) as one, joined(station) as two:
        hellos = [hear(one)["event"], hear(two)["event"]]
        threading.Thread(target=relay, args=(event,)).start()
        heard = [[hear(socket) for _ in range(2)] for socket in (one, two)]

    assert hellos == ["hello", "hello"]
    assert heard[0] == heard[1]
    assert [item.get("data") or item.get("html") for item in heard[0]] == [{"rows": 3}, "<b>3</b>"]
    assert rendered == ["market.Arrived"]


def test_a_failing_renderer_loses_its_fragment_only(station: Any) -> None:
    def fail(event: Any) -> list[tuple[str, str, str]]:
        raise RuntimeError("template is broken")

    relay = station.own.relay({"market.Arrived": fail})
    with joined(station) as socket:
        hello = hear(socket)["event"]
        relay(SimpleNamespace(name="market.Arrived", body={}))
        assert (hello, hear(socket)["event"]) == ("hello", "Arrived")


def test_nothing_is_rendered_where_nobody_listens(station: Any) -> None:
    rendered: list[str] = []

    def render(event: Any) -> list[tuple[str, str, str]]:
        rendered.append(event.name)
        return []

    station.own.relay({"market.Arrived": render})(SimpleNamespace(name="market.Arrived", body={}))

    assert rendered == []
