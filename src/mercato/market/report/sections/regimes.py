"""Where the level changed for good, seen from the report's day."""

from __future__ import annotations

from mercato.market.report.book import Book
from mercato.market.report.sections.commands import IMPORT_PRICES
from mercato.market.report.writer import Writer


def regimes(book: Book) -> Writer:
    """Returns the breaks of the level, against what a walk would show, and how long the present regime has lasted."""
    writer = Writer(book, "regimes", "Regimes", "Has the level changed for good, as far as today can tell?")
    writer.need("regime", IMPORT_PRICES)
    names = ("breaks", "breaks-in-walks", "penalties", "regime-since", "regime-days")
    breaks, chance, penalties, since, days = (book.figure("regime", name) for name in names)
    writer.say(
        "breaks",
        "Breaks of the level that hold under most of the {penalties} penalties tried: {breaks}. A driftless walk of "
        "the same length shows {chance} on average, though nothing changed in it.",
        "the same search over the same closes finds another number of breaks than {breaks}",
        otherwise="Whether the level has changed for good is unknown.",
        why=book.why("regime"),
        breaks=breaks, chance=chance, penalties=penalties,
    )  # fmt: skip
    writer.say(
        "present",
        "The present regime began on {since} and has lasted {days}.",
        "closes to come move its first day away from {since}",
        otherwise="Since when the level has been in its present regime is unknown.",
        why=book.why("regime"),
        since=since, days=days,
    )  # fmt: skip
    writer.show(book.exhibit("regime", "regimes", "Regimes of the level and the median close of each"))
    writer.show(book.exhibit("regime", "candidates", "Every break that was seen, and under how many of the penalties"))
    return writer
