"""Who keeps building: human commits and people by month, 28-day actives, and whether it only goes up (M13)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from statistics import median
from typing import Literal

import ibis

from mercato.market.metrics import commits as git
from mercato.market.metrics import history as past
from mercato.market.metrics import params
from mercato.market.metrics.base import Inputs, Sheet
from mercato.market.metrics.held import held
from mercato.market.metrics.numbers import plain
from mercato.market.model import InputSet, Query, Result

METRIC, DEFINITION = "developers", "M13.1"
PARAMS = ("refs", "months", "overrides", "projects")
FORMULA = (
    "commits(month) = distinct commits by sha, then by (author, author time, subject) and by (author, patch id), "
    "without merges, bots and vendored-only changes; developers(month) = distinct identities (union over email, "
    "noreply login, non-generic name of 4 letters or more); MAD28 = median over windows ending 0, 7 and 14 days before "
    "as_of of identities with 1 commit in 28 days; full-time = the same with 10 distinct days; up only = no full month "
    "below the one before; trend = Mann-Kendall p and Theil-Sen slope of full months' commits"
)
Policy = Literal["squash", "merge", "mixed", "unknown"]
FALSIFIERS = (
    ("up only", "falls", "falls is above 0"),
    ("rising", "trend-p and slope", "trend-p is 0.05 or more, or slope is 0 or less"),
    ("falling", "trend-p and slope", "trend-p is 0.05 or more, or slope is 0 or more"),
)


def developers(inputs: Inputs, query: Query) -> Result:
    """Returns M13 per project and per organisation.

    Parameters: `refs` (default or all), `months` (3-120, default 12) for the trend, `overrides` (email=email pairs of
    one person), `projects` (comma-separated; default all). Raises InvalidInput on others.
    """
    params.known(query, PARAMS)
    months = int(params.given(query, "months", 12, 3, 120))
    chosen = params.words(query, "projects")
    has_git = bool(inputs.engine.rows(inputs.commits.limit(1)))
    histories = [item for item in past.from_import(inputs, query.as_of) if not chosen or item.owner in chosen]
    sheet = Sheet(METRIC, DEFINITION, query, _evidence(inputs, has_git, histories))
    flags = ["unseasonal-test"]
    if has_git:
        histories += _from_git(sheet, inputs, query, chosen)
    histories += past.by_organisation([item for item in histories if item.basis == "imported"])
    for item in histories:
        _history(sheet, item, months)
    _up_only(sheet, [item for item in histories if item.kind == "project"], months)
    rows = [("project" if item.kind == "project" else "organisation", item.owner, item.basis, month.month,
             plain(month.commits), plain(month.developers), plain(month.ai_commits))
            for item in histories for month in item.months]  # fmt: skip
    units = ("", "", "", "month", "commits", "people", "commits")
    sheet.grid("monthly", ("kind", "owner", "basis", "month", "commits", "developers", "ai_commits"), units, rows)
    sheet.grid("falsifiers", ("claim", "figures", "refuted_when"), ("", "", ""), FALSIFIERS)
    return sheet.result(flags=flags if histories else ["no-data"])


def _evidence(inputs: Inputs, has_git: bool, histories: Sequence[past.History]) -> InputSet:
    owners = sorted({item.owner for item in histories})
    sets = [inputs.evidence("commits", None)] if has_git else []
    return params.together(*sets, *([inputs.evidence("panel", owners)] if owners or not sets else []))


def _from_git(sheet: Sheet, inputs: Inputs, query: Query, chosen: Sequence[str]) -> list[past.History]:
    refs: git.Refs = "all" if params.choice(query, "refs", ("default", "all")) == "all" else "default"
    overrides = params.pairs(query, "overrides", "=")
    histories: list[past.History] = []
    kinds: tuple[git.Group, ...] = ("project", "organisation")
    for kind in kinds:
        rows = git.prepared(inputs.commits, kind, query.as_of)
        rows = rows.filter(rows.project.isin(chosen)) if chosen else rows
        work = held(inputs.engine, git.human(git.unique(rows, refs)).select(*git.WORK))
        work = held(inputs.engine, git.identified(inputs.engine, work, overrides))
        histories += past.from_git(inputs.engine, work, kind)
        _windows(sheet, inputs, kind, work, query.as_of)
        _refused(sheet, inputs, kind, rows, work)
        if kind == "project":
            _restated(sheet, inputs, rows)
    return histories


def _windows(sheet: Sheet, inputs: Inputs, kind: git.Group, work: ibis.Table, as_of: date) -> None:
    for owner, pairs in past.windows(inputs.engine, work, as_of).items():
        dims = {kind: owner, "basis": "git"}
        sheet.add("mad28", plain(int(median(active for active, _ in pairs))), "people", dims=dims)
        sheet.add("full-time28", plain(int(median(steady for _, steady in pairs))), "people", dims=dims)


def _refused(sheet: Sheet, inputs: Inputs, kind: git.Group, rows: ibis.Table, work: ibis.Table) -> None:
    """Writes what was left out, the number of identities and how the owner merges."""
    people = work.group_by("owner").aggregate(
        identities=lambda t: t.identity.nunique(), emails=lambda t: t.author_email.nunique(), human=lambda t: t.count()
    )
    known = {str(row["owner"]): row for row in inputs.engine.rows(people)}
    everywhere = {str(row["owner"]): row for row in inputs.engine.rows(git.filtered_out(git.unique(rows, "all")))}
    for row in sorted(inputs.engine.rows(git.filtered_out(git.unique(rows, "default"))), key=lambda r: str(r["owner"])):
        owner, total = str(row["owner"]), int(str(row["all_commits"]))
        dims = {kind: owner, "basis": "git"}
        for name in ("all_commits", "merges", "bots", "vendored"):
            sheet.add(name.replace("_", "-"), str(row[name]), "commits", dims=dims)
        for name, unit in (("human", "commits"), ("identities", "people"), ("emails", "emails")):
            sheet.add(name, str(known.get(owner, {}).get(name, 0)), unit, dims=dims)
        policy = squash_policy(int(str(row["merges"])), total, int(str(everywhere[owner]["all_commits"])))
        sheet.add("squash-policy", policy, "text", dims=dims)


def squash_policy(merges: int, on_default: int, everywhere: int) -> Policy:
    """Returns how pull requests seem to land: few merges and most commits off the default branch mean squashing.

    It matters because a squashed pull request counts as one commit by one person, whoever worked on it.
    """
    if on_default < 20:
        return "unknown"
    if merges / on_default >= 0.2:
        return "merge"
    return "squash" if merges / on_default < 0.05 and everywhere >= 1.5 * on_default else "mixed"


def _restated(sheet: Sheet, inputs: Inputs, rows: ibis.Table) -> None:
    """Writes the months on which two fetches of one repository disagree."""
    found: dict[tuple[str, str, str], list[Mapping[str, object]]] = {}
    for row in inputs.engine.rows(git.snapshots(rows)):
        found.setdefault((str(row["owner"]), str(row["repository"]), str(row["month"])), []).append(row)
    grid, restated = [], Counter[str]()
    for (owner, repository, month), parts in sorted(found.items()):
        counts = sorted(int(str(part["commits"])) for part in parts)
        if len(parts) > 1 and counts[0] != counts[-1] and any(int(str(part["shared"])) for part in parts):
            restated[owner] += 1
            grid.append((owner, repository, month, str(counts[0]), str(counts[-1])))
    for owner in sorted({key[0] for key in found}):
        sheet.add("restated-months", str(restated[owner]), "months", dims={"project": owner, "basis": "git"})
    sheet.grid("restated", ("project", "repository", "month", "fewest", "most"), ("", "", "month", "commits", "commits"), grid)  # fmt: skip  # noqa: E501 - one table, one line


def _up_only(sheet: Sheet, projects: Sequence[past.History], longest: int) -> None:
    """Writes how many of the projects with two full months or more never had fewer commits than the month before."""
    trends = [past.direction(past.full(item, sheet.query.as_of, longest)) for item in projects]
    judged = [trend for trend in trends if trend.steps > 1]
    rising = sum(not trend.falls for trend in judged)
    part = f"{len(judged)}/{len(projects)}" if projects else None
    sheet.add("up-only-projects", plain(rising) if judged else None, "projects", coverage=part)


def _history(sheet: Sheet, item: past.History, longest: int) -> None:
    """Writes each month of a project, and the trend of a project or organisation."""
    dims, as_of = item.dims, sheet.query.as_of
    for month in item.months:
        partial = ("partial-month",) if month.month > past.last_full_month(as_of) else ()
        at = {**dims, "month": month.month}
        sheet.add("commits", plain(month.commits), "commits", dims=at, flags=(*month.flags, *partial))
        sheet.add("active-developers", plain(month.developers), "people", dims=at, flags=partial)
    full = past.full(item, as_of, longest)
    found = past.direction(full)
    gaps = len(past.calendar(full[0].month, full[-1].month)) - len(full) if full else 0
    flags = ("gaps",) if gaps else ()
    sheet.add("slope", plain(found.slope), "commits per month", dims=dims, flags=flags)
    sheet.add("trend-p", plain(found.p), "probability", dims=dims, flags=flags)
    sheet.add("trend-tau", plain(found.tau), "correlation", dims=dims, flags=flags)
    sheet.add("trend-months", plain(found.steps), "months", dims=dims, coverage=f"{len(full)}/{len(full) + gaps}")
    sheet.add("falls", plain(found.falls) if len(full) > 1 else None, "months", dims=dims, flags=flags)
    sheet.add("direction", found.verdict, "text", dims=dims, flags=flags)
    up_only = None if len(full) < 2 else ("no" if found.falls else "yes")
    sheet.add("up-only", up_only, "", dims=dims, flags=flags)
    if full:
        top = max(full, key=lambda month: (month.commits or 0, month.month))
        sheet.add("peak-commits", plain(top.commits), "commits", dims={**dims, "month": top.month})
