"""Errors that say what was wrong, with which value, and what to do.

MercatoError                 every error a caller may see; has a code, a message, a hint and facts
    InvalidInput             (ValueError)    the caller sent something that cannot be right
        MixedTokens          (TypeError)     amounts of different tokens met
        Shortfall                            an amount would have fallen below zero
    NotFound                 (LookupError)   the named thing does not exist
    Conflict                                 the thing exists, but not in the state that this needs
    ConfigError              (ValueError)    a setting is missing or wrong
    SourceError                              something outside answered badly

Marks, mixed into a room's own errors, tell a job what to do next:
    Terminal     trying again cannot help
    Transient    trying again later may help
    Refused      a rule forbade it, on purpose
"""

from __future__ import annotations

from typing import ClassVar


class Terminal:
    """Trying again cannot help."""


class Transient:
    """Trying again later may help."""


class Refused:
    """A rule forbade it, on purpose."""


class MercatoError(Exception):
    """The root of every error that Mercato raises on purpose.

    `message` says what was wrong, with the value; `hint` says what to do; `facts` are the public values behind it.
    """

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 500

    def __init__(self, message: str, *, hint: str = "", **facts: object) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.facts = facts

    def __reduce__(self) -> tuple[object, ...]:
        """Pickles with its hint and facts, so that it survives a process boundary."""
        return (_rebuild, (type(self), self.message, self.hint, self.facts))

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


def _rebuild(kind: type[MercatoError], message: str, hint: str, facts: dict[str, object]) -> MercatoError:
    return kind(message, hint=hint, **facts)


class InvalidInput(MercatoError, Terminal, ValueError):
    """The caller sent something that cannot be right."""

    code = "invalid-input"
    status = 422


class MixedTokens(InvalidInput, TypeError):
    """Amounts of different tokens met."""

    code = "mixed-tokens"


class Shortfall(InvalidInput):
    """An amount would have fallen below zero."""

    code = "shortfall"


class NotFound(MercatoError, Terminal, LookupError):
    """The named thing does not exist."""

    code = "not-found"
    status = 404


class Conflict(MercatoError, Terminal):
    """The thing exists, but not in the state that this needs."""

    code = "conflict"
    status = 409


class ConfigError(MercatoError, Terminal, ValueError):
    """A setting is missing or wrong."""

    code = "config"


class SourceError(MercatoError, Transient):
    """Something outside answered badly; the answer may be better later."""

    code = "source"
    status = 502
