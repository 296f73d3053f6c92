"""Commits as expressions: one row per human piece of work, counted by month and by 28-day window (M13)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Literal

import ibis
import pyarrow as pa

from mercato.market.metrics.kernels.identity import union
from mercato.store.analytics import Engine

Group = Literal["project", "organisation"]
Refs = Literal["default", "all"]

WINDOW_DAYS = 28
FULL_TIME_DAYS = 10
WINDOWS_APART = 7  # the three windows whose median is shown end 0, 7 and 14 days before as_of
BOTS = (
    r"\[bot\]|dependabot|renovate|github-actions|semantic-release|greenkeeper|snyk-bot|codecov|coderabbit|"
    r"imgbot|allcontributors|mergify|web-flow|devin-ai-integration|(^|[-_ ])bot( |@|$)|-bot( |@|$)"
)
AI_COAUTHORS = r"claude|anthropic|copilot|cursor|devin|openai|codex|gemini|aider|windsurf|openhands|swe-agent|jules"
WORK = ("owner", "day", "month", "author_name", "author_email", "coauthors")
AUTHORS = ibis.schema({"author_name": "string", "author_email": "string", "identity": "string"})


def prepared(commits: ibis.Table, by: Group, last: date) -> ibis.Table:
    """Returns commits authored by `last` with `owner` (the project, or the part before the
    repository's name; of a local folder, which has no organisation, the project), `day`,
    `month` (YYYY-MM, UTC), and no NULL text."""
    named = commits.repository.fill_null("")
    place = ibis.ifelse(named.startswith("file:"), "", named.re_extract(r"([^/:]+)/[^/:]+/?$", 1))
    owner = commits.project if by == "project" else ibis.ifelse(place == "", commits.project, place)
    text = {name: commits[name].fill_null("") for name in ("author_name", "author_email", "subject", "patch_id")}
    rows = commits.mutate(
        owner=owner, day=commits.authored_at.date(), coauthors=commits.coauthors.fill_null(""), **text
    )
    rows = rows.filter(rows.sha.notnull(), rows.day.notnull(), rows.owner.notnull(), rows.day <= ibis.literal(last))
    return rows.mutate(month=rows.day.strftime("%Y-%m"), author_email=rows.author_email.lower())


def first_of(rows: ibis.Table, keys: Sequence[str]) -> ibis.Table:
    """Returns one row per `keys`: the one on a default branch, then the earliest, then the smallest repository."""
    order = [
        ibis.desc(rows.on_default.fill_null(True).cast("int64")),
        ibis.asc(rows.committed_at.fill_null(rows.authored_at)),
        ibis.asc(rows.repository.fill_null("")),
        ibis.asc(rows.sha),
        ibis.asc(rows.raw_sha.fill_null("")),
    ]
    place = ibis.row_number().over(ibis.window(group_by=list(keys), order_by=order))
    ranked = rows.mutate(place=place)
    return ranked.filter(ranked.place == 0).drop("place")


def last_read(rows: ibis.Table) -> ibis.Table:
    """Returns one row per owner, repository and commit: what the reading observed last says of it."""
    order = [
        ibis.desc(rows.observed_at.fill_null(ibis.timestamp("1970-01-01", timezone="UTC"))),
        ibis.desc(rows.on_default.fill_null(True).cast("int64")),
        ibis.asc(rows.raw_sha.fill_null("")),
    ]
    place = ibis.row_number().over(ibis.window(group_by=["owner", "repository", "sha"], order_by=order))
    ranked = rows.mutate(place=place)
    return ranked.filter(ranked.place == 0).drop("place")


def unique(rows: ibis.Table, refs: Refs) -> ibis.Table:
    """Returns each commit once per owner, whatever number of forks and branches carry it.

    Of several readings of one repository the latest counts: a rewrite may have taken a commit off its branch.
    """
    rows = last_read(rows)
    kept = rows.filter(rows.on_default.fill_null(True)) if refs == "default" else rows
    return first_of(kept, ["owner", "sha"])


def is_bot(rows: ibis.Table) -> ibis.ir.BooleanValue:
    """Returns whether the author's name or email is a bot's."""
    return (rows.author_name.lower() + " " + rows.author_email).re_search(BOTS)


def human(rows: ibis.Table) -> ibis.Table:
    """Returns the human work among unique commits: no merges, no bots, nothing vendored, no work counted twice.

    The same author, author time and subject is the same work rebased; the same author and patch id is the same work
    cherry-picked.
    """
    work = rows.filter((rows.parents.fill_null(1) <= 1), ~is_bot(rows), ~rows.vendored_only.fill_null(False))
    work = first_of(work, ["owner", "author_email", "author_name", "authored_at", "subject"])
    work = work.mutate(work=ibis.ifelse(work.patch_id == "", "sha:" + work.sha, "patch:" + work.patch_id))
    return first_of(work, ["owner", "author_email", "author_name", "work"]).drop("work")


def identified(engine: Engine, work: ibis.Table, overrides: Mapping[str, str]) -> ibis.Table:
    """Returns human commits with the `identity` behind each author (kernels/identity.py)."""
    pairs = engine.rows(work.select("author_name", "author_email").distinct())
    known = union(((str(row["author_name"]), str(row["author_email"])) for row in pairs), overrides)
    rows = [{"author_name": name, "author_email": email, "identity": who} for (name, email), who in known.items()]
    names = engine.table(pa.Table.from_pylist(rows, schema=AUTHORS.to_pyarrow()), AUTHORS)
    return work.join(names, ["author_name", "author_email"])


def monthly(work: ibis.Table) -> ibis.Table:
    """Returns owner, month, commits, developers (distinct identities) and ai_commits (with an AI co-author trailer)."""
    assisted = work.coauthors.lower().re_search(AI_COAUTHORS).cast("int64")
    rows = work.mutate(assisted=assisted).group_by("owner", "month")
    return rows.aggregate(
        commits=lambda t: t.count(),
        developers=lambda t: t.identity.nunique(),
        ai_commits=lambda t: t.assisted.sum().cast("int64"),
    )


def filtered_out(rows: ibis.Table) -> ibis.Table:
    """Returns per owner how many unique commits there are, and how many are merges, bots and vendored-only."""
    merge = rows.parents.fill_null(1) > 1
    flags = rows.mutate(
        merge=merge.cast("int64"),
        bot=(is_bot(rows) & ~merge).cast("int64"),
        vendored=(rows.vendored_only.fill_null(False) & ~merge).cast("int64"),
    )
    return flags.group_by("owner").aggregate(
        all_commits=lambda t: t.count(),
        merges=lambda t: t.merge.sum().cast("int64"),
        bots=lambda t: t.bot.sum().cast("int64"),
        vendored=lambda t: t.vendored.sum().cast("int64"),
    )


def window_actives(work: ibis.Table, last: date) -> ibis.Table:
    """Returns owner, active, full_time: distinct identities with 1 and with 10 days in the 28 days ending on `last`."""
    first = last - timedelta(days=WINDOW_DAYS - 1)
    days = work.filter(work.day.between(ibis.literal(first), ibis.literal(last)))
    people = days.group_by("owner", "identity").aggregate(days=lambda t: t.day.nunique())
    people = people.mutate(steady=(people.days >= FULL_TIME_DAYS).cast("int64"))
    return people.group_by("owner").aggregate(
        active=lambda t: t.count(), full_time=lambda t: t.steady.sum().cast("int64")
    )


def snapshots(rows: ibis.Table) -> ibis.Table:
    """Returns owner, repository, month, raw_sha, commits and first_seen for what each fetch said of each month.

    `shared` counts commits that more than one fetch holds: fetches that share none are parts, not restatements.
    """
    by_commit = ibis.window(group_by=["owner", "repository", "sha"])
    seen = rows.select("owner", "repository", "month", "raw_sha", "sha").distinct()
    seen = seen.mutate(shared=(seen.raw_sha.count().over(by_commit) > 1).cast("int64"))
    return seen.group_by("owner", "repository", "month", "raw_sha").aggregate(
        commits=lambda t: t.count(), shared=lambda t: t.shared.sum().cast("int64")
    )
