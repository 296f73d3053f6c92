"""A form: what was written into it, and what was wrong with which field. Nothing that a person wrote gets lost."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from mercato.core.errors import InvalidInput

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Form:
    """What was given, by field, and the faults found so far, by field."""

    given: Mapping[str, str] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """Returns what was given for a field, without blanks around it."""
        return self.given.get(name, "").strip()

    def read(self, name: str, reader: Callable[[str], T]) -> T | None:
        """Returns what a reader makes of a field; None with the fault noted where it refuses."""
        try:
            return reader(self.text(name))
        except InvalidInput as error:
            self.fault(name, f"{error.message}: {error.hint}" if error.hint else error.message)
            return None

    def fault(self, name: str, words: str) -> None:
        """Notes the first fault of a field."""
        self.errors.setdefault(name, words)

    def refuse(self) -> None:
        """Raises InvalidInput with all faults, for whoever reads JSON."""
        if self.errors:
            told = "; ".join(f"{name}: {words}" for name, words in self.errors.items())
            raise InvalidInput(told, hint="change these and send it again", fields=sorted(self.errors))
