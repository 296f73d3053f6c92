"""Documents from files: our own JSON Lines and tables of counts."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercato.core.errors import InvalidInput
from mercato.market.connectors.documents.files import document
from mercato.market.connectors.documents.posts import is_disclosed
from mercato.market.connectors.simhash import distance, simhash
from mercato.market.example import documents_jsonl
from mercato.market.layers.parsers import parser
from tests.market.connectors.conftest import research_data
from tests.market.connectors.documents.raws import NOW, read, rows

JSONL, TABLE = "documents.jsonl/1", "documents.table/1"
POST = {
    "id": "1",
    "author": "ada",
    "created_at": "2025-02-14T10:00:00Z",
    "text": "open weights language model released",
}


def lines(*posts: object) -> str:
    return "".join(json.dumps(post) + "\n" for post in posts)


def test_a_post_becomes_rows_without_its_text():
    engagers = [{"id": "bob", "count": 2, "at": "2025-02-14T11:00:00+01:00"}, {"id": "eve"}]

    parsed = read(JSONL, lines({**POST, "likes": 3, "engagers": engagers, "official": False, "paid": True}))

    (row,) = rows(parsed, "documents")
    assert (row["doc_id"], row["author"], row["likes"], row["paid"], row["row"]) == ("1", "ada", 3, True, 1)
    assert row["created_at"] == datetime(2025, 2, 14, 10, tzinfo=UTC)
    assert rows(parsed, "labels") == [{"source": "test", "doc_id": "1", "narrative": "AI", "weight": 1.0}]
    assert [(e["engager"], e["author"], e["count"]) for e in rows(parsed, "engagements")] == [
        ("bob", "ada", 2),
        ("eve", "ada", 1),
    ]
    assert "weights" not in str(row)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "Expecting"),
        ("[1]", "expected a JSON object"),
        (json.dumps({**POST, "author": ""}), "author was empty"),
        (json.dumps({**POST, "id": None}), "id was 'None'"),
        (json.dumps({**POST, "craeted_at": "x"}), "craeted_at"),
        (json.dumps({**POST, "created_at": "yesterday"}), "ISO 8601"),
        (json.dumps({**POST, "created_at": "2025-02-14T10:00:00"}), "no time zone"),
        (json.dumps({**POST, "created_at": "2025-02-16T10:00:00Z"}), "more than a day after"),
        (json.dumps({**POST, "likes": -1}), "likes was '-1'"),
        (json.dumps({**POST, "likes": 1.5}), "likes was '1.5'"),
        (json.dumps({**POST, "likes": True}), "likes was 'True'"),
        (json.dumps({**POST, "official": "yes"}), "true or false"),
        (json.dumps({**POST, "engagers": {"id": 1}}), "engagers was a dict"),
        (json.dumps({**POST, "engagers": ["bob"]}), "an engager was a str"),
        ("[" * 100_000, "nested"),
    ],
)
def test_a_bad_line_is_rejected_with_its_number_and_the_others_survive(line, reason):
    good = {**POST, "id": "2"}

    parsed = read(JSONL, f"{json.dumps({**POST, 'id': '0'})}\n{line}\n\n{json.dumps(good)}\n")

    assert [row["doc_id"] for row in rows(parsed, "documents")] == ["0", "2"]
    assert [reject.row for reject in parsed.rejected] == [2]
    assert reason in parsed.rejected[0].reason


def test_a_repeated_id_is_rejected():
    parsed = read(JSONL, lines(POST, POST))

    assert len(rows(parsed, "documents")) == 1
    assert "was there before" in parsed.rejected[0].reason


@given(content=st.binary(max_size=200))
def test_any_bytes_are_rows_or_rejects(content):
    parsed = read(JSONL, content)

    assert all(reject.reason for reject in parsed.rejected)


def test_the_made_up_example_is_read_whole():
    parsed = read(JSONL, "".join(documents_jsonl(date(2025, 2, 13))))

    assert parsed.rejected == ()
    assert {str(row["narrative"]) for row in rows(parsed, "labels")} == {"AI", "DeFi", "DeFAI"}


COLUMNS = {"id": "n", "author": "who", "created_at": "at", "likes": "hearts", "label.AI": "ai", "label.DeFi": "defi"}


def test_flags_of_a_table_become_labels_and_both_parents_are_defai():
    content = "n,who,at,hearts,ai,defi\n1,a,2025-02-01,5,1,0\n2,a,2025-02-01,,1,1\n3,b,2025-02-01,0,0,0\n"

    parsed = read(TABLE, content, COLUMNS)

    assert {(row["doc_id"], row["narrative"]) for row in rows(parsed, "labels")} == {("1", "AI"), ("2", "DeFAI")}
    assert [row["likes"] for row in rows(parsed, "documents")] == [5, None, 0]
    assert len({row["simhash"] for row in rows(parsed, "documents")}) == 3, "no text is no copy of no text"


def test_a_table_whose_columns_changed_is_refused_with_its_header():
    with pytest.raises(InvalidInput, match=r"'hearts'.*\n?.*its header is") as caught:
        read(TABLE, "n,who,at,likes,ai,defi\n1,a,2025-02-01,5,1,0\n", COLUMNS)

    assert "likes" in caught.value.hint


def test_a_bad_row_of_a_table_is_rejected_alone():
    content = "n,who,at,hearts,ai,defi\n1,a,2025-02-01,many,1,0\n2,a,2025-02-01,5,maybe,0\n3,a,2025-02-01,5,0,1\n"

    parsed = read(TABLE, content, COLUMNS)

    assert [row["doc_id"] for row in rows(parsed, "documents")] == ["3"]
    assert [reject.row for reject in parsed.rejected] == [1, 2]


def test_founders_engagement_is_read_whole():
    path = research_data() / "founder_tweets_engagement.csv.gz"
    columns = ["id=tweet_id", "author=author", "created_at=ts", "likes=likes", "reposts=retweets", "replies=replies"]
    raw = document(
        path, "founders", [*columns, "label.AI=kw_ai", "label.meme=kw_meme"], datetime(2026, 2, 1, tzinfo=UTC)
    )

    parsed = parser(raw.parser)(raw)

    assert len(rows(parsed, "documents")) == 4905
    assert sum(row["narrative"] == "meme" for row in rows(parsed, "labels")) == 2639


def test_a_truncated_gzip_is_refused_as_a_whole(tmp_path):
    whole = gzip.compress(lines(POST).encode() * 100)
    (tmp_path / "posts.jsonl.gz").write_bytes(whole[:-9])

    with pytest.raises(InvalidInput, match="no whole gzip"):
        document(tmp_path / "posts.jsonl.gz", "x", [], NOW)


@pytest.mark.parametrize(("name", "columns"), [("a.csv", []), ("a.jsonl", ["id=x"]), ("a.txt", []), ("a.csv", ["id"])])
def test_a_file_of_another_kind_is_refused(tmp_path, name, columns):
    (tmp_path / name).write_bytes(b"")

    with pytest.raises(InvalidInput):
        document(tmp_path / name, "x", columns, NOW)


@pytest.mark.parametrize(
    ("text", "paid"),
    [("great phone #ad", True), ("#Sponsored: x", True), ("a paid partnership with y", True), ("#adventure", False)],
)
def test_disclosed_adverts_are_marked(text, paid):
    assert is_disclosed(text) is paid


def test_a_copied_post_has_nearly_the_same_fingerprint_and_another_one_has_not():
    text = "The agent framework ships version two with memory, plugins and a new runtime for everyone to try today"
    copy = simhash(f"{text} https://example.org/x @someone", "2")
    other = simhash("I made soup with carrots, it rained all week, and the train to the coast was late again", "3")

    assert distance(simhash(text, "1"), copy) == 0
    assert distance(simhash(text, "1"), simhash(text + " wow", "1")) <= 12
    assert distance(simhash(text, "1"), other) >= 16


@given(text=st.text(max_size=300))
def test_a_fingerprint_fits_64_bits_and_is_stable(text):
    value = simhash(text, "id")

    assert -(2**63) <= value < 2**63
    assert value == simhash(text, "id")
