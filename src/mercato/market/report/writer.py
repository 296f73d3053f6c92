"""Writes one section: claims with their figures, exhibits, and the commands that would fill what is missing."""

from __future__ import annotations

from mercato.market.model import Figure
from mercato.market.report.book import Book, claim
from mercato.market.report.model import Claim, Exhibit, Section


class Writer:
    """Collects the claims of a section. Every figure that a claim cites is kept beside it."""

    def __init__(self, book: Book, key: str, title: str, question: str) -> None:
        self.book, self.key, self.title, self.question = book, key, title, question
        self.figures: dict[str, Figure] = {}
        self._claims: list[Claim] = []
        self._exhibits: list[Exhibit] = []
        self._needs: list[str] = []

    def say(
        self, key: str, text: str, falsifier: str, *, otherwise: str, why: str = "", **figures: Figure | None
    ) -> None:
        """Writes one claim; see `book.claim`. `why` is the reason where no flag of a figure gives one."""
        made, cited = claim(f"{self.key}.{key}", text, falsifier, otherwise=otherwise, why=why, **figures)
        self._claims.append(made)
        self.figures.update({item.id: item for item in cited})

    def blank(self, key: str, text: str, why: str) -> None:
        """Writes that a question has no answer, and why."""
        self.say(key, "", "the data that answers it is imported already", otherwise=text, why=why, answer=None)

    def show(self, exhibits: tuple[Exhibit, ...]) -> None:
        """Adds exhibits; an empty tuple adds nothing."""
        self._exhibits += exhibits

    def need(self, metric: str, *commands: str) -> bool:
        """Says what would fill this section where `metric` has no value at all; returns whether that is so."""
        result = self.book.results.get(metric)
        missing = result is None or all(item.value is None for item in result.figures)
        self._needs += commands if missing else ()
        return missing

    def section(self) -> Section:
        """Returns the section as written."""
        needs = tuple(dict.fromkeys(self._needs))
        return Section(self.key, self.title, self.question, tuple(self._claims), tuple(self._exhibits), needs)
