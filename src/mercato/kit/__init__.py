"""The kit: what an agent may do on a chain, and the policy that decides it by the effects that it would have.

An `Intent` becomes `Effects` by a dry run; a `Policy`, which is data, turns both into a `Decision`. Nothing is signed
that was not tried, allowed and reserved before.
"""

from mercato.kit.model import Authority, Decision, Effects, Grant, Intent, Move, Origin, Payment, Power, Verdict
from mercato.kit.policy import Policy

__all__ = [
    "Authority",
    "Decision",
    "Effects",
    "Grant",
    "Intent",
    "Move",
    "Origin",
    "Payment",
    "Policy",
    "Power",
    "Verdict",
]
