"""Event streams are cut in the same places however their bytes come, and no byte is lost or added."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercato.compute.errors import Unreached
from mercato.compute.gateway.sse import DONE, Events

ENDS = ["\n", "\r\n", "\r"]
STREAM = 'data: {"a": "café ψ 🙂"}{e}{e}: keep-alive{e}{e}event: x{e}data: one{e}data: two{e}{e}data:[DONE]{e}{e}'


def data(pieces: list[bytes]) -> tuple[list[bytes], bytes]:
    """Returns the data of all events that have some, and all bytes together."""
    events = Events()
    found = [event for piece in pieces for event in events.feed(piece)]
    return [event.data for event in found if event.data], b"".join(event.raw for event in found) + events.rest


@pytest.mark.parametrize("end", ENDS, ids=["lf", "crlf", "cr"])
def test_a_stream_cut_at_any_byte_has_the_same_events(end: str) -> None:
    whole = STREAM.replace("{e}", end).encode()
    expected = ['{"a": "café ψ 🙂"}'.encode(), b"one\ntwo", DONE]

    cuts = [data([whole[:at], whole[at:]]) for at in range(len(whole) + 1)]
    single = data([whole[at : at + 1] for at in range(len(whole))])

    assert {tuple(found) for found, _ in [*cuts, single]} == {tuple(expected)}
    assert {joined for _, joined in [*cuts, single]} == {whole}


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=20)


@given(st.lists(TEXTS, min_size=1, max_size=6), st.sampled_from(ENDS), st.data())
def test_any_events_survive_any_cuts(texts: list[str], end: str, draw: st.DataObject) -> None:
    whole = "".join(f"data: {text}x{end}{end}" for text in texts).encode()
    places = sorted(draw.draw(st.lists(st.integers(0, len(whole)), max_size=8)))
    pieces = [whole[a:b] for a, b in zip([0, *places], [*places, len(whole)], strict=True)]

    found, joined = data(pieces)

    assert found == [f"{text}x".encode().strip() for text in texts]
    assert joined == whole


@given(st.lists(st.binary(max_size=30), max_size=8))
def test_whatever_bytes_come_none_is_lost(pieces: list[bytes]) -> None:
    assert data(pieces)[1] == b"".join(pieces)


def test_a_mark_of_byte_order_before_the_first_event_is_no_part_of_it() -> None:
    assert data([b"\xef\xbb\xbfdata: x\n\n"])[0] == [b"x"]


def test_an_event_that_never_ends_is_refused() -> None:
    events = Events(most=1000)
    events.feed(b"data: " + b"x" * 900)

    with pytest.raises(Unreached, match="1000 octets"):
        events.feed(b"x" * 200)
