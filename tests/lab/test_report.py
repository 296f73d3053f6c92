import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from mercato.lab.exhibits import exhibits
from mercato.lab.plots import Path as Line
from mercato.lab.plots import alone, paths
from mercato.lab.report import SIMULATED, write
from mercato.lab.results import results
from mercato.lab.words import METRICS
from tests.lab.studies import records, run

FOUND = results(records(), "c0ffee")


def table(key: str) -> dict[str, tuple[str, ...]]:
    """The rows of an exhibit by their first cell."""
    return {row[0]: row[1:] for item in exhibits(FOUND) if item.key == key for row in item.rows}


def test_the_report_is_written_in_three_ways(tmp_path: Path) -> None:
    written = {path.relative_to(tmp_path).as_posix() for path in write(FOUND, tmp_path)}

    assert {
        "report.html",
        "report.md",
        "results.json",
        "plots/extraction-of-retail.svg",
        "plots/path-lca.svg",
    } <= written
    assert json.loads((tmp_path / "results.json").read_text()) == json.loads(json.dumps(FOUND))


@pytest.mark.parametrize("name", ["report.html", "report.md"])
def test_the_report_says_that_it_is_simulated_and_by_which_configuration(tmp_path: Path, name: str) -> None:
    write(FOUND, tmp_path)
    text = (tmp_path / name).read_text()

    assert SIMULATED in text
    assert "c0ffee" in text


def test_the_same_results_give_the_same_bytes(tmp_path: Path) -> None:
    one, two = [[path.read_bytes() for path in write(FOUND, tmp_path / name)] for name in ("one", "two")]

    assert one == two


def test_every_plot_is_a_drawing_of_its_own(tmp_path: Path) -> None:
    written = [path for path in write(FOUND, tmp_path) if path.suffix == ".svg"]
    sizes = [ElementTree.parse(path).getroot().get("height") for path in written]

    assert len(written) == 7
    assert all(size and float(size) > 100 for size in sizes)


def test_markdown_names_only_plots_that_are_there(tmp_path: Path) -> None:
    write(FOUND, tmp_path)
    named = [line.split("](")[1][:-1] for line in (tmp_path / "report.md").read_text().splitlines() if "![" in line]

    assert named
    assert all((tmp_path / name).exists() for name in named)


def test_what_ours_loses_stands_beside_what_it_wins() -> None:
    verdicts = {name: row[-1] for name, row in table("scoreboard").items()}

    assert verdicts["Taken by the best attack, of what people paid"] == "wins"
    assert verdicts["Buyers filled"] == "loses"
    assert verdicts["Inequality of entry prices (Gini)"] == "even"


def test_an_attack_that_was_not_run_is_unknown_and_not_zero() -> None:
    columns = next(item.columns for item in exhibits(FOUND) if item.key == "extraction")
    row = dict(zip(columns[1:], table("extraction")["LCA, elastic supply"], strict=True))

    assert (row["sniper"], row["griefer"]) == ("0.20%", "unknown")


def test_names_from_outside_cannot_leave_their_place(tmp_path: Path) -> None:
    write(results([run("<b>|x", "a<i>", 1)], "c0ffee"), tmp_path)

    assert "<b>" not in (tmp_path / "report.html").read_text()
    assert "&lt;b>\\|x" in (tmp_path / "report.md").read_text()


def test_a_gap_breaks_a_line() -> None:
    drawn = paths([Line("a", (1.0, 2.0, None, 3.0, 4.0))], "usd", "about")

    assert str(drawn).count("<polyline") == 2
    assert paths([Line("a", (1.0, None))], "usd", "about") == ""
    assert ElementTree.fromstring(alone(drawn)).get("width") == "760"


@pytest.mark.parametrize(
    ("name", "bad"),
    [("gini", 0.3), ("buyers_filled", -0.3), ("latency_value", 0.3), ("sybil_gain", 0.3)],
)
def test_a_metric_knows_what_is_worse(name: str, bad: float) -> None:
    assert METRICS[name].badness(0.3) == bad


def test_being_late_is_no_better_than_being_first_and_an_attack_that_loses_is_no_win() -> None:
    assert METRICS["latency_value"].badness(-0.3) == 0.3
    assert METRICS["extraction_of_retail"].badness(-0.3) == METRICS["sybil_gain"].badness(-0.3) == 0


def test_an_attack_that_gains_nothing_is_not_named_as_one_that_does() -> None:
    calm = results([run("lca", "sniper", seed, extraction_of_retail=0.0) for seed in range(3)], "c0ffee")
    rows = {item.key: item.rows for item in exhibits(calm)}

    assert rows["summary"][0][1] == "none that pays"
    assert table("summary")["LCA (ours)"][0] == "sniper"
