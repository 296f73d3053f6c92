"""Flat, falling or neither: the range against its own volatility."""

from __future__ import annotations

from mercato.market.report.book import Book
from mercato.market.report.sections.commands import IMPORT_PRICES
from mercato.market.report.writer import Writer


def flat(book: Book) -> Writer:
    """Returns the flat range with its test."""
    writer = Writer(book, "flat", "Flat or not", "Has the sector gone flat, or is it only quiet?")
    writer.need("flat-range", IMPORT_PRICES)
    names = ("flat", "days", "low", "high", "width", "f", "p", "p-search", "first-day")
    verdict, days, low, high, width, f, p, search, first = (book.figure("flat-range", name) for name in names)
    writer.say(
        "range",
        "Flat by the test: {verdict@yesno}. For {days}, since {first}, the level has stayed between {low} and "
        "{high}, a width of {width}.",
        "a close of these days lies outside {low} to {high}, or a day is missing",
        otherwise="Whether the sector has gone flat is unknown.",
        why=book.why("flat-range"),
        verdict=verdict, days=days, first=first, low=low, high=high, width=width,
    )  # fmt: skip
    writer.say(
        "test",
        "Against its own volatility the range is {f@plain} of what a driftless walk would cover; such a walk stays "
        "this narrow with probability {p} in one given window, {search} when every window length is searched.",
        "simulated walks of the same volatility stay this narrow more often than stated",
        otherwise="How unusual this range is cannot be said.",
        why=book.why("flat-range"),
        f=f, p=p, search=search,
    )  # fmt: skip
    return writer
