"""The automatic checks of an application: each says whether it passed and why. Nothing here reaches out.

Text of applicants is data: it is measured and matched, never followed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from mercato.launch.application import HOUR, Application, Terms
from mercato.launch.clearing import BPS, PRICE_LIMIT, ceiling, grid
from mercato.launch.model import Check

ADDRESS = re.compile(r"0x[0-9a-f]{40}")
SYMBOL = re.compile(r"[A-Z][A-Z0-9]{1,9}")
COMMIT = re.compile(r"[0-9a-f]{40}")
SSH = re.compile(r"[\w.-]+@[\w.-]+:[\w./~-]+")
NAME_OCTETS = 64  # as the token's contract takes it
SALE = (2000, 6000)
SUPPLY = (10**24, 10**30)
PRICE = (2**32, 2**112)
AMOUNT = 2**112
#: The auction puts 75 % of the raise into the pool, so it needs that many tokens of the reserve for each one sold.
LIQUIDITY_BPS = 7500


#: Open-source licences by their SPDX names.
LICENCES = frozenset(
    [
        "0BSD",
        "AGPL-3.0-only",
        "AGPL-3.0-or-later",
        "Apache-2.0",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "CC0-1.0",
        "GPL-3.0-only",
        "GPL-3.0-or-later",
        "ISC",
        "LGPL-3.0-only",
        "LGPL-3.0-or-later",
        "MIT",
        "MPL-2.0",
        "Unlicense",
    ]
)


@dataclass(frozen=True, slots=True)
class Facts:
    """What the checks know beside the application: symbols in use, the least deposit, and what the chain says.

    `deposit` is what was paid on the chain, `bonded` what the curator asks; None where no chain is set up.
    `reserved` are symbols that would pass for well-known ones.
    """

    symbols: frozenset[str]
    reserved: frozenset[str]
    bonded: int = 0
    deposit: int | None = None
    licences: frozenset[str] = LICENCES


def check(application: Application, facts: Facts) -> tuple[Check, ...]:
    """Returns every check's result, in a stable order."""
    return tuple(_result(name, rule(application, facts)) for name, rule in RULES.items())


def passed(results: Sequence[Check]) -> bool:
    """Returns whether all checks passed."""
    return all(item.passed for item in results)


def _result(name: str, faults: Iterable[str]) -> Check:
    found = list(faults)
    return Check(name, not found, "; ".join(found) or "nothing was wrong")


def _allocation(application: Application, facts: Facts) -> Iterable[str]:
    shares = application.allocation.shares()
    total = sum(shares.values())
    if total != BPS:
        yield f"the shares add up to {total}, not to {BPS} basis points"
    if not SALE[0] <= shares["sale"] <= SALE[1]:
        yield f"sale was {shares['sale']} basis points, not {SALE[0]} to {SALE[1]}"
    needed = ceiling(shares["sale"] * LIQUIDITY_BPS, BPS)
    if shares["liquidity"] != needed:
        yield f"liquidity was {shares['liquidity']} basis points; a sale of {shares['sale']} needs {needed}"
    if shares["team"] > 2000:
        yield f"team was {shares['team']} basis points, more than 2000"
    if not any(shares[name] for name in ("team", "partner", "grants", "community")):
        yield "nobody but the auction gets tokens, so what rounding leaves over has no holder"
    for name in ("partner", "grants", "community"):
        account = getattr(application, name)
        if shares[name] and not _somebody(account.lower()):
            yield f"{name} gets {shares[name]} basis points, its account was {account!r}"


def _supply(application: Application, facts: Facts) -> Iterable[str]:
    supply = application.terms.supply
    if not SUPPLY[0] <= supply <= SUPPLY[1]:
        yield f"supply was {supply} base units, not {SUPPLY[0]} to {SUPPLY[1]}"
    if supply >= AMOUNT:
        yield f"supply was {supply} base units, which the auction's arithmetic does not carry"


def _floor(application: Application, facts: Facts) -> Iterable[str]:
    terms = application.terms
    if not carries(terms):
        yield f"floor was {terms.floor} with steps of {terms.step_bps}, whose prices the grid of levels cannot carry"


def carries(terms: Terms) -> bool:
    """Returns whether the auction's arithmetic carries the price of every level."""
    if not terms.supply or not PRICE[0] < terms.floor_price < PRICE[1]:
        return False
    return grid(terms.floor_price, terms.step_bps)[-1] < PRICE_LIMIT


def _auction(application: Application, facts: Facts) -> Iterable[str]:
    terms = application.terms
    if not 1 <= terms.step_bps <= 1000:
        yield f"step was {terms.step_bps} basis points, not 1 to 1000"
    if terms.retail_bps > 2500:
        yield f"retail was {terms.retail_bps} basis points of the sale, more than 2500"
    if not 0 < terms.bid_min < AMOUNT:
        yield f"the least bid was {terms.bid_min}"
    sale = terms.floor * application.allocation.sale // BPS
    if not 0 < terms.raise_min <= sale:
        yield f"the least raise was {terms.raise_min}, not 1 to {sale}, what the sale brings at the floor"
    if not HOUR <= terms.open_seconds <= 14 * 24 * HOUR:
        yield f"open was {terms.open_seconds} seconds, not an hour to two weeks"
    if not HOUR <= terms.lock_seconds <= 48 * HOUR:
        yield f"lock was {terms.lock_seconds} seconds, not 1 to 48 hours"


def _symbol(application: Application, facts: Facts) -> Iterable[str]:
    symbol = application.symbol
    if not SYMBOL.fullmatch(symbol):
        yield f"symbol was {symbol!r}, not 2 to 10 of A-Z and 0-9 that begin with a letter"
    if symbol in facts.reserved:
        yield f"symbol was {symbol!r}, which passes for a well-known asset"
    if symbol in facts.symbols:
        yield f"symbol was {symbol!r}, which another launch uses"


def _repository(application: Application, facts: Facts) -> Iterable[str]:
    if not _clonable(application.repository):
        yield f"repository was {application.repository!r}, not an https, ssh or git address"
    if not COMMIT.fullmatch(application.commit):
        yield f"commit was {application.commit!r}, not the 40 digits of a revision"
    if application.licence not in facts.licences:
        yield f"licence was {application.licence!r}, not an open-source one that is known here"


def _clonable(text: str) -> bool:
    if any(letter.isspace() or not letter.isprintable() for letter in text):
        return False
    if SSH.fullmatch(text):
        return True
    try:
        parts = urlsplit(text)
        host = parts.hostname or ""
    except ValueError:
        return False
    secret = parts.password is not None or (parts.username is not None and parts.scheme != "ssh")
    return parts.scheme in {"https", "ssh", "git"} and bool(host) and len(parts.path) > 1 and not secret


def _disclosure(application: Application, facts: Facts) -> Iterable[str]:
    if not 1 <= len(application.name.encode()) <= NAME_OCTETS or not application.name.isprintable():
        yield f"name was {application.name!r}, not 1 to {NAME_OCTETS} bytes of letters that can be printed"
    if len(application.summary) < 40:
        yield f"summary was {len(application.summary)} letters, at least 40 say what the agent does"
    if not application.models:
        yield "no model is named that the agent thinks with"
    if not application.tools:
        yield "no tool is named that the agent may use"
    for place, items in (("models", application.models), ("tools", application.tools)):
        if any(not str(getattr(item, name)) for item in items for name in item.__slots__):
            yield f"an entry of {place} was not filled in"


def _identity(application: Application, facts: Facts) -> Iterable[str]:
    if not _somebody(application.applicant):
        yield f"applicant was {application.applicant!r}, not an account: 0x and 40 digits"
    if not application.team:
        yield "no member of the team is named"
    if any(not (item.name and item.role) for item in application.team):
        yield "a member of the team has no name or no role"


def _somebody(account: str) -> bool:
    return bool(ADDRESS.fullmatch(account)) and int(account, 16) > 0


def _revenue(application: Application, facts: Facts) -> Iterable[str]:
    revenue = application.revenue
    if not revenue.sources:
        yield "no source of revenue is named"
    if not 0 < revenue.holders_bps <= BPS:
        yield f"the holders' share was {revenue.holders_bps} basis points, not 1 to {BPS}"


def _milestones(application: Application, facts: Facts) -> Iterable[str]:
    total = sum(item.share_bps for item in application.milestones)
    if not 2 <= len(application.milestones) <= 8:
        yield f"milestones were {len(application.milestones)}, not 2 to 8"
    if total != BPS:
        yield f"the milestones' shares add up to {total}, not to {BPS} basis points"
    if any(not item.title or not item.share_bps for item in application.milestones):
        yield "a milestone has no title or no share"


def _deposit(application: Application, facts: Facts) -> Iterable[str]:
    if facts.deposit is not None and facts.deposit < facts.bonded:
        yield f"deposit was {facts.deposit} base units, at least {facts.bonded} are asked"


Rule = Callable[[Application, Facts], Iterable[str]]
RULES: dict[str, Rule] = {
    "identity": _identity,
    "disclosure": _disclosure,
    "repository": _repository,
    "revenue": _revenue,
    "symbol": _symbol,
    "supply": _supply,
    "allocation": _allocation,
    "floor": _floor,
    "auction": _auction,
    "milestones": _milestones,
    "deposit": _deposit,
}
"""Every check by its name."""
