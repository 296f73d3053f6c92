"""What goes wrong between us and a source. All are SourceErrors, so one `except` covers an outside that fails.

SourceError
    Unavailable        timeouts, 5xx, a cut connection: after the retries, still no answer
    RateLimited        the source asked for more patience than one run has; `facts["retry_at"]` says until when
    CircuitOpen        the source failed too often; `facts["retry_at"]` says when one probe is let through
    BudgetSpent        the month's calls are used up; refused before a call is made  (Refused)
    UnsafeAnswer       a redirect elsewhere, a private address, a body too large, a body that repeats our key  (Refused)
    RequestRefused     the source answered 4xx: asking again in the same words cannot help
"""

from __future__ import annotations

from mercato.core.errors import Refused, SourceError


class Unavailable(SourceError):
    """The source did not answer, however often it was asked."""

    code = "source-unavailable"


class RateLimited(SourceError):
    """The source asked for more patience than one run has."""

    code = "source-rate-limited"


class CircuitOpen(SourceError):
    """The source failed too often in a row; it is left alone for a while."""

    code = "source-circuit-open"


class BudgetSpent(SourceError, Refused):
    """The month's calls are used up; nothing was sent."""

    code = "source-budget-spent"


class UnsafeAnswer(SourceError, Refused):
    """The answer, or the way to it, broke a safety rule; nothing of it was kept."""

    code = "source-unsafe"


class RequestRefused(SourceError):
    """The source understood the request and refused it (4xx)."""

    code = "source-refused"
