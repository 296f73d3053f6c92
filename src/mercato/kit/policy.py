"""What an agent may do, as data: assets by name, rules in their order, budgets. TOML or JSON, versioned and hashed.

    version = 1
    [assets.USDC]
    id = "eip155:31337/erc20:0x…"
    decimals = 6
    [[rules]]
    name = "small payments"
    verdict = "allow"
    spend = { USDC = "100" }
    recipients = ["0x…"]
    [[budgets]]
    name = "a day"
    asset = "USDC"
    cap = "500"
    seconds = 86400

The first rule that fits decides; where none fits, the answer is no. See docs/rooms/kit-policy.md for every field.
"""

from __future__ import annotations

import json
import tomllib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mercato.kit import reading
from mercato.kit.errors import BadPolicy
from mercato.kit.model import Decision, Effects, Intent, Reserve, Verdict, digest
from mercato.kit.rules import Miss, Rule, told

OCTETS = 1_000_000  # that a policy's text may have
SCOPES = ("book", "account", "action", "recipient")


@dataclass(frozen=True, slots=True)
class Budget:
    """At most `cap` of an asset in any `seconds` (None: ever), counted apart for each value of `per`."""

    name: str
    asset: str
    cap: int
    seconds: int | None
    per: str

    def reserves(self, intent: Intent, effects: Effects) -> list[Reserve]:
        """Returns what an act needs of this budget."""
        if self.per == "recipient":
            found: dict[str, int] = {}
            for item in effects.payments:
                if item.asset == self.asset:
                    found[item.to] = found.get(item.to, 0) + item.units
        else:
            scope = {"book": "", "account": intent.account, "action": intent.action}[self.per]
            found = {scope: effects.spent.get(self.asset, 0)}
        return [
            Reserve(self.name, scope, self.asset, units, self.cap, self.seconds)
            for scope, units in sorted(found.items())
            if units
        ]


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy that was read and checked; `hash` names it in every decision, `source` is what was read."""

    name: str
    rules: tuple[Rule, ...]
    budgets: tuple[Budget, ...]
    assets: Mapping[str, str]
    source: Mapping[str, Any]
    hash: str

    @classmethod
    def parse(cls, text: str) -> Policy:
        """Returns the policy of a TOML or JSON text; BadPolicy names what is wrong in it."""
        if len(text.encode()) > OCTETS:
            raise BadPolicy(f"policy was {len(text.encode())} bytes long", hint=f"at most {OCTETS}")
        try:
            return cls.of(json.loads(text) if text.lstrip().startswith("{") else tomllib.loads(text))
        except (json.JSONDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
            raise BadPolicy(f"policy was not readable: {error}", hint="write TOML, or a JSON object") from None

    @classmethod
    def of(cls, source: Mapping[str, Any]) -> Policy:
        """Returns the policy of parsed data; BadPolicy names what is wrong in it."""
        reading.known("policy", source, {"version", "name", "assets", "rules", "budgets"})
        if source.get("version") != 1:
            raise BadPolicy(f"policy's version was {source.get('version')!r}", hint="this release reads version 1")
        tokens = reading.tokens(source.get("assets", {}))
        rules = tuple(reading.rule(item, tokens) for item in reading.tables("rules", source))
        budgets = tuple(_budget(item, tokens) for item in reading.tables("budgets", source))
        for kind, names in (("rule", [item.name for item in rules]), ("budget", [item.name for item in budgets])):
            if twice := sorted(name for name, times in Counter(names).items() if times > 1):
                raise BadPolicy(f"{kind} {twice[0]!r} is there twice", hint="names tell who decided")
        plain = reading.plain(source)
        assets = {name: str(token.asset) for name, token in tokens.items()}
        return cls(str(source.get("name", "")), rules, budgets, assets, plain, digest(plain))

    def judge(self, intent: Intent, effects: Effects, at: datetime) -> Decision:
        """Returns what the first rule that fits says; no where none fits. The same input gives the same answer."""
        for rule in self.rules:
            if rule.miss(intent, effects, at) is None:
                return self._decided(rule, intent, effects)
        return Decision(Verdict.DENY, "", self._nearest(intent, effects, at), self.hash)

    def explain(self, intent: Intent, effects: Effects, at: datetime) -> list[tuple[str, str]]:
        """Returns each rule up to the one that decided, with why it did not fit ("" for the one that did)."""
        found = []
        for rule in self.rules:
            miss = rule.miss(intent, effects, at)
            found.append((rule.name, told(miss) if miss else ""))
            if miss is None:
                break
        return found

    def _decided(self, rule: Rule, intent: Intent, effects: Effects) -> Decision:
        if rule.verdict is Verdict.DENY:
            return Decision(Verdict.DENY, rule.name, f"the rule {rule.name!r} forbids it", self.hash)
        reserves = tuple(item for budget in self.budgets for item in budget.reserves(intent, effects))
        word = "allows it" if rule.verdict is Verdict.ALLOW else "wants it approved"
        return Decision(rule.verdict, rule.name, f"the rule {rule.name!r} {word}", self.hash, reserves, rule.approvers)

    def _nearest(self, intent: Intent, effects: Effects, at: datetime) -> str:
        """Returns why the permit that comes nearest does not fit: the one that failed at the last condition."""
        if effects.gaps:
            return told(("gaps", effects.gaps[0]))
        permits = (rule for rule in self.rules if rule.verdict is not Verdict.DENY)
        misses: list[tuple[str, Miss]] = []
        for rule in permits:
            miss = rule.miss(intent, effects, at)
            if miss and miss[0] != "actions":
                misses.append((rule.name, miss))
        if not misses:
            return "no rule speaks of it"
        return f"no rule permits it: of {misses[-1][0]!r}, {told(misses[-1][1])}"


def _budget(item: Mapping[str, Any], tokens: reading.Tokens) -> Budget:
    reading.known("budget", item, {"name", "asset", "cap", "seconds", "per"})
    name, per, seconds = reading.name("budget", item), item.get("per", "book"), item.get("seconds")
    if per not in SCOPES:
        raise BadPolicy(f"budget {name!r} is per {per!r}", hint=f"known: {', '.join(SCOPES)}")
    if seconds is not None and (not isinstance(seconds, int) or isinstance(seconds, bool) or seconds <= 0):
        raise BadPolicy(f"seconds of the budget {name!r} was {seconds!r}", hint="expected a whole number above 0")
    token = reading.token(item.get("asset"), tokens)
    return Budget(name, str(token.asset), reading.units(item.get("cap"), token), seconds, per)
