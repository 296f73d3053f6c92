"""Documents as expressions: what counts once, who engaged with whom, and how a document is labelled (M11)."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import ibis

REPEAT_SECONDS = 24 * 3600
EDGE_DAYS = 90  # how far back engagement says who listens to whom
TRUST = ibis.schema({"source": "string", "engager": "string", "trust": "int64"})


def close(day: date) -> datetime:
    """Returns the end of a UTC day."""
    return datetime.combine(day + timedelta(days=1), time(), UTC)


def eligible(documents: ibis.Table) -> ibis.Table:
    """Returns each document once per (source, doc_id), without official and paid ones and those without an author."""
    order = [ibis.asc(documents.created_at), ibis.asc(documents.raw_sha), ibis.asc(documents.row)]
    place = ibis.row_number().over(ibis.window(group_by=["source", "doc_id"], order_by=order))
    ranked = documents.mutate(place=place)
    once = ranked.filter(ranked.place == 0).drop("place")
    return once.filter(
        ~once.official.fill_null(False),
        ~once.paid.fill_null(False),
        once.author.fill_null("") != "",
        once.created_at.notnull(),
    )


def deduplicated(documents: ibis.Table) -> ibis.Table:
    """Returns eligible documents without repeats: the same author and simhash within 24 h of the one before."""
    rows = eligible(documents)
    rows = rows.mutate(seconds=rows.created_at.epoch_seconds().cast("int64"))
    order = ibis.window(group_by=["source", "author", "simhash"], order_by=[rows.seconds, rows.doc_id])
    rows = rows.mutate(gap=rows.seconds - rows.seconds.lag().over(order))
    return rows.filter(rows.simhash.isnull() | rows.gap.isnull() | (rows.gap >= REPEAT_SECONDS))


def in_periods(documents: ibis.Table, as_of: date, days: int) -> ibis.Table:
    """Returns source, doc_id, author and period: 0 for the `days` ending on as_of, 1 for as many days before."""
    end = int(close(as_of).timestamp())
    span = days * 86_400
    rows = deduplicated(documents)
    rows = rows.filter(rows.seconds < end, rows.seconds >= end - 2 * span)
    period = ibis.ifelse(rows.seconds >= end - span, 0, 1).cast("int64")
    return rows.select("source", "doc_id", "author", period=period)


def engagements_by(engagements: ibis.Table, as_of: date) -> ibis.Table:
    """Returns engagements up to as_of by somebody with somebody else; times unknown count as known by then."""
    rows = engagements.filter(
        engagements.engager.fill_null("") != "",
        engagements.author.fill_null("") != "",
        engagements.engager != engagements.author,
    )
    seconds = rows.at.epoch_seconds().cast("int64").fill_null(0)
    return rows.mutate(seconds=seconds).filter(lambda t: t.seconds < int(close(as_of).timestamp()))


def edges(engagements: ibis.Table, as_of: date) -> ibis.Table:
    """Returns source, engager, author, count over the 90 days up to as_of: the graph that trust flows along."""
    rows = engagements_by(engagements, as_of)
    start = int(close(as_of - timedelta(days=EDGE_DAYS)).timestamp())
    rows = rows.filter((rows.seconds >= start) | rows.at.isnull())
    found = rows.group_by("source", "engager", "author").aggregate(count=rows["count"].fill_null(1).sum().cast("int64"))
    return found.filter(found["count"] > 0)


def engaged(documents: ibis.Table, engagements: ibis.Table, trust: ibis.Table, as_of: date) -> ibis.Table:
    """Returns documents with `trust`: the sum over distinct engagers, in whole units so that any order adds up alike,
    and `engagers`, how many there were."""
    rows = engagements_by(engagements, as_of).select("source", "doc_id", "engager").distinct()
    scored = rows.left_join(trust, ["source", "engager"])
    sums = scored.group_by("source", "doc_id").aggregate(
        trust=scored.trust.fill_null(0).sum().cast("int64"), engagers=scored.count()
    )
    found = documents.left_join(sums, ["source", "doc_id"])
    return found.select(
        "source",
        "doc_id",
        "author",
        "period",
        trust=found.trust.fill_null(0),
        engagers=found.engagers.fill_null(0),
    )


def labelled(labels: ibis.Table) -> ibis.Table:
    """Returns source, doc_id, narrative and weight, scaled down where the weights of a document exceed 1 in sum."""
    rows = labels.filter(labels.weight > 0, labels.narrative.fill_null("") != "")
    rows = rows.mutate(narrative=rows.narrative.strip().lower())
    once = rows.group_by("source", "doc_id", "narrative").aggregate(weight=rows.weight.max())
    total = once.weight.sum().over(ibis.window(group_by=["source", "doc_id"]))
    return once.mutate(weight=(once.weight / ibis.greatest(total, 1.0)).round(9))
