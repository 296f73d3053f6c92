"""Who keeps building, and whether it is "up only"."""

from __future__ import annotations

from decimal import Decimal

from mercato.market.model import Figure
from mercato.market.report.book import Book
from mercato.market.report.sections.commands import FETCH_GIT, IMPORT_PRICES
from mercato.market.report.writer import Writer

SHOWN = 5


def builders(book: Book) -> Writer:
    """Returns the builders' section: the largest projects, each with its trend test and its people."""
    writer = Writer(book, "builders", "Builders", "Who keeps building, and is it up only?")
    writer.need("developers", FETCH_GIT, IMPORT_PRICES)
    peaks = sorted(book.figures("developers", "peak-commits"), key=_size, reverse=True)
    projects = [item for item in peaks if "project" in item.dims]
    for peak in projects[:SHOWN]:
        _project(writer, peak)
    if not projects:
        writer.blank("none", "Whether anybody keeps building is unknown.", book.why("developers"))
    about = "Human, non-merge commits of each project by month."
    chart = "columns:month:commits:owner:kind=project"
    writer.show(book.exhibit("developers", "monthly", "Human commits by month", chart, about))
    return writer


def _size(figure: Figure) -> Decimal:
    return Decimal(figure.value or 0)


def _project(writer: Writer, peak: Figure) -> None:
    """Writes the trend claim of one project, and the claim about its people where they were counted."""
    book, dims = writer.book, {key: value for key, value in peak.dims.items() if key != "month"}
    owner = dims["project"]
    falls, months, p, direction = (
        book.figure("developers", name, **dims) for name in ("falls", "trend-months", "trend-p", "direction")
    )
    writer.say(
        f"up-only-{owner}",
        "{falls@project}: up only? Commits fell in {falls@plain} of {months@plain} month-on-month steps, from a peak "
        "of {peak} in {peak@month}; the slope test says {direction} (p {p@plain}).",
        "no month lies below the one before (up only), or the slope test at its stated p says otherwise",
        otherwise="Whether {peak@project} is up only is unknown.",
        why="too few full months",
        falls=falls, months=months, p=p, direction=direction, peak=peak,
    )  # fmt: skip
    active, steady = (book.figure("developers", name, **dims) for name in ("mad28", "full-time28"))
    if active is not None:
        writer.say(
            f"people-{owner}",
            "{active@project} has {active} monthly active developers, of whom {steady} work on it most days.",
            "git log over the same refs, with the same merges, bots and identities set aside, counts others",
            otherwise="How many people build {active@project} is unknown.",
            active=active, steady=steady,
        )  # fmt: skip
