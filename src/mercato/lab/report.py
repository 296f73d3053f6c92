"""Writes a study's report: one HTML file without scripts, Markdown with its plots as SVG files, the results as JSON.

The report says that it is simulated, by which registered configuration, and shows what our auction loses first.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from mercato.lab.exhibits import Exhibit, exhibits
from mercato.lab.plots import alone

Body = Mapping[str, Any]
SIMULATED = "Simulated: every person, bot and price here was drawn from a seed. Nothing of it happened on a market."
RESULTS, HTML, MARKDOWN, PLOTS = "results.json", "report.html", "report.md", "plots"


def write(found: Body, folder: Path) -> list[Path]:
    """Writes the report of a study's results into a folder, and returns the files."""
    shown = exhibits(found)
    files = {
        RESULTS: json.dumps(found, indent=1, sort_keys=True) + "\n",
        HTML: html(found, shown),
        MARKDOWN: markdown(found, shown),
        **{f"{PLOTS}/{plot.key}.svg": alone(plot.svg) for item in shown for plot in item.pictures if plot.svg},
    }
    (folder / PLOTS).mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in files]


def html(found: Body, shown: tuple[Exhibit, ...]) -> str:
    """Returns the report as a page of its own, under a policy that allows its own style and nothing else."""
    environment = _environment()
    style = environment.get_template("report/report.css").render()
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return environment.get_template("report/standalone.html").render(
        found=found, exhibits=shown, notice=SIMULATED,
        style=Markup(style),  # noqa: S704 - our own file
        policy=f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'",
    )  # fmt: skip


def markdown(found: Body, shown: tuple[Exhibit, ...]) -> str:
    """Returns the report as Markdown; plots are files beside it."""
    return "\n".join(_markdown(found, shown)) + "\n"


def _markdown(found: Body, shown: tuple[Exhibit, ...]) -> Iterator[str]:
    seeds = found["seeds"]
    yield "# The launch lab: launch mechanisms beside the bots that attack them\n"
    yield f"**{SIMULATED}**\n"
    yield f"Configuration `{found['config_hash']}`, {seeds['n'] if seeds else 0} seeds.\n"
    for item in shown:
        yield f"## {item.title}\n\n{item.question}\n"
        yield from (f"![{plot.caption}]({PLOTS}/{plot.key}.svg)\n" for plot in item.pictures if plot.svg)
        yield _row(item.columns)
        yield _row("---" if number == 0 else "---:" for number, _ in enumerate(item.columns))
        yield from (_row(row) for row in item.rows)
        yield ""


def _row(cells: Any) -> str:
    return "| " + " | ".join(str(cell).replace("|", "\\|").replace("<", "&lt;") for cell in cells) + " |"


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("mercato.lab"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
