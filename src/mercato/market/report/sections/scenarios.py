"""What small budgets and large multiples would need: arithmetic and history, never advice."""

from __future__ import annotations

from mercato.market.report.book import Book
from mercato.market.report.sections.commands import IMPORT_PRICES
from mercato.market.report.writer import Writer

KEYS = ("scenario-low", "scenario-high")


def scenarios(book: Book) -> Writer:
    """Returns the scenarios of the smallest budget at the smallest multiple and the largest at the largest."""
    writer = Writer(book, "scenarios", "Scenarios", "What would a small budget and a large multiple need?")
    writer.need("scenario-low", IMPORT_PRICES)
    for key in KEYS:
        _needs(writer, key)
        _exit(writer, key)
    _rates(writer, KEYS[0])
    _exhibits(writer, KEYS[0])
    return writer


def answer(book: Book, key: str) -> Writer:
    """Returns one scenario as a section of its own: what it would need, the exit, the history."""
    writer = Writer(
        book, "scenario", "The answer", "What would it need, how often did it happen, what would an exit pay?"
    )
    _needs(writer, key)
    _exit(writer, key)
    _rates(writer, key)
    _exhibits(writer, key)
    return writer


def _exhibits(writer: Writer, key: str) -> None:
    book = writer.book
    about = "Starts that touched the multiple within a year."
    title = "How often it happened, by year and band of cap"
    writer.show(book.exhibit(key, "base-rates", title, "columns:year:hits_10:band", about))
    writer.show(book.exhibit(key, "exits", "What an exit would pay, by budget and multiple"))


def _needs(writer: Writer, key: str) -> None:
    book = writer.book
    names = ("budget", "mark", "cap", "required-cap", "required-of-sector", "required-of-record")
    budget, mark, cap, required, sector, record = (next(iter(book.figures(key, name)), None) for name in names)
    writer.say(
        f"needs-{key}",
        "To turn {budget} into {mark}, {cap@asset} would have to go from {cap} to {required}: {sector@times} the whole "
        "sector today, {record@times} the largest cap an agent token ever had here.",
        "the multiple of today's cap is not {required}",
        otherwise="What turning {budget} into {mark} would need is unknown.",
        why=book.why(key),
        budget=budget, mark=mark, cap=cap, required=required, sector=sector, record=record,
    )  # fmt: skip


def _exit(writer: Writer, key: str) -> None:
    book = writer.book
    names = ("mark", "exit-part", "exit-proceeds", "pool")
    mark, part, proceeds, pool = (next(iter(book.figures(key, name)), None) for name in names)
    writer.say(
        f"exit-{key}",
        "Selling {mark} into the known pool of {pool} would realise {part} of it, {proceeds}.",
        "the pool holds another depth, or other pools share the sale",
        otherwise="What a sale of {mark} would pay is unknown.",
        why="the depth of the token's pools is not imported",
        mark=mark, part=part, proceeds=proceeds, pool=pool,
    )  # fmt: skip


def _rates(writer: Writer, key: str) -> None:
    """Writes the newest years of the base rate in the token's band; years stay apart, never pooled."""
    book = writer.book
    rates = book.figures(key, "touch-rate")
    for rate in rates[-3:]:
        dims = dict(rate.dims)
        starts, below = (book.figure(key, name, **dims) for name in ("starts", "below-half-rate"))
        writer.say(
            f"rate-{dims['year']}",
            "Of {starts@plain} starts of {rate@year} in the band {rate@band}, {rate} touched the multiple within a "
            "year and {below} lost more than they kept.",
            "the point-in-time history, leavers counted as nothing, gives another rate",
            otherwise="How often it happened in {rate@year} is unknown.",
            why=book.why(key),
            rate=rate, starts=starts, below=below,
        )  # fmt: skip
    if not rates:
        writer.blank("rate", "How often such a multiple happened is unknown.",
                     "no point-in-time history of a year or more is imported")  # fmt: skip
