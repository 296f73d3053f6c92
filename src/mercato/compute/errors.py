"""What can go wrong on a request's way, in the shape that clients of OpenAI's API read.

Declined                 (MercatoError)  400: the request cannot be right; the root of what a client is told
    Unauthorized                         401: no key, or one that is not known or was revoked
    Short                                402: the worst case costs more than the account or the key may still spend
    Forbidden                            403: the key may not use this model, surface or provider
    Busy                                 409: a request with the same idempotency key is under way
    Limited                              429: more at once, or within a window, than the key may ask for
    Unserved             (Transient)     503: no provider may serve this now, or every one that was asked failed
Unreached                (Transient)     one provider did not answer; the router asks another one
"""

from __future__ import annotations

from typing import ClassVar

from mercato.core.errors import MercatoError, Refused, Terminal, Transient


class Declined(MercatoError, Terminal, ValueError):
    """The request cannot be answered as it is.

    `kind` is OpenAI's `type`, `param` the part of the body that is meant. `status` and `code` may be told more exactly
    than the class does.
    """

    code = "invalid_request"
    status = 400
    kind: ClassVar[str] = "invalid_request_error"

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


class Unauthorized(Declined, Refused):
    """No key was shown, or one that is not known, has expired or was revoked."""

    code = "invalid_api_key"
    status = 401
    kind = "authentication_error"


class Short(Declined, Refused):
    """What the request may cost at most is more than may still be spent; facts: `left` and `needed`, micro-dollars."""

    code = "insufficient_quota"
    status = 402
    kind = "insufficient_quota"


class Forbidden(Declined, Refused):
    """The key may not do this."""

    code = "not_allowed"
    status = 403
    kind = "permission_error"


class Busy(Declined):
    """A request with the same idempotency key is under way, or that key was used for another request."""

    code = "idempotency_conflict"
    status = 409
    kind = "conflict_error"


class Limited(Declined, Refused):
    """More than the key may ask for; `after` among the facts is the number of seconds to wait."""

    code = "rate_limit_exceeded"
    status = 429
    kind = "rate_limit_error"


class Unserved(Declined, Transient):
    """No provider serves this now; 502 where the last answer was wrong, 504 where none came in time."""

    code = "no_provider"
    status = 503
    kind = "server_error"


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
