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
        names = ("mindshare", "low", "high")
        share, low, high = (book.figure("mindshare", name, narrative=narrative) for name in names)
        writer.say(
            narrative,
            f"{words} holds {{share}} of attention (from {{low}} to {{high}}), weighted by who engages.",
            "other seeds of trust, or a sample labelled by hand, put the share outside {low} to {high}",
            otherwise=f"The mindshare of {words} is unknown.",
            why=book.why("mindshare"),
            share=share, low=low, high=high,
        )  # fmt: skip
    writer.show(book.exhibit("mindshare", "narratives", "Mindshare with its intervals",
                             "intervals:narrative:mindshare,low,high", "Mindshare of each narrative."))  # fmt: skip
    return writer
