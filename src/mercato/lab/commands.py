"""`mercato lab …`: launch mechanisms against the bots that attack them. Everything here is simulated."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mercato.core.errors import InvalidInput
from mercato.lab import report_commands
from mercato.market.terminal import AsJson, show, table

if TYPE_CHECKING:
    from mercato.lab.study import Study

app = typer.Typer(
    help="Test launch mechanisms against the bots that attack them, simulated.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
report_commands.attach(app)


@app.callback()
def lab() -> None:
    """Test launch mechanisms against the bots that attack them, simulated."""


@app.command()
def run(
    out: Annotated[Path, typer.Option(help="The folder of the study; what is finished there is not done again.")],
    config: Annotated[Path | None, typer.Option(help="A study's TOML file [default: the registered one].")] = None,
    seeds: Annotated[str | None, typer.Option(help="A:B, from A up to B [default: the study's].")] = None,
    workers: Annotated[int | None, typer.Option(help="Processes [default: one a processor].", min=1, max=256)] = None,
    ray: Annotated[str, typer.Option(help="A Ray cluster that does it instead: HOST:PORT, or auto.")] = "",
    search: Annotated[bool, typer.Option("--search", help="Search although what the search found is shipped.")] = False,
    as_json: AsJson = False,
) -> None:
    """Run a study: search for the best attacks on training seeds, then score them on others."""
    from dataclasses import replace

    from mercato.lab.archive import Archive
    from mercato.lab.campaign import chosen
    from mercato.lab.cluster import cluster
    from mercato.lab.progress import watching
    from mercato.lab.results import results
    from mercato.lab.shipped import shipped
    from mercato.lab.study import load, raw
    from mercato.lab.workers import processes

    study, archive = load(config), Archive(out)
    campaign = replace(chosen(study, _seeds(seeds, study), archive), found={} if search else shipped(study.digest))
    archive.open(raw(config))
    with watching() as watch, cluster(ray) if ray else processes(workers or os.cpu_count() or 1) as spread:
        campaign.carry_out(spread, watch)
    _print(results(campaign.records(), study.digest), as_json)


@app.command()
def calibrate(
    seeds: Annotated[int, typer.Option(help="Training seeds to play.", min=1, max=1_000)] = 20, as_json: AsJson = False
) -> None:
    """Set the lab's launches beside what was observed of real ones."""
    from mercato.lab.calibration import compare
    from mercato.lab.study import load

    facts = compare(load(), seeds)
    if as_json:
        show({"simulated": True, "seeds": seeds, "facts": [asdict(fact) for fact in facts]})
        return
    rows = [[fact.says, f"{fact.observed:.1%}", f"{fact.lab:.1%}"] for fact in facts]
    table(f"Simulated launches ({seeds} training seeds) beside real ones", ["share of", "observed", "lab"], rows)


def _seeds(text: str | None, study: Study) -> range:
    if text is None:
        return range(study.first_seed, study.first_seed + study.seeds)
    start, colon, stop = text.partition(":")
    if not (colon and start.isdecimal() and stop.isdecimal() and len(text) < 40):
        raise InvalidInput(f"--seeds was {text!r}", hint="such as 1000:1200, the second not included")
    return range(int(start), int(stop))


def _print(found: dict[str, Any], as_json: bool) -> None:
    if as_json:
        show(found)
        return
    rows = [
        [name, *(_cell(body[metric]) for metric in ("extraction_of_retail", "gini", "buyers_filled", "impact_1h")),
         body["best_attack"]["adversary"]]
        for name, body in found["mechanisms"].items()
    ]  # fmt: skip
    typer.echo(f"Simulated. Configuration {found['config_hash']}")
    columns = ["mechanism", "taken of retail", "Gini", "buyers", "1 % impact after 1 h", "best attack"]
    table("Under the best attack, means of the scored seeds", columns, rows)


def _cell(estimate: dict[str, Any]) -> str | None:
    return None if estimate["mean"] is None else f"{estimate['mean']:.4g}"
