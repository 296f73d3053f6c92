"""What can go wrong on a request's way, in the shape that clients of OpenAI's API read.

Declined                 (MercatoError)  the request cannot be answered: 400, or 401, 403, 404, 413 and others as told
    Forbidden            (Refused)       403: the key may not do this, or the kill switch is on
    Short                (Refused)       402: the worst case costs more than the account or the key may still spend
    Busy                                 409: a request with the same idempotency key is under way, or was another one
    Unserved             (Transient)     503: no provider may serve this now, or every one that was asked failed
Unreached                (Transient)     one provider did not answer; the router asks another one
Unproven                 (Terminal)      what a machine shows of itself proves nothing
"""

from __future__ import annotations

from mercato.core.errors import MercatoError, Refused, Terminal, Transient


class Declined(MercatoError, Terminal, ValueError):
    """The request cannot be answered as it is.

    `param` is the part of the body that is meant. `status` and `code` may be told more exactly than the class does.
    """

    code = "invalid_request"
    status = 400

    def __init__(
        self, message: str, *, hint: str = "", param: str = "", code: str = "", status: int = 0, **facts: object
    ) -> None:
        super().__init__(message, hint=hint, **facts)
        self.param, self.word, self.answer = param, code or type(self).code, status or type(self).status

    def __reduce__(self) -> tuple[object, ...]:
        """Pickles with what was told more exactly."""
        return (_rebuild, (type(self), self.message, self.hint, self.param, self.word, self.answer, self.facts))


def _rebuild(
    kind: type[Declined], message: str, hint: str, param: str, code: str, status: int, facts: dict[str, object]
) -> Declined:
    return kind(message, hint=hint, param=param, code=code, status=status, **facts)


class Forbidden(Declined, Refused):
    """The key may not do this, is over, or the kill switch is on."""

    code = "not_allowed"
    status = 403


class Short(Declined, Refused):
    """What the request may cost at most is more than may still be spent; facts: `left` and `needed`, micro-dollars."""

    code = "insufficient_quota"
    status = 402


class Busy(Declined):
    """A request with the same idempotency key is under way, or that key was used for another request."""

    code = "idempotency_conflict"
    status = 409


class Unserved(Declined, Transient):
    """No provider serves this now: 429 where all are busy, 502 where answers were wrong, 504 where none came in time.

    `after` among the facts is the number of seconds to wait.
    """

    code = "no_provider"
    status = 503


class Unreached(MercatoError, Transient):
    """One provider did not answer as it should; `why` is the class of it: `connect`, `tls`, `first-byte`, `idle`,
    `total`, `reset`, `size`, `private`, `protocol`, or the status, such as `429`."""

    code = "unreached"
    status = 502

    def __init__(self, why: str, message: str = "", *, hint: str = "", **facts: object) -> None:
        super().__init__(message or f"provider was not reached: {why}", hint=hint, **facts)
        self.why = why

    def __reduce__(self) -> tuple[object, ...]:
        """Pickles with its class."""
        return (_unreached, (self.why, self.message, self.hint, self.facts))


def _unreached(why: str, message: str, hint: str, facts: dict[str, object]) -> Unreached:
    return Unreached(why, message, hint=hint, **facts)


class Unproven(MercatoError, Terminal, ValueError):
    """What a machine shows of itself proves nothing: a quote, a signature, or what vouches for them."""

    code = "unproven"
    status = 502
