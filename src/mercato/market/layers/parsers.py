"""The registry of parsers: pure functions from the bytes that a source sent to rows and rejects.

A parser is named `SOURCE.KIND/VERSION`, such as `coingecko.markets/1`. A changed meaning is a new version, because
replay runs the named parser over the kept bytes again and expects the same rows.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from mercato.core.errors import Conflict, NotFound
from mercato.market.model import Parsed, RawDocument

Parser = Callable[[RawDocument], Parsed]

#: Modules that register parsers when imported, by the part of the name before the first dot.
MODULES: dict[str, str] = {
    "coingecko": "mercato.market.connectors.coingecko",
    "defillama": "mercato.market.connectors.defillama",
    "geckoterminal": "mercato.market.connectors.geckoterminal",
    "dexscreener": "mercato.market.connectors.dexscreener",
    "equities": "mercato.market.connectors.equities",
    "sec": "mercato.market.connectors.sec",
    "git": "mercato.market.connectors.git",
    "taxonomy": "mercato.market.connectors.taxonomy",
    "documents": "mercato.market.connectors.documents",
    "onchain": "mercato.market.connectors.onchain_rows",
}

_parsers: dict[str, Parser] = {}


def register(name: str) -> Callable[[Parser], Parser]:
    """Returns a decorator that makes a function known as the parser `name`; a second one of that name is refused."""

    def keep(function: Parser) -> Parser:
        present = _parsers.get(name)
        if present is not None and (present.__module__, present.__qualname__) != (
            function.__module__,
            function.__qualname__,
        ):
            raise Conflict(f"parser {name!r} exists already", hint="a changed parser needs a new version number")
        _parsers[name] = function
        return function

    return keep


def parser(name: str) -> Parser:
    """Returns the parser of that name; NotFound lists the known ones."""
    if name not in _parsers and (module := MODULES.get(name.partition(".")[0])):
        import_module(module)
    if name not in _parsers:
        raise NotFound(f"parser was {name!r}, which is unknown", hint=f"known parsers: {', '.join(sorted(_parsers))}")
    return _parsers[name]
