"""Requests whose heads are odd, or are followed by what only looks like one."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from mercato.compute.fleet.stub import Stub
from mercato.compute.testing import stub
from tests.compute.gateway.house import QUESTION, House, furnished

RAW = json.dumps({"model": "toy", "messages": QUESTION, "max_tokens": 5}).encode()
CHUNKED = b"transfer-encoding: chunked\r\n"


@pytest.fixture(scope="module")
def served(database: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[House, Stub]]:
    """A gateway with one honest provider."""
    with stub() as one, House(furnished(tmp_path_factory.mktemp("heads"), database), {"one": one.url}) as home:
        yield home, one


def chunked(trailers: bytes) -> bytes:
    return b"%x\r\n" % len(RAW) + RAW + b"\r\n0\r\n" + trailers


def told(
    home: House, lines: bytes, body: bytes, *, key: bool = True, method: bytes = b"POST /v1/chat/completions"
) -> bytes:
    """Returns all that a gateway answers until it closes."""
    host, port = home.base.removeprefix("http://").removesuffix("/v1").split(":")
    named = f"authorization: Bearer {home.ann}\r\n".encode() if key else b""
    head = method + b" HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n" + named + lines
    parts = []
    with socket.create_connection((host, int(port)), timeout=20) as made:
        made.sendall(head + b"\r\n" + body)
        while part := made.recv(65536):
            parts.append(part)
    return b"".join(parts)


def test_no_key_and_nothing_else_is_taken_from_what_follows_a_body(served: tuple[House, Stub]) -> None:
    home, one = served
    before = len(one.asked)
    late = f"authorization: Bearer {home.ann}\r\n\r\n".encode()
    refused = told(home, CHUNKED + b"connection: close\r\n", chunked(late), key=False)
    fine = told(home, CHUNKED + b"connection: close\r\n", chunked(b"content-encoding: gzip\r\nx-a: b\r\n\r\n"))

    assert refused.startswith(b"HTTP/1.1 401")
    assert fine.startswith(b"HTTP/1.1 200")
    assert len(one.asked) == before + 1


@pytest.mark.parametrize("line", [b"x-a: b\r\n", b"x" * 1000], ids=["many", "long"])
def test_what_follows_a_body_does_not_go_on_for_ever(served: tuple[House, Stub], line: bytes) -> None:
    home, _ = served
    answer = told(home, CHUNKED, b"0\r\n" + line * (80_000 // len(line)), key=False)

    assert answer.startswith(b"HTTP/1.1 431")


def test_a_piece_of_a_body_has_no_endless_extension(served: tuple[House, Stub]) -> None:
    home, _ = served

    assert told(home, CHUNKED, b"2;" + b"x" * 80_000, key=False).startswith(b"HTTP/1.1 431")


@pytest.mark.parametrize("end", [b"connection: close, Upgrade, HTTP2-Settings\r\n", b""])
def test_a_client_that_would_rather_speak_http_2_is_answered_all_the_same(
    served: tuple[House, Stub], end: bytes
) -> None:
    home, one = served
    before = len(one.asked)
    wish = b"Connection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"
    answer = told(home, b"content-length: %d\r\n" % len(RAW) + wish + end, RAW)

    assert answer.startswith(b"HTTP/1.1 200")
    assert one.asked[before].body["messages"] == QUESTION


def test_a_body_that_speaks_of_http_2_is_left_as_it_is(served: tuple[House, Stub]) -> None:
    home, one = served
    body = json.dumps(
        {"model": "toy", "messages": [{"role": "user", "content": "\r\nUpgrade: h2c\r\n"}], "max_tokens": 5}
    )
    lines = b"x-why: h2c\r\nconnection: close\r\ncontent-length: %d\r\n" % len(body)
    answer = told(home, lines, body.encode())

    assert answer.startswith(b"HTTP/1.1 200")
    assert one.asked[-1].body["messages"][0]["content"] == "\r\nUpgrade: h2c\r\n"


@pytest.mark.parametrize(("key", "length", "status"), [(False, 5, b"401"), (True, 900_000_000, b"413")])
def test_a_client_that_waits_for_leave_to_send_what_nobody_wants_is_refused_at_once(
    served: tuple[House, Stub], key: bool, length: int, status: bytes
) -> None:
    home, _ = served
    answer = told(home, b"expect: 100-continue\r\ncontent-length: %d\r\n" % length, b"", key=key)

    assert answer.startswith(b"HTTP/1.1 " + status)


def test_a_client_that_waits_for_leave_to_send_is_given_it(served: tuple[House, Stub]) -> None:
    home, _ = served
    lines = b"expect: 100-continue\r\nconnection: close\r\ncontent-length: %d\r\n" % len(RAW)
    answer = told(home, lines, RAW)

    assert answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200")


@pytest.mark.parametrize("path", [b"/health", b"/v1/models"])
def test_a_look_at_the_head_alone_has_no_body(served: tuple[House, Stub], path: bytes) -> None:
    home, _ = served
    head, _, body = told(home, b"connection: close\r\n", b"", method=b"HEAD " + path).partition(b"\r\n\r\n")

    assert (head[:12], body) == (b"HTTP/1.1 200", b"")
