"""What goes wrong between an intent and a settled act.

MercatoError
    InvalidInput
        BadPolicy            (Terminal)    a policy that cannot be read, or that would mean something else than it says
        BadArgument          (Terminal)    an action's argument that cannot be right
    Conflict
        WouldFail            (Terminal)    the dry run failed: nothing was signed
        Tampered             (Terminal)    the journal was changed, cut, or says otherwise than the books
        Taken                (Terminal)    another process goes on with the act
    Denied                   (Refused)     the policy or a budget said no; names the rule
        Frozen               (Refused)     the kill switch is on
"""

from __future__ import annotations

from mercato.core.errors import Conflict, InvalidInput, MercatoError, Refused, Terminal


class BadPolicy(InvalidInput):
    """A policy that cannot be read, or that would mean something else than it says."""

    code = "bad-policy"


class BadArgument(InvalidInput):
    """An action's argument that cannot be right."""

    code = "bad-argument"


class WouldFail(Conflict):
    """The dry run failed: nothing was signed."""

    code = "would-fail"


class Tampered(Conflict):
    """The journal was changed, cut, or says otherwise than the books."""

    code = "tampered"


class Taken(Conflict):
    """Another process goes on with the act, or it has come further already."""

    code = "taken"


class Denied(MercatoError, Refused, Terminal):
    """The policy or a budget said no; the facts name the rule."""

    code = "denied"
    status = 403


class Frozen(Denied):
    """The kill switch is on."""

    code = "frozen"
