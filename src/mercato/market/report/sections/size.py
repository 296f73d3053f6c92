"""How large the sector is, against total crypto, Bitcoin and each giant."""

from __future__ import annotations

from mercato.market.model import Figure
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
    for share in sorted(book.figures("giants", "sector-ratio"), key=lambda item: item.value is None):
        _against(writer, share)
    for exposure in book.figures("giants", "ai-exposure"):
        _exposure(writer, exposure)
    if not book.figures("giants", "sector-ratio"):
        writer.blank("giants", "The size against total crypto, Bitcoin and the giants is unknown.", book.why("giants"))
    writer.show(book.exhibit("sector-level", "daily", "AI sector, market value", "lines:day:level"))
    writer.show(
        book.exhibit("sector-index", "daily", "Index of the AI sector", "lines:day:capped,uncapped,all-members")
    )
    writer.show(book.exhibit("giants", "sessions", "Against the giants, by common session"))
    return writer


def _level(writer: Writer) -> None:
    book = writer.book
    names = ("level", "constituents", "fully-diluted", "unknown-caps")
    level, members, diluted, unknown = (book.figure("sector-level", name) for name in names)
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
        "Fully diluted it is at least {diluted}, counting what circulates where no maximum is known.",
        "the maximum supplies of the constituents give less than {diluted}",
        otherwise="What it would be with all supply in circulation is unknown.",
        why=book.why("sector-level"),
        diluted=diluted,
    )  # fmt: skip
    index = book.figure("sector-index", "index", variant="capped")
    change = book.figure("sector-index", "change", variant="capped")
    writer.say(
        "index",
        "The chain-linked index, which new members cannot lift, stands at {index@plain} points; it {change@verb} by "
        "{change@size} over the span of its chart.",
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


def _against(writer: Writer, share: Figure) -> None:
    """Writes the sector as a part of one giant, of all of them, of Bitcoin or of total crypto."""
    book, dims = writer.book, dict(share.dims)
    kind = next(iter(dims))
    cap, session = book.figure("giants", "cap", **dims), book.figure("giants", "common-session")
    writer.say(
        f"against-{dims[kind]}",
        f"Against {{share@{kind}}} at {{cap}} the AI sector is {{share}}, at the last common session, {{session}}.",
        "the unadjusted close times the shares filed by then gives another cap",
        otherwise=f"The size of the AI sector against {{share@{kind}}} is unknown.",
        why="its cap is not known on a common session",
        share=share, cap=cap, session=session,
    )  # fmt: skip


def _exposure(writer: Writer, exposure: Figure) -> None:
    writer.say(
        f"exposure-{exposure.dims['giant']}",
        "Of {exposure@giant}, {exposure} is AI exposure as the company states it.",
        "the company's filing states another part",
        otherwise="What part of {exposure@giant} is AI exposure is {exposure}.",
        why="the company states no such split, and an estimate would be an invented number",
        exposure=exposure,
    )
