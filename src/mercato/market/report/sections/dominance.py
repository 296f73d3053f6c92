"""Which chain and which platform leads, under a named attribution."""

from __future__ import annotations

from mercato.market.model import Figure
from mercato.market.report.book import Book
from mercato.market.report.sections.commands import IMPORT_PRICES
from mercato.market.report.writer import Writer

SHOWN = 3
WITH_OWN = {"chain": "all", "basis": "cap", "own_token": "with"}


def dominance(book: Book) -> Writer:
    """Returns the shares of the chains that lead, by home chain, and what other attributions would need."""
    writer = Writer(book, "dominance", "Chains", "Which chain leads, and by which attribution?")
    writer.need("dominance", IMPORT_PRICES)
    leaders = [item for item in book.figures("dominance", "share") if item.dims.get("key", "other") != "other"]
    for place, leader in enumerate(leaders[:SHOWN]):
        _chain(writer, leader, place)
    if not leaders:
        writer.say(
            "none",
            "",
            "data that answers it is imported already",
            otherwise="Which chain leads is unknown.",
            why=book.why("dominance"),
            share=None,
        )
    spread = book.figure("dominance", "herfindahl", by="chain", mode="home")
    groups = book.figure("dominance", "groups", by="chain", mode="home")
    writer.say(
        "spread",
        "Over {groups} chains the concentration (Herfindahl index) is {spread@plain}; it would be largest, a whole, "
        "with everything on a single chain.",
        "the squared shares of the chains do not add up to {spread@plain}",
        otherwise="How concentrated the chains are is unknown.",
        why=book.why("dominance"),
        spread=spread, groups=groups,
    )  # fmt: skip
    _other_modes(writer)
    writer.show(book.exhibit("history", "chains", "Share of each home chain by week", "stack:day:share:chain",
                             "Share of the sector's level by home chain, week by week."))  # fmt: skip
    writer.show(book.exhibit("dominance", "groups", "Share by home chain", "ranks:chain:share",
                             "Share of the sector's level by home chain on the day."))  # fmt: skip
    return writer


def _chain(writer: Writer, leader: Figure, place: int) -> None:
    book, dims = writer.book, dict(leader.dims)
    low, high, change = (book.figure("dominance", name, **dims) for name in ("share-low", "share-high", "change"))
    verb = "leads with" if place == 0 else "follows with"
    writer.say(
        f"chain-{place}",
        f"{{share@key}} {verb} {{share}} of the level by home chain (from {{low}} to {{high}} as supplies are known), "
        "{change@signed} in a week.",
        "another chain has a larger cap by the same attribution, or the share lies outside {low} to {high}",
        otherwise="The share of {share@key} by home chain is {share}; how it changed is unknown.",
        why=book.why("dominance"),
        share=leader, low=low, high=high, change=change,
    )  # fmt: skip


def _other_modes(writer: Writer) -> None:
    for mode, words in (("deployed", "where its supply lies"), ("traded", "where it is traded")):
        share = next(iter(writer.book.figures(mode, "share")), None)
        writer.say(
            mode,
            f"Attributed by {words}, {{share@key}} has {{share}}.",
            "the supplies or volumes by chain, added up, give another share",
            otherwise=f"Attributed by {words}, the shares are unknown.",
            why="supplies by deployment and volumes by venue are not imported",
            share=share,
        )


def platforms(book: Book) -> Writer:
    """Returns the share of the launch platforms, by cap and by count, with and without their own tokens."""
    writer = Writer(book, "platforms", "Platforms", "Which launch platform brought the value?")
    writer.need("platform-share", IMPORT_PRICES)
    found = book.figures("platform-share", "share", **WITH_OWN)
    ranked = sorted(found, key=lambda item: (-float(item.value or 0), item.dims["platform"]))
    for place, leader in enumerate(ranked[:SHOWN]):
        _platform(writer, leader, place)
    if not ranked:
        writer.blank("none", "Which platform leads is unknown.", book.why("platform-share"))
    writer.show(book.exhibit("platform-share", "platforms", "Platforms by chain"))
    return writer


def _platform(writer: Writer, leader: Figure, place: int) -> None:
    book, dims = writer.book, dict(leader.dims)
    without = book.figure("platform-share", "share", **{**dims, "own_token": "without"})
    count = book.figure("platform-share", "share", **{**dims, "basis": "count"})
    writer.say(
        f"platform-{place}",
        "Tokens launched on {share@platform} make {share} of the cap of the sector with the platform's own token, "
        "{without} without it, and {count} of its tokens by count.",
        "a token counted for {share@platform} was launched elsewhere",
        otherwise="The share of {share@platform} with its own token is {share}; without it, it is unknown.",
        why=book.why("platform-share"),
        share=leader, without=without, count=count,
    )  # fmt: skip
