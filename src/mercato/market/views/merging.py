"""Unknown claims said together: seven sentences that differ in one name become one sentence with seven names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from mercato.market.model import SIMULATED, Figure

Piece = tuple[str, Figure | None]


@dataclass(frozen=True, slots=True)
class Sentence:
    """A claim ready for a template: its text and what would show it wrong, in pieces."""

    text: tuple[Piece, ...]
    wrong: tuple[Piece, ...]
    state: str
    reason: str


def merged(sentences: Iterable[Sentence]) -> tuple[Sentence, ...]:
    """Returns the sentences, with neighbours that are unknown and differ in one name only said as one."""
    found: list[Sentence] = []
    for _, run in groupby(sentences, key=_pattern):
        alike = list(run)
        found.append(_together(alike) if len(alike) > 1 else alike[0])
    return tuple(found)


def unanswered(sentences: Iterable[Sentence]) -> str | None:
    """Returns why nothing at all is known, once each; None where something is."""
    known = list(sentences)
    if not known or any(item.state != "unknown" for item in known):
        return None
    return "; ".join(dict.fromkeys(reason for item in known for reason in item.reason.split("; ") if reason))


def without_simulated(sentence: Sentence) -> Sentence:
    """Returns a sentence that leaves it to the page's banner to say that it is simulated."""
    reason = "; ".join(part for part in sentence.reason.split("; ") if part != SIMULATED)
    return Sentence(sentence.text, sentence.wrong, sentence.state, reason)


def _pattern(sentence: Sentence) -> object:
    """Returns what sentences must share to be said together; stated ones share nothing with anybody."""
    if sentence.state != "unknown" or not any(figure for _, figure in sentence.text):
        return id(sentence)
    return tuple("" if figure else text for text, figure in sentence.text)


def _together(alike: list[Sentence]) -> Sentence:
    """Returns one sentence that names what each of these speaks of; their reasons, each once."""
    first = alike[0]
    text = tuple(_position([item.text[at] for item in alike]) for at in range(len(first.text)))
    reasons = dict.fromkeys(part for item in alike for part in item.reason.split("; ") if part)
    return Sentence(tuple(piece for run in text for piece in run), first.wrong, "unknown", "; ".join(reasons))


def _position(pieces: list[Piece]) -> Iterator[Piece]:
    """Yields what stands at one place of the sentences: once where it is the same, else listed."""
    each = list({text: (text, figure) for text, figure in pieces}.values())
    for number, piece in enumerate(each):
        if number:
            yield (" and " if number == len(each) - 1 else ", ", None)
        yield piece
