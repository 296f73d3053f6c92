"""How large the sector is, against total crypto, Bitcoin and each giant."""

from __future__ import annotations

from mercato.market.report.book import Book
from mercato.market.report.sections.commands import IMPORT_EQUITIES, IMPORT_PRICES
from mercato.market.report.writer import Writer


def size(book: Book) -> Writer:
    """Returns the size of the sector, of its two parts, and its comparison with the large ones."""
    writer = Writer(book, "size", "Size", "How large is the open, tokenized AI sector?")
    writer.need("sector-level", IMPORT_PRICES)
    writer.need("giants", IMPORT_EQUITIES)
    _level(writer)
    _parts(writer)
    for kind in ("total-crypto", "bitcoin"):
        _against(writer, kind)
    for name in GIANTS:
        _against(writer, name)
        _exposure(writer, name)
    writer.show(book.exhibit("sector-level", "daily", "AI sector, market value", "lines:day:level"))
    writer.show(
        book.exhibit("sector-index", "daily", "Index of the AI sector", "lines:day:capped,uncapped,all-members")
    )
    writer.show(book.exhibit("giants", "comparison", "Against the giants"))
    return writer


GIANTS = ("AAPL", "AMZN", "GOOGL", "META", "MSFT")


def _level(writer: Writer) -> None:
    book = writer.book
    names = ("level", "constituents", "fully-diluted", "fdv-to-circulating", "unknown-caps")
    level, members, diluted, dilution, unknown = (book.figure("sector-level", name) for name in names)
    writer.say(
        "level",
        "The AI sector is worth {level} at the close of {level@date}: the circulating caps of {members} tokens. "
        "The cap of {unknown} more members is unknown.",
        "the caps of the listed constituents do not add up to {level}",
        otherwise="The size of the AI sector is unknown.",
        why=book.why("sector-level"),
        level=level, members=members, unknown=unknown,
    )  # fmt: skip
    writer.say(
        "diluted",
        "Fully diluted it is at least {diluted}, {dilution@times} of what circulates.",
        "the maximum supplies of the constituents give less than {diluted}",
        otherwise="What it would be with all supply in circulation is unknown.",
        why=book.why("sector-level"),
        diluted=diluted, dilution=dilution,
    )  # fmt: skip
    index = book.figure("sector-index", "index", variant="capped")
    change = book.figure("sector-index", "change", variant="capped")
    writer.say(
        "index",
        "The chain-linked index, which new members cannot lift, stands at {index@plain} points and {change@verb} by "
        "{change@size} over its shown span.",
        "the published baskets and divisors give another value",
        otherwise="The chain-linked index is unknown.",
        why=book.why("sector-index"),
        index=index, change=change,
    )  # fmt: skip


def _parts(writer: Writer) -> None:
    """Writes the two parts apart: what "crypto AI" means decides its size."""
    book = writer.book
    agents, infrastructure = (book.figure(key, "level") for key in ("agents", "infrastructure"))
    writer.say(
        "parts",
        "The definition decides: agent tokens alone are worth {agents}, infrastructure tokens {infrastructure}.",
        "a token of one part is counted in the other",
        otherwise="How the sector splits into agents and infrastructure is unknown.",
        why=book.why("agents"),
        agents=agents, infrastructure=infrastructure,
    )  # fmt: skip


def _against(writer: Writer, name: str) -> None:
    book = writer.book
    share, cap = (book.figure("giants", figure, of=name) for figure in ("sector-share", "cap"))
    writer.say(
        f"against-{name}",
        "Against {share@of} at {cap}, the AI sector is {share}.",
        "the unadjusted close times the shares filed by then gives another cap",
        otherwise=f"The size against {name} is unknown.",
        why=book.why("giants"),
        share=share, cap=cap,
    )  # fmt: skip


def _exposure(writer: Writer, name: str) -> None:
    exposure = writer.book.figure("giants", "ai-exposure", of=name)
    writer.say(
        f"exposure-{name}",
        "Of {exposure@of}, {exposure} is AI exposure.",
        "the company reports what part of it is AI",
        otherwise=f"What part of {name} is AI exposure is unknown.",
        why="the company reports no such split, and an estimate would be an invented number",
        exposure=exposure,
    )
