"""How far below its peak, in level and in index."""

from __future__ import annotations

from mercato.market.report.book import Book
from mercato.market.report.sections.commands import IMPORT_PRICES
from mercato.market.report.writer import Writer


def drawdown(book: Book) -> Writer:
    """Returns the drawdown of the level and of the index, apart."""
    writer = Writer(book, "drawdown", "Drawdown", "How far below its peak is it, and what would bring it back?")
    writer.need("drawdown", IMPORT_PRICES)
    for of, words in (("level", "The level"), ("index-capped", "The capped index")):
        names = ("drawdown", "high", "high-day", "required-gain")
        depth, high, day, gain = (book.figure("drawdown", name, of=of) for name in names)
        writer.say(
            of,
            f"{words} stands {{depth@size}} below its highest close of {{high}} on {{day}}; "
            "to be back there it must gain {gain}.",
            "a higher close than {high} is in the data",
            otherwise=f"{words} and its peak are unknown.",
            why=book.why("drawdown"),
            depth=depth, high=high, day=day, gain=gain,
        )  # fmt: skip
    writer.show(book.exhibit("drawdown", "daily", "Below the highest close: level", "underwater:day:level",
                             "How far the sector's level stands below its highest close so far."))  # fmt: skip
    return writer
