"""One rule of a policy: when it speaks, and what it says.

A permit (`allow` or `ask`) fits an act only if it covers everything that the act does: what a permit does not name, it
does not permit. A ban (`deny`) fits where each of its conditions is met by some part of the act.
Nothing here reads a note, a name, a reason or any other text that came from outside.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time

from mercato.kit.model import TRUSTED, Effects, Intent, Origin, Power, Verdict

ANY = "any"
Miss = tuple[str, object]
"""Which condition was not met, and the value that did not meet it."""


@dataclass(frozen=True, slots=True)
class Hours:
    """When a rule is in force, in UTC: between two times of the day, on some days, until a moment."""

    first: time | None = None
    last: time | None = None
    days: frozenset[int] = frozenset()
    until: datetime | None = None

    def miss(self, at: datetime) -> Miss | None:
        """Returns what keeps the rule from being in force."""
        if self.until and at >= self.until:
            return ("until", self.until.isoformat())
        if self.days and at.weekday() not in self.days:
            return ("days", at.strftime("%a").lower())
        if self.first and self.last:
            now = at.time()
            inside = self.first <= now < self.last
            if self.first > self.last:  # over midnight
                inside = now >= self.first or now < self.last
            if not inside:
                return ("hours", now.isoformat("minutes"))
        return None


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule. `spend` holds the most that an act may spend of an asset, its fee with it; a ban's is exceeded.

    `contracts`, `recipients` and `spenders` hold addresses, or ANY. `grants` holds the most that an allowance may be.
    """

    name: str
    verdict: Verdict
    actions: frozenset[str] = frozenset()
    origins: frozenset[Origin] = frozenset()
    spend: Mapping[str, int] | None = None
    recipients: frozenset[str] = frozenset()
    contracts: frozenset[str] = frozenset()
    spenders: frozenset[str] = frozenset()
    grants: Mapping[str, int] | None = None
    authorities: frozenset[Power] = frozenset()
    creations: int = 0
    impact_bps: int | None = None
    gaps: bool = False
    hours: Hours = Hours()
    approvers: tuple[str, ...] = ()

    def miss(self, intent: Intent, effects: Effects, at: datetime) -> Miss | None:
        """Returns the first condition that the act does not meet; None where the rule fits."""
        if self.actions and intent.action not in self.actions:
            return ("actions", intent.action)
        if self.origins and intent.origin not in self.origins:
            return ("origins", intent.origin)
        if late := self.hours.miss(at):
            return late
        if self.verdict is Verdict.DENY:
            return self._unbanned(effects)
        return self._uncovered(intent, effects)

    def _uncovered(self, intent: Intent, effects: Effects) -> Miss | None:
        if not self.actions and effects.idle:
            return ("named", intent.action)
        if effects.gaps and not (self.gaps and intent.origin in TRUSTED):
            return ("gaps", effects.gaps[0])
        limits = self.spend or {}
        for asset, units in effects.spent.items():
            if units > limits.get(asset, 0):
                return ("spend", f"{units} of {asset}")
        return self._stranger(effects) or self._handed_out(intent, effects)

    def _stranger(self, effects: Effects) -> Miss | None:
        for contract in effects.contracts:
            if contract not in self.contracts and ANY not in self.contracts:
                return ("contracts", contract)
        for payment in effects.payments:
            # Whoever may be called may be paid: a pool takes what it is given.
            if ANY not in self.recipients and payment.to not in self.recipients and payment.to not in self.contracts:
                return ("recipients", payment.to)
        if len(effects.creations) > self.creations:
            return ("creations", len(effects.creations))
        if effects.impact_bps is not None and effects.impact_bps > (-1 if self.impact_bps is None else self.impact_bps):
            return ("impact_bps", effects.impact_bps)
        return None

    def _handed_out(self, intent: Intent, effects: Effects) -> Miss | None:
        for grant in effects.grants:
            if not grant.widens:
                continue
            if grant.after > (self.grants or {}).get(grant.asset, 0):
                return ("grants", f"{grant.after} of {grant.asset}")
            if grant.spender not in self.spenders and ANY not in self.spenders:
                return ("spenders", grant.spender)
        for authority in effects.authorities:
            if authority.given and (authority.power not in self.authorities or intent.origin not in TRUSTED):
                return ("authorities", f"{authority.power} for {authority.holder}")
        return None

    def _unbanned(self, effects: Effects) -> Miss | None:
        spent = effects.spent
        if self.spend is not None and not any(spent.get(asset, 0) > most for asset, most in self.spend.items()):
            return ("spend", "not above")
        given = [grant for grant in effects.grants if grant.widens]
        if self.grants is not None and not any(item.after > self.grants.get(item.asset, item.after) for item in given):
            return ("grants", "not above")
        for name, wanted, found in (
            ("recipients", self.recipients, {item.to for item in effects.payments}),
            ("contracts", self.contracts, set(effects.contracts)),
            ("spenders", self.spenders, {item.spender for item in given}),
            ("authorities", self.authorities, {item.power for item in effects.authorities if item.given}),
        ):
            if wanted and not (found if ANY in wanted else found & wanted):
                return (name, "none of them")
        return None


WORDS = {
    "actions": "the action is {}",
    "named": "{} has no effect that a condition could cover, so a rule has to name it",
    "origins": "the intent comes from {}",
    "until": "the rule ended at {}",
    "days": "today is {}",
    "hours": "it is {} UTC",
    "gaps": "effects could not be established: {}",
    "spend": "it spends {}",
    "contracts": "it calls {}",
    "recipients": "it pays {}",
    "creations": "it creates {} contracts or accounts",
    "impact_bps": "the trade comes out {} bps worse than the pool's price",
    "grants": "it allows {}",
    "spenders": "it allows {} to spend",
    "authorities": "it hands out the authority {}",
}


def told(miss: Miss) -> str:
    """Returns in words why a rule does not fit."""
    return WORDS[miss[0]].format(miss[1])
