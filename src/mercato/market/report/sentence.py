"""Sentences whose numbers are slots: how they are read, and why a number without a figure cannot pass.

The same check guards the templates of this package and text that a model or a person wrote: a digit, a numeral of any
script, or a number word outside a slot is a violation, as is a slot that no figure stands behind.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from mercato.core.errors import InvalidInput
from mercato.market.model import Figure
from mercato.market.report.model import Claim
from mercato.market.words import dimension, value_words

_SLOT = re.compile(r"\{([a-z][a-z0-9_]*)(?:@([a-z_]+))?\}")
_NUMERALS = re.compile(
    r"\b(zero|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w+teen|twenty|thirty|forty|fifty|sixty"
    r"|seventy|eighty|ninety|hundreds?|thousands?|[mbtr]+illions?|dozens?|half|halved|quarters?|twice|thrice"
    r"|doubled?|tripled?|quadrupled?|percent|\w+fold)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Cited:
    """A piece of a sentence that came from a figure: what is shown and the figure behind it."""

    text: str
    figure: Figure


def slots(text: str) -> tuple[str, ...]:
    """Returns the slot names of a template, each once, in order of appearance."""
    return tuple(dict.fromkeys(match[1] for match in _SLOT.finditer(text)))


def violations(text: str, known: Collection[str]) -> tuple[str, ...]:
    """Returns what is wrong with a template: numbers outside slots and slots that are not in `known`; empty if fine.

    Pass figure ids as `known` to check text in which a model cited figures directly, as `{fig_...}`.
    """
    literal = _SLOT.sub(" ", text)
    found = [f"number {match[0]!r} has no figure id" for match in re.finditer(r"\S*\d\S*", literal)]
    found += [f"numeral {char!r} has no figure id" for char in literal if _is_numeral(char)]
    found += [f"number word {match[0]!r} has no figure id" for match in _NUMERALS.finditer(literal)]
    found += [f"slot {name!r} names no figure" for name in slots(text) if name not in known]
    found += [f"brace {char!r} is not part of a slot" for char in literal if char in "{}"]
    return tuple(found)


def _is_numeral(char: str) -> bool:
    return unicodedata.category(char) in {"Nd", "Nl", "No"} and not char.isascii()


def require_cited(text: str, known: Collection[str]) -> None:
    """Raises InvalidInput with every violation when `text` holds a number that no figure stands behind."""
    if found := violations(text, known):
        raise InvalidInput(
            f"text was {text[:120]!r}, in which {'; '.join(found)}",
            hint="write every number as a slot such as {fig_...}; see the figure ids in the report's JSON",
        )


def pieces(text: str, cited: Mapping[str, str], figures: Mapping[str, Figure]) -> Iterator[str | Cited]:
    """Yields the literal parts and the cited parts of a template, in order."""
    at = 0
    for match in _SLOT.finditer(text):
        if match.start() > at:
            yield text[at : match.start()]
        figure = figures[cited.get(match[1], match[1])]
        yield Cited(dimension(figure, match[2]) if match[2] else value_words(figure), figure)
        at = match.end()
    if at < len(text):
        yield text[at:]


def spoken(claim: Claim, figures: Mapping[str, Figure]) -> str:
    """Returns the sentence of a claim as plain text, numbers in place."""
    return "".join(part if isinstance(part, str) else part.text for part in pieces(claim.text, claim.figures, figures))
