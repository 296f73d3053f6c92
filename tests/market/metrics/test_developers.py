"""Developers (M13): what counts as work, who is one person, and whether it only goes up."""

import csv
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta

import pytest

from mercato.core.errors import InvalidInput
from mercato.market.metrics import commits, developers, history
from mercato.market.metrics.counts import imported
from mercato.market.model import Query
from mercato.market.testing import inputs
from tests.market.metrics.golden import compare

ELIZA = "elizaOS/eliza (via shakkernerd/eliza main, to 2025-06-11)"


def commit(sha, day="2025-01-10", name="Ann Example", email="ann@example.org", **more):
    at = datetime.fromisoformat(f"{day}T12:00:00+00:00")
    return {
        "project": "project:acme/tool",
        "repository": "github.com/acme/tool",
        "sha": sha,
        "author_name": name,
        "author_email": email,
        "authored_at": at,
        "committed_at": at,
        "parents": 1,
        "on_default": True,
        "subject": f"change {sha}",
        "patch_id": f"patch-{sha}",
        "coauthors": "",
        "vendored_only": False,
        "raw_sha": "r1",
        **more,
    }


def observation(project, field, day, value, **more):
    return {
        "asset_id": project,
        "field": field,
        "day": day,
        "value": value,
        "sources": 1,
        "spread": 0.0,
        "raw_sha": "i1",
        **more,
    }


def ask(duck, rows=(), curated=(), as_of=date(2025, 1, 31), **params):
    return developers.developers(
        inputs(duck, commits=rows, curated=curated), Query(as_of=as_of, params={k: str(v) for k, v in params.items()})
    )


def month(result, name="commits", owner="project:acme/tool", basis="git", at="2025-01"):
    return result.figure(name, project=owner, basis=basis, month=at).value


MESSY = [
    commit("a1"),
    commit("a1", repository="github.com/fork/tool", raw_sha="r2"),  # the same commit in a fork
    commit("a2", parents=2),  # a merge
    commit("a3", name="dependabot[bot]", email="49699333+dependabot[bot]@users.noreply.github.com"),
    commit("a4", vendored_only=True),
    commit("a5", subject="change a1"),  # rebased: same author, time and subject
    commit("a6", day="2025-01-11", patch_id="patch-a1"),  # cherry-picked: same author and change
    commit("a7", name="Bea Example", email="bea@example.org", patch_id="patch-a1"),  # another person's work
    commit("a8", on_default=False),
    commit("a9", day="2025-02-01"),  # after as_of
    commit("b1", coauthors="Claude <noreply@anthropic.com>", day="2025-01-12", patch_id=None),
    commit("b2", day="2025-01-13", patch_id=None, on_default=None, vendored_only=None, parents=None),
    commit("b3", authored_at=None),
]


def test_each_piece_of_human_work_counts_once(duck):
    result = ask(duck, MESSY)

    assert month(result) == "4"  # a1, a7, b1, b2
    assert month(result, "active-developers") == "2"
    dims = {"project": "project:acme/tool", "basis": "git"}
    assert {name: result.figure(name, **dims).value for name in ("merges", "bots", "vendored", "human")} == {
        "merges": "1",
        "bots": "1",
        "vendored": "1",
        "human": "4",
    }
    assert result.grids[-2].rows[0] == ("project", "project:acme/tool", "git", "2025-01", "4", "2", "1")


def test_a_commit_that_a_rewrite_took_off_its_branch_no_longer_counts(duck):
    first, later = (datetime(2025, 1, day, tzinfo=UTC) for day in (20, 25))
    rows = [
        commit("a1", observed_at=first),
        commit("a2", observed_at=first),
        commit("a2", observed_at=later, on_default=False, raw_sha="r0"),
    ]

    assert month(ask(duck, rows)) == "1"
    assert month(ask(duck, rows, refs="all")) == "2"
    assert month(ask(duck, [*rows, commit("a2", repository="github.com/fork/tool", raw_sha="r2")])) == "2"


def test_imported_projects_are_grouped_by_the_part_before_the_slash(duck):
    rows = [observation(f"dev:acme/{name}", "commits", date(2025, 1, 31), 3.0) for name in ("one", "two")]

    assert month(ask(duck, curated=rows), owner="dev:acme/one", basis="imported") == "3"
    total = ask(duck, curated=rows).figure("commits", organisation="acme", basis="imported", month="2025-01")
    assert (total.value, "not-deduplicated" in total.flags) == ("6", True)


def test_how_many_projects_only_rise_is_one_number(duck):
    def history(name, counts):
        return [observation(name, "commits", date(2024, 10 + at, 28), float(n)) for at, n in enumerate(counts)]

    rows = [*history("dev:a/up", (1, 2, 3)), *history("dev:b/down", (3, 2, 3)), *history("dev:c/new", (1,))]
    found = ask(duck, curated=rows).figure("up-only-projects")

    assert (found.value, found.unit, found.coverage) == ("1", "projects", "2/3")


def test_all_refs_may_be_asked_for(duck):
    assert month(ask(duck, MESSY, refs="all")) == "5"
    with pytest.raises(InvalidInput, match="refs was 'some'"):
        ask(duck, MESSY, refs="some")


def test_an_organisation_counts_a_shared_commit_once(duck):
    rows = [commit("a1"), commit("a1", project="project:acme/copy", repository="github.com/acme/copy", raw_sha="r2")]

    result = ask(duck, rows)

    assert result.figure("human", organisation="acme", basis="git").value == "1"
    assert result.figure("human", project="project:acme/copy", basis="git").value == "1"


def test_a_local_folder_has_no_organisation(duck):
    result = ask(duck, [commit("a1", repository="file:///home/someone/tool")])

    assert result.figure("human", organisation="project:acme/tool", basis="git").value == "1"


def test_one_month_has_neither_risen_nor_fallen(duck):
    assert ask(duck, [commit("a1")]).figure("falls", project="project:acme/tool", basis="git").value is None


def test_actives_need_one_day_and_full_time_needs_ten(duck):
    days = [date(2025, 1, 31) - timedelta(days=offset) for offset in range(0, 20, 2)]
    rows = [commit(f"d{at}", day=day.isoformat()) for at, day in enumerate(days)]
    rows += [commit("x", name="Bea Example", email="bea@example.org", day="2025-01-05")]
    rows += [commit("y", name="Cid Example", email="cid@example.org", day="2025-01-03")]
    work = commits.prepared(inputs(duck, commits=rows).commits, "project", date(2025, 1, 31))
    work = commits.identified(duck, work, {})

    assert duck.rows(commits.window_actives(work, date(2025, 1, 31))) == [
        {"owner": "project:acme/tool", "active": 2, "full_time": 1}
    ]
    assert history.windows(duck, work, date(2025, 1, 31)) == {"project:acme/tool": [(2, 1), (3, 0), (3, 0)]}
    assert ask(duck, rows).figure("mad28", project="project:acme/tool", basis="git").value == "3"


def test_silence_counts_as_zero_between_commits_but_is_unknown_after_the_last(duck):
    rows = [commit("a", day="2024-09-10"), commit("b", day="2024-12-10")]

    result = ask(duck, rows, as_of=date(2025, 3, 31))

    assert [row[3:5] for row in result.grids[-2].rows if row[0] == "project"] == [
        ("2024-09", "1"), ("2024-10", "0"), ("2024-11", "0"), ("2024-12", "1"),
    ]  # fmt: skip


def test_two_fetches_that_disagree_about_a_month_are_a_restatement(duck):
    rows = [commit("a"), commit("a", raw_sha="r2"), commit("b", raw_sha="r2", day="2025-01-20")]

    result = ask(duck, rows)

    assert result.figure("restated-months", project="project:acme/tool", basis="git").value == "1"
    assert result.grids[0].rows == (("project:acme/tool", "github.com/acme/tool", "2025-01", "1", "2"),)


def test_two_parts_of_one_fetch_are_not_a_restatement(duck):
    result = ask(duck, [commit("a"), commit("b", raw_sha="r2"), commit("c", raw_sha="r2")])

    assert result.figure("restated-months", project="project:acme/tool", basis="git").value == "0"


@pytest.mark.parametrize(
    ("merges", "on_default", "everywhere", "policy"),
    [
        (4561, 13207, 13210, "merge"),
        (64, 1390, 5980, "squash"),
        (649, 5190, 10865, "mixed"),
        (0, 10, 10, "unknown"),
        (1, 100, 100, "mixed"),
    ],
)
def test_how_pull_requests_land_is_read_off_merges(merges, on_default, everywhere, policy):
    assert developers.squash_policy(merges, on_default, everywhere) == policy


def test_imported_rows_of_one_month_add_up_and_people_do_not(duck):
    rows = [
        observation("project:a/b", "commits", date(2025, 1, 1), 3.0),
        observation("project:a/b", "commits", date(2025, 1, 2), 4.0, sources=2, spread=0.25),
        observation("project:a/b", "active_developers", date(2025, 1, 1), 2.0),
        observation("project:a/b", "active_developers", date(2025, 1, 2), 3.0),
        observation("project:a/b", "active_developers", date(2024, 12, 1), 5.0),
    ]

    result = ask(duck, curated=rows)

    assert month(result, "commits", "project:a/b", "imported") == "7"
    assert month(result, "active-developers", "project:a/b", "imported") == "3"
    assert month(result, "commits", "project:a/b", "imported", at="2024-12") is None
    assert result.figure("commits", project="project:a/b", basis="imported", month="2025-01").flags == (
        "sources-differ",
    )


def test_a_month_that_has_not_ended_is_marked_and_left_out_of_the_trend(duck):
    rows = [observation("project:a/b", "commits", date(2024, at, 1), 100.0 + at) for at in range(6, 13)]
    rows.append(observation("project:a/b", "commits", date(2025, 1, 1), 1.0))

    result = ask(duck, curated=rows, as_of=date(2025, 1, 30))

    dims = {"project": "project:a/b", "basis": "imported"}
    assert result.figure("commits", **dims, month="2025-01").flags == ("partial-month",)
    assert result.figure("up-only", **dims).value == "yes"
    assert result.figure("direction", **dims).value == "up"
    assert ask(duck, curated=rows).figure("up-only", **dims).value == "no"


def test_missing_months_are_gaps_and_not_zeros(duck):
    rows = [observation("project:a/b", "commits", date(2024, at, 1), float(at)) for at in (1, 2, 3, 9, 10)]

    result = ask(duck, curated=rows, as_of=date(2024, 12, 31))

    figure = result.figure("slope", project="project:a/b", basis="imported")
    assert (figure.value, figure.flags) == ("1", ("gaps",))
    assert result.figure("trend-months", project="project:a/b", basis="imported").coverage == "5/10"


def test_nothing_known_is_said(duck):
    result = ask(duck)

    assert result.flags == ("no-data",)
    assert [(figure.name, figure.value) for figure in result.figures] == [("up-only-projects", None)]


def test_the_figures_name_what_would_refute_the_claims(duck):
    result = ask(duck, MESSY)
    names = {figure.name for figure in result.figures}

    assert {row[0] for row in result.grids[-1].rows} == {"up only", "rising", "falling"}
    assert {word for row in result.grids[-1].rows for word in row[1].split(" and ")} <= names


def monthly_rows(research):
    with (research / "dev_monthly.csv").open() as file:
        rows = list(csv.DictReader(file))
    found = []
    for row in rows:
        day = date.fromisoformat(row["month"] + "-01")
        found.append(observation(row["project"], "commits", day, float(row["human_nonmerge_commits"])))
        found.append(observation(row["project"], "active_developers", day, float(row["active_devs"])))
    return found


def test_the_published_eliza_months_come_out_exactly(duck, research):
    result = ask(duck, curated=monthly_rows(research), as_of=date(2025, 5, 31), projects=f"{ELIZA.split(',')[0]}")
    assert result.flags == ("no-data",)  # this project's name holds a comma

    result = ask(duck, curated=monthly_rows(research), as_of=date(2025, 5, 31))
    counts: dict = defaultdict(dict)
    for figure in result.figures:
        counts[figure.name, figure.dims.get("project")][figure.dims.get("month")] = figure.value
    months = ["2024-10", "2024-11", "2024-12", "2025-01", "2025-02", "2025-03", "2025-04", "2025-05"]

    assert [counts["commits", ELIZA][at] for at in months] == [
        "100",
        "925",
        "1338",
        "1681",
        "703",
        "1459",
        "574",
        "945",
    ]
    rig = [counts["commits", "0xPlaygrounds/rig"][at] for at in ("2024-10", "2025-01", "2025-02")]
    assert rig == ["92", "35", "33"]
    dims = {"project": ELIZA, "basis": "imported"}
    assert result.figure("up-only", **dims).value == "no"
    assert result.figure("falls", **dims).value == "2"


@pytest.mark.spark
def test_monthly_counts_agree_on_both_engines(duck, spark):
    rows = [*MESSY, commit("z", day="2024-12-30", repository="ssh://host/org/name/")]

    def work(given):
        return commits.human(commits.unique(commits.prepared(given.commits, "organisation", date(2025, 1, 31)), "all"))

    def monthly(given):
        return commits.monthly(commits.identified(given.engine, work(given), {}))

    assert compare(duck, spark, work, ("owner", "sha"), commits=rows) == 7
    assert compare(duck, spark, monthly, ("owner", "month"), commits=rows) == 3


@pytest.mark.spark
def test_windows_refusals_snapshots_and_imports_agree_on_both_engines(duck, spark):
    def prepared(given):
        return commits.prepared(given.commits, "project", date(2025, 1, 31))

    def windows(given):
        return commits.window_actives(commits.identified(given.engine, prepared(given), {}), date(2025, 1, 31))

    rows = [observation("a", "commits", date(2025, 1, at), value) for at, value in ((1, 3.0), (2, None), (3, 4.5))]
    rows += [observation("a", "active_developers", date(2024, 12, 1), 2.0, sources=None, spread=None)]

    assert compare(duck, spark, windows, ("owner",), commits=MESSY) == 1
    assert compare(duck, spark, lambda g: commits.filtered_out(prepared(g)), ("owner",), commits=MESSY) == 1
    assert compare(duck, spark, lambda g: commits.snapshots(prepared(g)), ("repository", "raw_sha"), commits=MESSY) == 2
    assert compare(duck, spark, lambda g: imported(g.curated, date(2025, 1, 31)), ("month",), curated=rows) == 2


def test_times_are_read_in_utc(duck):
    late = datetime(2025, 1, 31, 23, 59, 59, tzinfo=UTC)

    assert (
        month(ask(duck, [commit("a", authored_at=late), commit("b", authored_at=late + timedelta(seconds=1))])) == "1"
    )
