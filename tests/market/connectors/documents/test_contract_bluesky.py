"""Contract tests of Bluesky: the Jetstream event of version 1, and the searchPosts lexicon."""

from __future__ import annotations

import json
import os
import random
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercato.core.clock import HandClock, SystemClock
from mercato.market.connectors.documents.collect import listen
from mercato.market.connectors.documents.jetstream import ENDPOINT, Listener, Window
from mercato.market.connectors.documents.settings import DocumentSettings
from mercato.market.connectors.narratives import classifier
from mercato.market.connectors.testing import FolderRoom
from mercato.market.layers.parsers import parser
from tests.market.connectors.documents.raws import NOW, read, rows
from tests.market.connectors.documents.streams import BASE, DID, event, like, post, streaming, uri

STREAM, SEARCH = "documents.jetstream/1", "documents.bluesky_search/1"
AGENT = "our autonomous agent plans and calls tools"


def listener(url: str) -> Listener:
    return Listener(classifier(), HandClock(NOW), url, chance=random.Random(1))


def window(events: int = 1000, attempts: int = 2) -> Window:
    return Window(seconds=1000, events=events, attempts=attempts, quiet_seconds=2)


def test_posts_likes_reposts_and_answers_become_rows():
    lines = [
        post(1, AGENT),
        like(2, uri(1)),
        event(3, "app.bsky.feed.repost", {"subject": {"uri": uri(1)}}, "cy"),
        post(4, "thanks", "dee", uri(1)),
        like(5, f"at://{DID}x/app.bsky.feed.generator/y"),
        event(6, "app.bsky.graph.follow", {}),
        json.dumps({"did": DID, "time_us": BASE, "kind": "identity"}),
    ]

    parsed = read(STREAM, "\n".join(lines))

    assert [(row["doc_id"], row["author"]) for row in rows(parsed, "documents")] == [
        (uri(1), DID + "ada"),
        (uri(4, "dee"), DID + "dee"),
    ]
    assert [(row["doc_id"], row["engager"], row["author"]) for row in rows(parsed, "engagements")] == [
        (uri(1), DID + "bob", DID + "ada"),
        (uri(1), DID + "cy", DID + "ada"),
        (uri(1), DID + "dee", DID + "ada"),
    ]
    assert [row["doc_id"] for row in rows(parsed, "labels")] == [uri(1)]
    assert (parsed.skipped, parsed.rejected) == (3, ())


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[]",
        post(1, AGENT).replace("2025-02-14T12:00:00.000Z", "later"),
        event(1, "app.bsky.feed.post", ["a list"]),
        event(1, "app.bsky.feed.post", {"text": 7, "createdAt": "2025-02-14T12:00:00Z"}),
        event(1, "app.bsky.feed.like", {"subject": "gone"}),
        event(1, "app.bsky.feed.post", {}).replace(f'"time_us": {BASE + 1_000_000}', '"time_us": "soon"'),
    ],
)
def test_an_event_of_another_shape_is_rejected_alone(line):
    parsed = read(STREAM, f"{line}\n{post(9, AGENT)}\n")

    assert [reject.row for reject in parsed.rejected] == [1]
    assert len(rows(parsed, "documents")) == 1


@given(content=st.binary(max_size=200))
def test_any_bytes_are_rows_or_rejects(content):
    assert all(reject.reason for reject in read(STREAM, content).rejected)
    assert all(reject.reason for reject in read(SEARCH, content).rejected)


def test_a_time_before_the_network_saw_it_is_the_authors_and_a_later_one_is_not():
    early = post(1, AGENT).replace("2025-02-14T12:00:00.000Z", "2025-02-01T00:00:00Z")
    late = post(2, AGENT).replace("2025-02-14T12:00:00.000Z", "2030-01-01T00:00:00Z")

    times = [row["created_at"] for row in rows(read(STREAM, f"{early}\n{late}"), "documents")]

    assert times == [datetime(2025, 2, 1, tzinfo=UTC), datetime(2025, 2, 14, 12, 0, 2, tzinfo=UTC)]


def test_a_page_of_search_gives_counts_and_names_bad_posts():
    good = {
        "uri": uri(1),
        "author": {"did": DID + "ada", "handle": "ada.example"},
        "record": {"text": AGENT, "createdAt": "2025-02-14T10:00:00Z"},
        "indexedAt": "2025-02-14T10:00:01Z",
        "likeCount": 5,
        "repostCount": 2,
        "replyCount": 0,
    }
    answer = {"posts": [{"uri": uri(2)}, good]}

    parsed = read(SEARCH, json.dumps(answer))

    (row,) = rows(parsed, "documents")
    assert (row["doc_id"], row["likes"], row["reposts"], row["replies"]) == (uri(1), 5, 2, 0)
    assert [reject.row for reject in parsed.rejected] == [1]
    assert "schema" in read(SEARCH, '{"feed": []}').rejected[0].reason


def test_only_what_has_a_narrative_and_what_answers_it_is_kept():
    script = [
        post(1, AGENT),
        post(2, "soup for lunch"),
        like(3, uri(2)),
        like(4, uri(1)),
        post(5, "nice", "dee", uri(1)),
    ]
    with streaming(script) as server:
        capture = listener(server.url).listen(0, window(events=5))

    assert [json.loads(line)["commit"]["rkey"] for line in capture.lines] == ["k1", "k4", "k5"]
    assert (capture.seen, capture.cursor, capture.failure) == (5, BASE + 5_000_000, "")
    assert "wantedCollections=app.bsky.feed.post" in server.paths[0]
    assert "cursor" not in server.paths[0]


def test_a_cut_connection_goes_on_a_little_earlier_and_doubles_nothing():
    first = [post(1, AGENT), post(2, AGENT)]
    with streaming(first, [*first, post(3, AGENT)]) as server:
        capture = listener(server.url).listen(0, window(events=3))

    assert [json.loads(line)["commit"]["rkey"] for line in capture.lines] == ["k1", "k2", "k3"]
    assert capture.reconnects == 1
    assert f"cursor={BASE + 2_000_000 - 5_000_000}" in server.paths[1]


def test_a_stretch_that_the_service_no_longer_holds_is_reported():
    with streaming([post(3600, AGENT)]) as server:
        capture = listener(server.url).listen(BASE, window(events=1))

    assert capture.gaps == [(BASE, BASE + 3_600_000_000)]
    assert capture.document(HandClock(NOW)).options["gaps"] == f"{BASE}-{BASE + 3_600_000_000}"


def test_a_service_that_stays_away_is_told_after_a_few_attempts():
    with streaming() as server:
        gone = server.url

    capture = listener(gone).listen(BASE, window(attempts=3))

    assert capture.reconnects == 2
    assert "ConnectionRefusedError" in capture.failure
    assert capture.cursor == BASE


def test_garbage_is_kept_for_the_quarantine_and_a_binary_frame_ends_the_connection():
    with streaming(["garbage\nof two lines", post(1, AGENT), b"\x00"], [post(2, AGENT)]) as server:
        capture = listener(server.url).listen(0, window(events=2))

    parsed = parser(STREAM)(capture.document(HandClock(NOW)))
    assert capture.broken == 1
    assert len(rows(parsed, "documents")) == 2
    assert len(parsed.rejected) == 1


def test_an_endless_message_is_cut_off():
    with streaming([post(1, "x" * 2_000_000)], [post(2, AGENT)]) as server:
        capture = listener(server.url).listen(0, window(events=1))

    assert capture.reconnects == 1
    assert len(capture.lines) == 1


class Remembering(FolderRoom):
    """A room in a folder that also remembers positions."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.kept = {}

    def load(self, name):
        return self.kept.get(name, {})

    def save(self, name, value):
        self.kept[name] = value


def test_the_position_is_remembered_with_the_posts_whose_likes_are_wanted(tmp_path):
    room = Remembering(tmp_path, ())
    with streaming([post(1, AGENT)], [like(2, uri(1))]) as server:
        settings = DocumentSettings(jetstream_url=server.url)
        first = listen(room, HandClock(NOW), settings, window(events=1))
        second = listen(room, HandClock(NOW), settings, window(events=1))

    assert (first.kept, second.kept) == (1, 1)
    assert f"cursor={BASE + 1_000_000 - 5_000_000}" in server.paths[1]


@pytest.mark.live
@pytest.mark.skipif(os.environ.get("MERCATO_LIVE") != "1", reason="calls Bluesky; set MERCATO_LIVE=1")
def test_the_real_stream_is_read():
    capture = Listener(classifier(), SystemClock(), ENDPOINT).listen(0, Window(seconds=10))

    assert capture.seen > 100
    assert parser(STREAM)(capture.document(SystemClock())).rejected == ()
