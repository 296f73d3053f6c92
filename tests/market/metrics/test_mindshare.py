"""Mindshare (M11): what counts once, whose engagement counts, and when a change is shown."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mercato.core.errors import InvalidInput
from mercato.market.metrics import attention, documents, mindshare
from mercato.market.metrics.kernels import bootstrap
from mercato.market.metrics.kernels.bootstrap import Interval, Ledger
from mercato.market.metrics.kernels.pagerank import graph, pagerank, winsorised
from mercato.market.model import Query
from mercato.market.testing import inputs
from tests.market.metrics import sybils
from tests.market.metrics.golden import compare
from tests.profiles import examples

LAST = date(2025, 2, 14)
NOON = datetime(2025, 2, 14, 12, tzinfo=UTC)


def post(doc_id, author="ann", ago=0.0, source="s", **more):
    row = {"source": source, "doc_id": doc_id, "author": author, "created_at": NOON - timedelta(days=ago)}
    return {**row, "simhash": hash_of(doc_id), "official": False, "paid": False, "raw_sha": "r", "row": 1, **more}


def hash_of(text):
    return int.from_bytes(text.encode()[:7].ljust(7), "big")


def label(doc_id, narrative, weight=1.0, source="s"):
    return {"source": source, "doc_id": doc_id, "narrative": narrative, "weight": weight}


def like(doc_id, engager, author="ann", count=1, ago=0.0, source="s"):
    at = None if ago is None else NOON - timedelta(days=ago)
    return {"source": source, "doc_id": doc_id, "engager": engager, "author": author, "count": count, "at": at}


def ask(duck, posts=(), labels=(), likes=(), length=7, **params):
    tables = inputs(duck, documents=posts, labels=labels, engagements=likes)
    query = Query(LAST, days=length, params={name: str(value) for name, value in {"draws": 50, **params}.items()})
    return mindshare.mindshare(tables, query)


def value(result, name, narrative):
    return result.figure(name, narrative=narrative).value


POSTS = [post("a"), post("b"), post("c", "bea"), post("d", "cid")]
LABELS = [label("a", "AI"), label("b", "defi"), label("c", "defai"), label("d", "ai", 0.5), label("d", "defi", 0.5)]
LIKES = [
    *(like("a", who) for who in ("bea", "cid", "dan")),
    like("c", "ann", "bea"),
    like("d", "ann", "cid"),
    like("d", "bea", "cid"),
]


def test_without_engagement_the_raw_share_stands_and_is_flagged(duck):
    result = ask(duck, POSTS, LABELS)

    assert [value(result, "share", name) for name in ("ai", "defi", "defai")] == ["0.375", "0.375", "0.25"]
    assert {"raw-share:s", "unseeded", "single-source", "no-period-before"} <= set(result.flags)
    assert (value(result, "change", "ai"), value(result, "verdict", "ai")) == (None, None)


def test_defai_is_a_label_of_its_own(duck):
    result = ask(duck, [post("a")], [label("a", "DeFAI ")])

    assert {figure.dims.get("narrative") for figure in result.figures if "narrative" in figure.dims} == {"defai"}


def test_trusted_engagement_decides_the_share(duck):
    spam = [post(f"x{at}", f"sybil{at}") for at in range(20)]
    pushed = [label(f"x{at}", "pushed") for at in range(20)]
    ring = [like(f"x{at}", f"sybil{(at + step) % 20}", f"sybil{at}") for at in range(20) for step in (1, 2, 3)]

    result = ask(duck, [*POSTS, *spam], [*LABELS, *pushed], [*LIKES, *ring], seeds="s:ann,s:bea")
    unseeded = ask(duck, [*POSTS, *spam], [*LABELS, *pushed], [*LIKES, *ring])

    assert float(value(result, "raw-share", "pushed")) == pytest.approx(20 / 24)
    assert (value(result, "share", "pushed"), value(result, "sybil-discount", "pushed")) == ("0", "1")
    assert float(value(unseeded, "share", "pushed")) > 0.5
    assert ("unseeded" in unseeded.flags, "unseeded" in result.flags) == (True, False)
    assert value(result, "effective-authors", "pushed") is None
    assert [row for grid in result.grids if grid.name == "seeds" for row in grid.rows] == [("s:ann",), ("s:bea",)]
    assert float(value(result, "seed-sensitivity", "pushed")) == 0


def test_shares_of_single_labels_add_up_to_one(duck):
    labels = [label("a", "ai"), label("b", "defi"), label("c", "defai"), label("d", "ai")]

    result = ask(duck, POSTS, labels, LIKES, seeds="s:ann")

    assert sum(float(value(result, "share", name)) for name in ("ai", "defi", "defai")) == pytest.approx(1)


def test_sources_count_by_their_published_weights(duck):
    posts = [post("a"), post("b", source="rss")]
    labels = [label("a", "ai"), label("b", "defi", source="rss")]

    assert float(value(ask(duck, posts, labels), "share", "ai")) == pytest.approx(1 / 1.5)
    assert float(value(ask(duck, posts, labels, weights="s=1,rss=3"), "share", "ai")) == pytest.approx(0.25)


def kept(duck, posts):
    rows = documents.deduplicated(inputs(duck, documents=posts).documents)
    return sorted(str(row["doc_id"]) for row in duck.rows(rows))


def test_repeats_within_a_day_official_and_paid_posts_do_not_count(duck):
    posts = [
        post("a", ago=3.0, simhash=1),
        post("b", ago=2.5, simhash=1),  # 12 h after a
        post("c", ago=1.5, simhash=1),  # 24 h after b
        post("d", "bea", ago=2.9, simhash=1),  # someone else
        post("e", ago=2.9, simhash=None),
        post("f", ago=2.9, simhash=None),  # nothing to compare
        post("g", official=True),
        post("h", paid=True),
        post("i", official=None, paid=None),
        post("j", author=""),
        post("k", author=None),
        post("a", ago=3.0, simhash=1, raw_sha="q"),  # the same document fetched twice
    ]

    assert kept(duck, posts) == ["a", "c", "d", "e", "f", "i"]


def test_periods_end_with_the_day_and_touch_without_a_gap(duck):
    end = datetime(2025, 2, 15, tzinfo=UTC)
    second, week = timedelta(seconds=1), timedelta(days=7)
    times = {"late": end, "last": end - second, "first": end - week, "before": end - week - second,
             "oldest": end - 2 * week, "old": end - 2 * week - second}  # fmt: skip
    posts = [post(name, created_at=at) for name, at in times.items()]
    rows = duck.rows(documents.in_periods(inputs(duck, documents=posts).documents, LAST, 7))

    assert {row["doc_id"]: row["period"] for row in rows} == {"last": 0, "first": 0, "before": 1, "oldest": 1}


def test_edges_leave_out_oneself_the_future_and_the_distant_past(duck):
    likes = [like("a", "bea", ago=1.0, count=2), like("b", "bea", ago=89.0), like("a", "ann"), like("a", "cid", ago=-1)]
    likes += [like("a", "dan", ago=95.0), like("a", "eve", ago=None, count=None), like("a", None), like("a", "f", None)]
    rows = duck.rows(documents.edges(inputs(duck, engagements=likes).engagements, LAST))

    assert {(row["engager"], row["count"]) for row in rows} == {("bea", 3), ("eve", 1)}


def test_label_weights_above_one_are_scaled_down(duck):
    labels = [label("a", "ai", 0.9), label("a", "defi", 0.6), label("a", "ai", 0.9), label("b", "ai", 0.4)]
    labels += [label("c", "ai", 0.0), label("c", "", 1.0), label("c", "x", None)]
    rows = duck.rows(documents.labelled(inputs(duck, labels=labels).labels))

    assert {(row["doc_id"], row["narrative"]): row["weight"] for row in rows} == {
        ("a", "ai"): 0.6, ("a", "defi"): 0.4, ("b", "ai"): 0.4,
    }  # fmt: skip


def test_a_clear_rise_is_a_gain_and_a_small_one_is_not(duck):
    authors = [f"author{at:02d}" for at in range(40)]
    posts, labels = [], []
    for at, author in enumerate(authors):
        posts += [post(f"n{at}", author), post(f"o{at}", author, ago=8.0)]
        labels += [label(f"n{at}", "ai" if at < 30 else "defi"), label(f"o{at}", "ai" if at < 10 else "defi")]
        labels += [label(f"n{at}", "both", 0.0)]

    result = ask(duck, posts, labels, draws=200)

    assert (value(result, "verdict", "ai"), value(result, "verdict", "defi")) == ("gain", "loss")
    assert float(value(result, "change", "ai")) == pytest.approx(np.log(0.751 / 0.251))
    assert float(value(result, "share-low", "ai")) < 0.75 < float(value(result, "share-high", "ai"))
    assert mindshare.verdict(Interval(0.1, -0.1, 0.3)) == "no change shown"


def test_the_same_question_has_the_same_answer(duck):
    shuffled = ask(duck, POSTS[::-1], LABELS[::-1], LIKES[::-1], seeds="s:ann,s:bea")

    assert shuffled == ask(duck, POSTS, LABELS, LIKES, seeds="s:ann,s:bea")


def test_nothing_known_is_said(duck):
    assert ask(duck).flags == ("no-data",)


@pytest.mark.parametrize(
    ("name", "text"), [("seeds", "ann"), ("weights", "s"), ("weights", "s=-1"), ("weights", "s=0"), ("topic", "ai")]
)
def test_a_wrong_parameter_is_refused(duck, name, text):
    with pytest.raises(InvalidInput):
        ask(duck, POSTS, LABELS, **{name: text})


def test_an_unknown_seed_is_said(duck):
    assert "unknown-seeds" in ask(duck, POSTS, LABELS, LIKES, seeds="s:ann,s:nobody").flags


def line(*edges):
    engagers, authors, counts = zip(*edges, strict=True)
    return graph(pa.array(engagers), pa.array(authors), pa.array(counts))


def test_pagerank_by_hand():
    trust = pagerank(line(("a", "b", 1), ("b", "a", 1)), {"a"})

    assert trust.tolist() == pytest.approx([1 / 1.85, 0.85 / 1.85])


def test_counts_above_three_add_nothing():
    many, three = (pagerank(line(("a", "b", n), ("a", "c", 1)), {"a"}) for n in (100, 3))

    assert many.tolist() == three.tolist()


def test_who_no_seed_reaches_has_exactly_no_trust():
    trust = pagerank(line(("a", "b", 1), ("x", "y", 1), ("y", "x", 1), ("x", "b", 1)), {"a"})

    assert trust[2:].tolist() == [0.0, 0.0]
    assert winsorised(np.zeros(3)).tolist() == [0, 0, 0]
    assert pagerank(graph(*(pa.array([], kind) for kind in (pa.string(), pa.string(), pa.int64()))), {"a"}).size == 0


names = st.sampled_from("abcdefgh")


@settings(max_examples=examples(50))
@given(st.lists(st.tuples(names, names, st.integers(1, 5)), min_size=1, max_size=30), st.sets(names))
def test_trust_adds_up_to_one_in_any_order(edges, seeds):
    trust = pagerank(line(*edges), seeds)

    assert trust.sum() == pytest.approx(1)
    assert trust.min() >= 0
    assert pagerank(line(*edges[::-1]), seeds).tolist() == trust.tolist()


def test_an_interval_is_wide_where_one_author_speaks_for_all():
    def pair(whole):
        ledger = Ledger(np.outer(np.array(whole), [1.0, 0.0]), np.array(whole))
        return Ledger(np.stack([ledger.parts[:, 0] * [1, 0, 1, 0], ledger.whole], 1), ledger.whole), ledger

    (many, _), _ = bootstrap.intervals({"s": pair([1.0, 1.0, 1.0, 1.0])}, {"s": 1.0})
    (one, _), _ = bootstrap.intervals({"s": pair([1.0, 99.0, 1.0, 1.0])}, {"s": 1.0})

    assert many.low < many.value < many.high
    assert one.high > 20 * one.value
    assert bootstrap.effective_authors(np.array([1.0, 1.0, 0.0])) == 2
    assert bootstrap.effective_authors(np.zeros(2)) is None


def test_seeding_does_the_work_against_sybils():
    found = sybils.world()
    reading = sybils.readings(found)

    assert reading["seeded"] == pytest.approx(found.truth, abs=0.01)
    assert reading["seeded, 5 of 400 bad"] == pytest.approx(found.truth, abs=0.015)
    assert reading["uniform PageRank"] > 1.8 * found.truth
    assert reading["engagement sum"] > reading["uniform PageRank"]
    assert reading["mentions"] > 3 * found.truth
    assert min(reading["sqrt unique engagers"], reading["per-author log cap"]) > reading["engagement sum"]
    assert reading["seeded, per-author sqrt"] > 1.5 * reading["seeded"]


@pytest.mark.spark
def test_documents_agree_on_both_engines(duck, spark):
    posts = [*POSTS, post("e", ago=0.2, simhash=hash_of("a")), post("f", ago=9.0, simhash=None), post("g", paid=None)]
    labels = [*LABELS, label("a", "defai", 0.7)]
    likes = [*LIKES, like("a", "eve", ago=None, count=None)]

    def scored(tables):
        found = documents.in_periods(tables.documents, LAST, 7)
        trust = attention.graphs(tables, Query(LAST)).trust(["s:ann"])
        return documents.engaged(found, tables.engagements, tables.engine.table(trust, documents.TRUST), LAST)

    assert compare(duck, spark, scored, ("doc_id",), documents=posts, engagements=likes) == 6
    edges = compare(
        duck, spark, lambda t: documents.edges(t.engagements, LAST), ("engager", "author"), engagements=likes
    )
    assert edges == 7
    assert compare(duck, spark, lambda t: documents.labelled(t.labels), ("doc_id", "narrative"), labels=labels) == 6
