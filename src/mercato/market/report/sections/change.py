"""What moved the level: price, supply, or who is counted."""

from __future__ import annotations

from mercato.market.report.book import Book
from mercato.market.report.sections.commands import IMPORT_PRICES
from mercato.market.report.writer import Writer


def change(book: Book) -> Writer:
    """Returns the split of the week's change of level into price, supply and membership."""
    writer = Writer(book, "change", "What changed", "Of the week's change, what was price, supply and membership?")
    writer.need("decompose", IMPORT_PRICES)
    figure = book.figure
    start, end, total = (figure("decompose", name) for name in ("level-start", "level-end", "change"))
    writer.say(
        "total",
        "The level of the AI sector {total@verb} by {total@size} in a week, from {start} to {end}.",
        "both levels, recomputed from the same raw bytes, do not differ by {total}",
        otherwise="The week's change of level is unknown.",
        why=book.why("decompose"),
        total=total, start=start, end=end,
    )  # fmt: skip
    price, supply, membership = (figure("decompose", name) for name in ("price", "supply", "membership"))
    shares = [figure("decompose", f"{name}-of-start") for name in ("price", "supply", "membership")]
    writer.say(
        "split",
        "Prices account for {price} ({price_share@signed} of the level at the start), supply for {supply} "
        "({supply_share@signed}) and members entering or leaving for {membership} ({membership_share@signed}).",
        "these parts do not add up to {total} exactly",
        otherwise="How much of the change was price, supply or membership is unknown.",
        why=book.why("decompose"),
        price=price, supply=supply, membership=membership, total=total,
        price_share=shares[0], supply_share=shares[1], membership_share=shares[2],
    )  # fmt: skip
    writer.show(book.exhibit("decompose", "assets", "Who moved the level", "ranks:symbol:total",
                             "Change of cap of each token over the week, largest first."))  # fmt: skip
    writer.show(book.exhibit("decompose", "membership", "Who entered and left"))
    return writer
