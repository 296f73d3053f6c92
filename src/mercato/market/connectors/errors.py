"""What goes wrong between us and a source. All are SourceErrors, so one `except` covers an outside that fails.

SourceError            no answer after the retries, or 4xx: then `facts["status"]` has it
    Postponed          not now: `facts["retry_at"]` says until when, `facts["why"]` is rate-limited, circuit-open
                       (it failed too often in a row) or budget-spent (the month's calls are used up; nothing was sent)
    UnsafeAnswer       a redirect elsewhere, a private address, a body too large, a body that repeats our key
"""

from __future__ import annotations

from mercato.core.errors import Refused, SourceError


class Postponed(SourceError):
    """The source is not to be asked now; it may be asked again at a stated time."""

    code = "source-postponed"


class UnsafeAnswer(SourceError, Refused):
    """The answer, or the way to it, broke a safety rule; nothing of it was kept."""

    code = "source-unsafe"
