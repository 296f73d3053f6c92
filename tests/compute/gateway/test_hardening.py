"""Clients that mean harm: each is refused clearly, or cut off, while others are served."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from mercato.compute.fleet.stub import Stub
from mercato.compute.testing import stub
from tests.compute.gateway.conftest import Open
from tests.compute.gateway.endless import endless
from tests.compute.gateway.house import PRICE, QUESTION, House, furnished
from tests.waiting import wait_for

ASK: dict[str, Any] = {"model": "toy", "messages": QUESTION, "max_tokens": 5}
LONG = PRICE.model_copy(update={"context": 100_000})
RAW = json.dumps(ASK).encode()


def place(home: House) -> tuple[str, int]:
    return "127.0.0.1", int(home.base.split(":")[2].removesuffix("/v1"))


@pytest.fixture(scope="module")
def still(database: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A gateway without providers, for requests that never reach one."""
    with House(furnished(tmp_path_factory.mktemp("still"), database), {}) as home:
        yield home


@pytest.fixture(scope="module")
def served(database: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[House, Stub]]:
    """A gateway with one honest provider."""
    with stub() as one, House(furnished(tmp_path_factory.mktemp("served"), database), {"one": one.url}) as home:
        yield home, one


@contextmanager
def wire(home: House) -> Iterator[socket.socket]:
    with socket.create_connection(place(home), timeout=20) as made:
        yield made


def head(home: House, *lines: str, length: int | None = len(RAW)) -> bytes:
    more = [] if length is None else [f"content-length: {length}"]
    first = ["POST /v1/chat/completions HTTP/1.1", "host: x", f"authorization: Bearer {home.ann}"]
    return "\r\n".join([*first, "content-type: application/json", *more, *lines, "", ""]).encode()


def heard(made: socket.socket) -> bytes:
    """Returns all that comes until the other side closes."""
    parts = []
    while part := made.recv(65536):
        parts.append(part)
    return b"".join(parts)


def test_a_head_that_comes_too_slowly_is_cut_off_while_others_are_served(house: Open) -> None:
    with stub() as one:
        home = house({"one": one.url}, head_seconds=0.3)
        with wire(home) as silent, wire(home) as slow:
            slow.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nx-a: ")
            served = home.post("/chat/completions", ASK)
            answers = [heard(silent), heard(slow)]

    assert served.status == 200
    assert [answer.split(b"\r\n")[0] for answer in answers] == [b"HTTP/1.1 408 Request Timeout"] * 2


def test_a_body_that_comes_too_slowly_is_refused_while_others_are_served(house: Open) -> None:
    with stub() as one:
        home = house({"one": one.url}, reading_seconds=0.3)
        with wire(home) as slow:
            slow.sendall(head(home, "connection: close") + RAW[:10])
            served = home.post("/chat/completions", ASK)
            answer = heard(slow)

    assert served.status == 200
    assert answer.startswith(b"HTTP/1.1 408")
    assert b"request_timeout" in answer


def test_a_client_that_does_not_read_is_dropped_and_billed_for_what_it_was_sent(house: Open) -> None:
    with endless() as one:
        home = house({"one": one}, sending_seconds=0.2, listed=LONG, buffer=4096)
        raw = json.dumps({**ASK, "max_tokens": 60_000, "stream": True}).encode()
        with socket.socket() as deaf:
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            deaf.connect(place(home))
            deaf.sendall(head(home, length=len(raw)) + raw)
            name = deaf.recv(2000).partition(b"x-request-id: ")[2].partition(b"\r\n")[0].decode()
            receipt = _receipt(home, name)

    assert receipt["end"] == "client-gone"


def test_a_part_of_an_answer_is_not_given_again_as_if_it_were_the_whole(house: Open) -> None:
    raw = json.dumps({**ASK, "max_tokens": 100, "stream": True}).encode()
    with stub(gap=0.05) as one:
        home = house({"one": one.url})
        with wire(home) as hasty:
            hasty.sendall(head(home, "idempotency-key: a", length=len(raw)) + raw)
            name = hasty.recv(2000).partition(b"x-request-id: ")[2].partition(b"\r\n")[0].decode()
        receipt = _receipt(home, name)
        again = home.post("/chat/completions", raw, {"idempotency-key": "a"})

    assert receipt["end"] == "client-gone"
    assert (again.status, again.error["code"], len(one.asked)) == (409, "idempotency_conflict", 1)


def test_a_head_that_is_too_large_is_refused(still: House) -> None:
    with wire(still) as made:
        made.sendall(b"GET /v1/models HTTP/1.1\r\nhost: x\r\n" + b"x-a: " + b"a" * 40_000)
        answer = heard(made)

    assert answer.startswith(b"HTTP/1.1 431")


@pytest.mark.parametrize(
    "lines",
    [
        ["transfer-encoding: chunked"],
        [f"content-length: {len(RAW) + 1}"],
        ["content-length: -1"],
        ["content-length : 5"],
        ["x-a: b\x00c"],
        ["transfer-encoding: xchunked"],
        ["transfer-encoding: chunked, identity"],
        [" folded: x"],
    ],
)
def test_a_head_that_two_readers_could_read_differently_is_refused(
    served: tuple[House, Stub], lines: list[str]
) -> None:
    home, one = served
    before = len(one.asked)
    with wire(home) as made:
        made.sendall(head(home, *lines) + b"0\r\n\r\n" + RAW)
        made.shutdown(socket.SHUT_WR)
        answer = heard(made)

    assert answer[:12] in (b"HTTP/1.1 400", b"")
    assert len(one.asked) == before


@pytest.mark.parametrize("name", ["authorization: Bearer x", "content-type: application/json", "idempotency-key: b"])
def test_a_header_that_decides_is_there_once(still: House, name: str) -> None:
    with wire(still) as made:
        made.sendall(head(still, "idempotency-key: a", name, "connection: close") + RAW)
        answer = heard(made)

    assert b"invalid_header" in answer


def test_no_header_of_a_client_reaches_a_provider(house: Open) -> None:
    with stub(key="sk-upstream") as one:
        home = house({"one": one.url})
        answer = home.post("/chat/completions", ASK, {"x-forwarded-for": "1.2.3.4", "cookie": "a=b", "x-secret": "s"})
        sent = {name.lower(): value for name, value in one.asked[0].headers.items()}

    assert answer.status == 200
    assert set(sent) == {
        "host", "content-type", "accept", "accept-encoding", "user-agent", "content-length", "authorization",
        "x-request-id",
    }  # fmt: skip
    assert home.ann not in str(sent)


def test_fifty_megabytes_are_refused_whether_their_size_is_told_or_not(house: Open) -> None:
    async def parts() -> Any:
        for _ in range(50):
            yield b" " * 1_000_000

    home = house({}, body_octets=8_000_000)
    told = home.post("/chat/completions", b" " * 50_000_000)
    untold = home.post("/chat/completions", parts())

    assert [(answer.status, answer.error["code"]) for answer in (told, untold)] == [(413, "request_too_large")] * 2


def test_large_bodies_together_have_a_bounded_room_and_small_ones_are_served_meanwhile(house: Open) -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 600_000}}
    large = json.dumps({**ASK, "messages": [{"role": "user", "content": [image]}]}).encode()
    with stub() as one:
        home = house({"one": one.url}, bodies_octets=1_000_000)
        with wire(home) as slow:
            slow.sendall(head(home, length=len(large)) + large[:-1])
            for _ in range(
                20
            ):  # the gateway reads what was sent meanwhile; of two that are read at once either is refused
                home.post("/chat/completions", ASK)
            refused, small = home.post("/chat/completions", large), home.post("/chat/completions", ASK)
            slow.sendall(large[-1:])
            served = slow.recv(100)
        wait_for(lambda: home.post("/chat/completions", large).status == 200)
        untold = home.post("/chat/completions", large)

    assert (refused.status, refused.headers["retry-after"], small.status) == (429, "1", 200)
    assert served.startswith(b"HTTP/1.1 200")
    assert untold.status == 200, "what was taken is given back"


def test_more_requests_at_once_than_a_worker_takes_are_told_to_come_again(house: Open) -> None:
    with stub() as one:
        home = house({"one": one.url}, requests=1)
        with wire(home) as slow:
            slow.sendall(head(home) + RAW[:10])
            wait_for(lambda: home.post("/chat/completions", ASK).status == 429)
            refused = home.post("/chat/completions", ASK)
            slow.sendall(RAW[10:])
            assert slow.recv(100).startswith(b"HTTP/1.1 200")
        wait_for(lambda: home.post("/chat/completions", ASK).status == 200)

    assert (refused.error["code"], refused.headers["retry-after"]) == ("rate_limit_exceeded", "1")


def test_an_image_of_thirty_megabytes_passes(house: Open) -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 30_000_000}}
    with stub() as one:
        home = house({"one": one.url})
        answer = home.post("/chat/completions", {**ASK, "messages": [{"role": "user", "content": [image]}]})

    assert answer.status == 200
    assert int(answer.headers["x-cost-micro"]) < 10_000


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"content-type": "text/plain"}, 415),
        ({"content-encoding": "gzip"}, 415),
        ({"authorization": "Bearer mk_wrong"}, 401),
        ({"authorization": ""}, 401),
        ({"authorization": "Basic x"}, 401),
        ({"authorization": "Bearer \u00e9"}, 401),
        ({"idempotency-key": "x" * 201}, 400),
    ],
)
def test_headers_that_are_wrong_are_refused(still: House, headers: dict[str, str], status: int) -> None:
    answer = still.post("/chat/completions", ASK, headers)

    assert (answer.status, answer.error["type"] != "server_error") == (status, True)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("get", "/chat/completions", 405), ("post", "/models", 405), ("get", "/nothing", 404), ("get", "/../x", 404)],
)
def test_paths_and_methods_that_there_are_not_are_told_of(still: House, method: str, path: str, status: int) -> None:
    answer = still.post(path, {}) if method == "post" else still.get(path)

    assert answer.status == status


def test_an_answer_that_is_too_large_ends_its_attempt(house: Open) -> None:
    with stub(gap=0.005) as one:
        home = house({"one": one.url}, answer_octets=1_500)
        whole = home.post("/chat/completions", {**ASK, "max_tokens": 500})
        streamed = home.post("/chat/completions", {**ASK, "max_tokens": 60, "stream": True})
        small = home.post("/chat/completions", ASK)

    assert (whole.status, small.status) == (502, 200)
    assert "sent too much" in whole.error["message"]
    assert b"provider sent more than 1500 octets" in streamed.body
    assert b"[DONE]" not in streamed.body


def test_an_upstream_at_a_private_address_is_not_connected_to(house: Open) -> None:
    with stub() as one:
        port = one.url.split(":")[2]
        there = {
            "literal": one.url, "named": f"http://localhost:{port}", "mapped": f"http://[::ffff:127.0.0.1]:{port}",
            "circled": f"http://①②⑦.0.0.1:{port}", "wide": f"http://127。0。0。1:{port}", "number": f"http://2130706433:{port}",
            "short": f"http://127.1:{port}", "octal": f"http://0177.0.0.1:{port}",
        }  # fmt: skip
        home = house(there, private=False, attempts=10)
        answer = home.post("/chat/completions", ASK)

    assert (answer.status, one.asked) == (502, [])
    assert "was not reached (8)" in answer.error["message"]


def _receipt(home: House, name: str) -> Any:
    end = time.monotonic() + 20
    while (found := home.get(f"/receipts/{name}")).status != 200:
        assert time.monotonic() < end, "there is no receipt yet"
        time.sleep(0.05)
    return found.json
