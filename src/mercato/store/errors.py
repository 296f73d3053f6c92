"""What a job's handler may meet.

MercatoError
    Lost          (Transient)    another worker took this job over; stop, and change nothing more
    Cancelled     (Refused)      someone cancelled this job while it ran
"""

from __future__ import annotations

from mercato.core.errors import MercatoError, Refused, Transient


class Lost(MercatoError, Transient):
    """Another worker took this job over: what this one still holds in its hands no longer counts."""

    code = "job-lost"
    status = 409


class Cancelled(MercatoError, Refused):
    """Someone cancelled this job while it ran."""

    code = "job-cancelled"
    status = 409
