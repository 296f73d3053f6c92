"""The share of attention of each narrative, with its interval."""

from __future__ import annotations

from mercato.market.report.book import Book
from mercato.market.report.sections.commands import IMPORT_DOCUMENTS
from mercato.market.report.writer import Writer

NARRATIVES = (("ai", "AI"), ("defi", "DeFi"), ("defai", "DeFAI"))


def mindshare(book: Book) -> Writer:
    """Returns the mindshare of AI, DeFi and DeFAI: three labels of their own, not sums of each other."""
    writer = Writer(book, "mindshare", "Mindshare", "How much attention do AI, DeFi and DeFAI hold?")
    writer.need("mindshare", IMPORT_DOCUMENTS)
    for narrative, words in NARRATIVES:
        names = ("share", "share-low", "share-high", "change-low", "change-high", "verdict", "raw-share")
        share, low, high, fall, rise, verdict, raw = (
            book.figure("mindshare", name, narrative=narrative) for name in names
        )
        writer.say(
            narrative,
            f"{words} holds {{share}} of attention (from {{low}} to {{high}}), weighted by who engages; counting posts "
            "alone it would be {raw}.",
            "other seeds of trust, or a sample labelled by hand, put the share outside {low} to {high}",
            otherwise=f"The mindshare of {words} is unknown.",
            why=book.why("mindshare"),
            share=share, low=low, high=high, raw=raw,
        )  # fmt: skip
        writer.say(
            f"{narrative}-change",
            f"Over the week, {words}: {{verdict}} (the interval of its log change runs from {{fall@plain}} to "
            "{rise@plain}).",
            "the interval, drawn again by author, lies on the other side of no change, or over it",
            otherwise=f"Whether {words} gained attention over the week is unknown.",
            why=book.why("mindshare"),
            verdict=verdict, fall=fall, rise=rise,
        )  # fmt: skip
    about = "Mindshare of each narrative with its interval."
    chart = "intervals:narrative:share,share-low,share-high"
    writer.show(book.exhibit("mindshare", "narratives", "Mindshare with its intervals", chart, about))
    return writer
