"""The report as one HTML file: no script, nothing fetched, its own style under a policy that allows only that."""

from __future__ import annotations

import base64
import hashlib
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from mercato.market.model import Figure
from mercato.market.report.drawing import drawing, legend
from mercato.market.report.model import Claim, Report
from mercato.market.report.notice import notice
from mercato.market.report.sentence import Cited, pieces
from mercato.market.words import cell, label


def standalone(report: Report) -> str:
    """Returns the report as a page of its own. Outside names are escaped by the template engine."""
    environment = _environment()
    style = environment.get_template("report/report.css").render()
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    ordered = sorted(report.figures.values(), key=_order)
    return environment.get_template("report/standalone.html").render(
        report=report,
        style=Markup(style),  # noqa: S704 - our own file
        policy=f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'",
        figures=ordered,
        notice=notice(ordered),
        pieces=lambda text, claim: claim_pieces(text, claim, report),
    )


def claim_pieces(text: str, claim: Claim, report: Report) -> list[dict[str, object]]:
    """Returns a sentence for a template: each piece with its text and, where it was cited, its figure."""
    return [
        {"text": part.text, "figure": part.figure} if isinstance(part, Cited) else {"text": part, "figure": None}
        for part in pieces(text, claim.figures, report.figures)
    ]


@cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("mercato.market"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    made.globals["cell"] = cell
    made.filters["label"] = label
    made.globals["drawing"] = drawing
    made.globals["legend"] = legend
    # The style is a template so that its hash is taken of exactly what the page holds; it has nothing to escape.
    return made


def _order(item: Figure) -> tuple[str, str, list[tuple[str, str]]]:
    return item.metric, item.name, sorted(item.dims.items())
