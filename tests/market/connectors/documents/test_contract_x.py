"""Contract tests of X recent search v2, built from its published response schema, through the real client."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import pytest

from mercato.core.errors import ConfigError, SourceError
from mercato.core.settings import Secret
from mercato.market.connectors.documents.xsearch import Meter, OverBudget, Search, search
from mercato.market.connectors.errors import Postponed, UnsafeAnswer
from mercato.market.connectors.state import MemoryNotebook
from mercato.market.connectors.testing import Reply, reply
from mercato.market.layers.parsers import parser
from tests.market.connectors.documents.raws import NOW, read, rows

TEXT = "our autonomous agent plans and calls tools"
PATH = "/2/tweets/search/recent"
CENT = 10_000


def tweet(key: str, text: str = TEXT) -> Mapping[str, object]:
    metrics = {"retweet_count": 1, "reply_count": 2, "like_count": 3, "quote_count": 0, "impression_count": 9}
    return {
        "id": key,
        "text": text,
        "author_id": "7",
        "created_at": "2025-02-14T10:00:00.000Z",
        "public_metrics": metrics,
    }


def page(*keys: str, token: str = "") -> Reply:
    meta = {"newest_id": keys[0], "oldest_id": keys[-1], "result_count": len(keys)} if keys else {"result_count": 0}
    return reply({"data": [tweet(key) for key in keys], "meta": meta | ({"next_token": token} if token else {})})


def meter(limit: int = 1000 * CENT) -> Meter:
    return Meter(MemoryNotebook(), limit)


@pytest.fixture
def key() -> Mapping[str, Secret]:
    return {"authorization": Secret("Bearer made-up-key")}


def test_pages_are_followed_and_only_ids_and_counts_are_kept(source, client, key):
    source.play(PATH, page("30", "20", token="more"), page("9"))
    counted = meter()

    documents, newest = search(client(secrets=key), counted, Search("ai agents", 200, source.url + PATH), NOW, "5")

    kept = b"".join(document.content for document in documents)
    assert b"autonomous" not in kept
    assert newest == "30"
    assert [seen.query.get("next_token") for seen in source.seen] == [None, ["more"]]
    assert source.seen[0].query["since_id"] == ["5"]
    assert source.seen[0].headers["authorization"] == "Bearer made-up-key"
    assert counted.spent(NOW) == 3 * 5_000
    found = [row for document in documents for row in rows(parser(document.parser)(document), "documents")]
    assert [(row["doc_id"], row["likes"], row["reposts"], row["replies"]) for row in found] == [
        ("30", 3, 1, 2),
        ("20", 3, 1, 2),
        ("9", 3, 1, 2),
    ]
    labels = [row for document in documents for row in rows(parser(document.parser)(document), "labels")]
    assert {row["narrative"] for row in labels} == {"AI"}
    assert all("made-up-key" not in f"{document.request}{document.headers}{document.options}" for document in documents)


def test_nothing_is_sent_when_it_could_pass_the_limit(source, client, key):
    source.play(PATH, page("1"))
    counted = meter(limit=49 * CENT)

    with pytest.raises(OverBudget, match="490000 are left"):
        search(client(secrets=key), counted, Search("q", 100, source.url + PATH), NOW)

    assert source.seen == []


def test_what_was_reserved_stays_spent_where_no_answer_came(source, client, key):
    source.play(PATH, Reply(b"{", status=200))
    counted = meter()

    with pytest.raises(SourceError, match="no search result"):
        search(client(secrets=key), counted, Search("q", 100, source.url + PATH), NOW)

    assert counted.spent(NOW) == 100 * 5_000
    assert counted.spent(NOW + timedelta(days=30)) == 0


def test_x_is_off_without_a_limit(source, client, key):
    with pytest.raises(ConfigError, match="off"):
        search(client(secrets=key), meter(limit=0), Search("q"), NOW)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Reply(b"{}", status=401), SourceError),
        (Reply(b"{}", status=429, headers={"retry-after": "900"}), Postponed),
        (Reply(b'{"data": "made-up-key Bearer made-up-key"}'), UnsafeAnswer),
        (reply({"data": {"id": 1}, "meta": {}}), SourceError),
        (reply([]), SourceError),
    ],
)
def test_a_fault_is_an_error_of_its_kind_without_the_key(source, client, key, answer, error):
    source.play(PATH, answer)

    with pytest.raises(error) as caught:
        search(client(secrets=key), meter(), Search("q", 10, source.url + PATH), NOW)

    assert "made-up-key" not in f"{caught.value}{caught.value.facts}"


def test_an_empty_result_keeps_the_position(source, client, key):
    source.play(PATH, page())

    assert search(client(secrets=key), meter(), Search("q", 10, source.url + PATH), NOW, "77") == ([], "77")


def test_a_damaged_reduced_document_is_rejected_by_row():
    parsed = read("documents.reduced/1", b'{"id":"1"}\n[]\n{"simhash":"99999999999999999999"}\nx\n')

    assert [reject.row for reject in parsed.rejected] == [1, 2, 3, 4]


def test_the_month_begins_anew():
    counted = meter(limit=100 * CENT)
    counted.reserve(200, datetime(2025, 1, 31, tzinfo=NOW.tzinfo))

    counted.reserve(200, datetime(2025, 2, 1, tzinfo=NOW.tzinfo))

    assert counted.spent(datetime(2025, 2, 1, tzinfo=NOW.tzinfo)) == 100 * CENT
