"""Monthly counts that were imported rather than read from git: curated `commits` and `active_developers` (M13)."""

from __future__ import annotations

from datetime import date

import ibis

COUNTED = ("commits", "active_developers")


def imported(curated: ibis.Table, last: date) -> ibis.Table:
    """Returns owner, month, commits, developers, spread from curated rows up to `last`.

    A row is the count of its period, so the commits of a month add up. People do not: of several rows in a month the
    largest number of developers stands, as the least that the month can have had.
    """
    rows = curated.filter(
        curated.field.isin(COUNTED), curated.day <= ibis.literal(last), curated.value.notnull(), curated.value >= 0
    )
    rows = rows.mutate(month=rows.day.strftime("%Y-%m"), owner=rows.asset_id)
    commits, people = rows.field == "commits", rows.field == "active_developers"
    return rows.group_by("owner", "month").aggregate(
        commits=rows.value.sum(where=commits).round(0).cast("int64"),
        developers=rows.value.max(where=people).round(0).cast("int64"),
        rows=commits.cast("int64").sum().cast("int64"),
        sources=rows.sources.max(where=commits),
        spread=rows.spread.max(where=commits),
    )
