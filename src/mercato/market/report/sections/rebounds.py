"""Which tokens rebound, by band of cap, and how far they are from their peaks."""

from __future__ import annotations

from mercato.market.report.book import Book
from mercato.market.report.sections.commands import IMPORT_PRICES
from mercato.market.report.writer import Writer


def rebounds(book: Book) -> Writer:
    """Returns the breadth of the week's rise in all and by band, and the ranking behind it."""
    writer = Writer(book, "rebounds", "Rebounds", "Which tokens rebound, and is it they or the whole market?")
    writer.need("rebounds", IMPORT_PRICES)
    bands = [item.dims["band"] for item in book.figures("rebounds", "tokens") if item.value not in {None, "0"}]
    for band in bands or ["all"]:
        names = ("tokens", "risen-share", "rebounded-share", "median-return")
        tokens, risen, rebounded, middle = (book.figure("rebounds", name, band=band) for name in names)
        who = "Of {tokens} tokens" if band == "all" else "In the band {tokens@band}, of {tokens} tokens"
        writer.say(
            f"band-{band}",
            f"{who}, {{risen}} rose in a week and {{rebounded}} rebounded; the median return is {{middle@signed}}.",
            "on both exact dates, the closes of the same tokens give other shares",
            otherwise="Which tokens rebound is unknown.",
            why=book.why("rebounds"),
            tokens=tokens, risen=risen, rebounded=rebounded, middle=middle,
        )  # fmt: skip
    writer.show(book.exhibit("rebounds", "ranking", "Week's return, with what is missing to the peak",
                             "ranks:symbol:return", "Return of each token over the week, highest first."))  # fmt: skip
    writer.show(book.exhibit("rebounds", "left-out", "Left out of the ranking, and why"))
    return writer
