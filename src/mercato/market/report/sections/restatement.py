"""What the last report said and what is known now."""

from __future__ import annotations

from mercato.market.report.book import Book
from mercato.market.report.writer import Writer


def restatement(book: Book) -> Writer:
    """Returns the comparison of last report's figures with the same questions asked again today."""
    writer = Writer(book, "restatement", "Restatement", "Do last week's figures still stand?")
    names = ("compared", "restated", "restated-large", "largest", "threshold")
    compared, restated, large, largest, threshold = (book.figure("restatement", name) for name in names)
    writer.say(
        "last-week",
        "Of {compared} figures published as of {compared@date}, {restated} have another value with what is known now, "
        "{large} of them by more than {threshold}; the largest change is {largest}.",
        "replaying the raw bytes known then and now gives another count",
        otherwise="Whether last week's figures still stand is unknown.",
        why="no earlier report is stored to compare with",
        compared=compared, restated=restated, large=large, largest=largest, threshold=threshold,
    )  # fmt: skip
    writer.show(book.exhibit("restatement", "figures", "Restated figures"))
    return writer
