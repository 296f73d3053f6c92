"""Frames of the tunnel say what they say, and anything else is refused before it is used."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercato.compute.node import frames
from mercato.compute.node.flow import Inbox, Purse
from mercato.compute.node.frames import Ask, Head, Kind
from mercato.compute.node.wording import parsed
from mercato.core.errors import InvalidInput


@given(st.sampled_from(Kind), st.integers(0, frames.MOST_STREAM), st.binary(max_size=300))
def test_a_frame_is_read_as_it_was_written(kind: Kind, stream: int, payload: bytes) -> None:
    assert frames.read(frames.frame(kind, stream, payload)) == (kind, stream, payload)


@given(st.binary(max_size=64))
def test_octets_are_a_frame_or_refused(message: bytes) -> None:
    try:
        found = frames.read(message)
    except InvalidInput:
        found = None

    assert found is None or frames.frame(*found) == message


@pytest.mark.parametrize("message", [b"", b"\x01\x00", b"\x00\x00\x00\x00\x01", b"\x09\x00\x00\x00\x01"])
def test_short_frames_and_unknown_kinds_are_refused(message: bytes) -> None:
    with pytest.raises(InvalidInput):
        frames.read(message)


def test_a_frame_larger_than_a_piece_is_refused() -> None:
    with pytest.raises(InvalidInput, match="octets"):
        frames.read(frames.frame(Kind.DATA, 1, bytes(frames.PIECE + 1)))


def test_asks_and_heads_are_read_as_they_were_written() -> None:
    wanted = Ask("/chat/completions", {"content-type": "application/json"}, 600_000, 12)
    found = Head(200, {"content-type": "text/event-stream"})

    assert frames.asked(frames.read(frames.ask(1, wanted))[2]) == wanted
    assert frames.headed(frames.read(frames.head(1, found))[2]) == found


@pytest.mark.parametrize(
    "headers",
    [{"a": "b\r\nc: d"}, {"a\n": "b"}, {"a": 1}, {"a": None}, {"ä": "b"}, {"a": "b\0"}, ["a"], None, {"": "x"}],
)
def test_headers_that_could_smuggle_are_refused(headers: Any) -> None:
    payload = json.dumps({"status": 200, "headers": headers}).encode()

    with pytest.raises(InvalidInput):
        frames.headed(payload)


@pytest.mark.parametrize("status", [0, 100, 199, 600, "200", 200.0, True])
def test_an_answer_has_a_final_status(status: Any) -> None:
    with pytest.raises(InvalidInput):
        frames.headed(json.dumps({"status": status, "headers": {}}).encode())


@pytest.mark.parametrize("payload", [b"", b"\0\0\0\0", b"\xff\xff\xff\xff", b"\0\0\0\1\0"])
def test_credit_is_some_and_at_most_a_window(payload: bytes) -> None:
    with pytest.raises(InvalidInput):
        frames.granted(payload)


@pytest.mark.parametrize(
    "said", ["", "[]", "1", '{"a":1,"a":2}', '{"a":NaN}', '{"a":Infinity}', "{" * 50_000, "[" * 50_000, b"\xff\xfe{}"]
)
def test_control_messages_are_one_object_without_doubled_keys(said: str | bytes) -> None:
    with pytest.raises(InvalidInput):
        parsed(said, most=60_000, what="control message")


@given(st.lists(st.integers(1, 40), max_size=40))
def test_a_reader_that_gives_credit_as_it_reads_never_has_more_than_a_window_waiting(sizes: list[int]) -> None:
    async def run() -> tuple[int, int]:
        purse, inbox, read = Purse(window=64), Inbox(window=64), 0

        async def send() -> None:
            for size in sizes:
                left = size
                while left:
                    part = await purse.spend(left)
                    inbox.put(bytes(part))
                    left -= part
            inbox.end()

        sending = asyncio.create_task(send())
        while (piece := await inbox.take()) is not None:
            read += len(piece)
            purse.add(inbox.owed())
        await sending
        return read, sum(sizes)

    read, sent = asyncio.run(run())
    assert read == sent


def test_more_than_the_credit_and_anything_after_the_end_is_refused() -> None:
    inbox = Inbox(window=4)
    inbox.put(b"abcd")

    with pytest.raises(InvalidInput, match="0 were allowed"):
        inbox.put(b"e")
    inbox.end()
    with pytest.raises(InvalidInput):
        inbox.put(b"")


def test_credit_above_the_window_is_refused() -> None:
    purse = Purse(window=4)

    with pytest.raises(InvalidInput, match="rose to 5"):
        purse.add(1)
