"""Alert rules as TOML: the shipped defaults, a deployer's own file over them, and the checks on both."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import fields
from decimal import Decimal, InvalidOperation
from importlib import resources
from pathlib import Path
from typing import cast, get_args

from mercato.core.errors import ConfigError
from mercato.market.alerts.model import Channel, Condition, Operator, Rule
from mercato.market.metrics import METRICS

_CONDITION = re.compile(r"\s*(<=|>=|==|<|>)\s*(-?\d+(?:\.\d+)?)\s*")
_KEY = re.compile(r"[a-z][a-z0-9-]{0,63}")
_KNOWN = tuple(item.name for item in fields(Rule))
#: What a rule may watch: every metric, and how last week's report was restated.
KNOWN_METRICS = (*METRICS, "restatement")
_REQUIRED = ("key", "title", "metric", "figure", "enter", "leave")


def defaults() -> tuple[Rule, ...]:
    """Returns the rules that ship with the package."""
    text = resources.files("mercato.market.alerts").joinpath("defaults.toml").read_text(encoding="utf-8")
    return parse(text, "defaults.toml")


def load(path: Path | None) -> tuple[Rule, ...]:
    """Returns the default rules with those of `path` over them: a rule of the same key replaces the default."""
    if path is None or not path.exists():
        return defaults()
    own = parse(path.read_text(encoding="utf-8"), path.name)
    merged = {rule.key: rule for rule in (*defaults(), *own)}
    return tuple(merged.values())


def parse(text: str, name: str = "alerts.toml") -> tuple[Rule, ...]:
    """Returns the rules of a TOML text; ConfigError names the file, the rule, the key and the value that was wrong."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{name} was not TOML: {error}", hint="see docs/rooms/market.md for an example") from error
    if unknown := set(document) - {"rule"}:
        raise ConfigError(f"{name} had the unknown keys {sorted(unknown)!r}", hint="rules are [[rule]] tables")
    rules = tuple(_rule(entry, f"{name}, rule {number}") for number, entry in enumerate(document.get("rule", ()), 1))
    keys = [rule.key for rule in rules]
    if twice := sorted({key for key in keys if keys.count(key) > 1}):
        raise ConfigError(f"{name} had the keys {twice!r} twice", hint="give each rule a key of its own")
    return rules


def _rule(entry: Mapping[str, object], where: str) -> Rule:
    if unknown := sorted(set(entry) - set(_KNOWN)):
        raise ConfigError(f"{where} had the unknown keys {unknown!r}", hint=f"known keys: {', '.join(_KNOWN)}")
    if missing := [key for key in _REQUIRED if key not in entry]:
        raise ConfigError(f"{where} lacked {missing!r}", hint=f"every rule needs {', '.join(_REQUIRED)}")
    rule = Rule(**{key: _value(key, value, where) for key, value in entry.items()})  # type: ignore[arg-type]  # checked below and by _value
    _check(rule, where)
    return rule


def _value(key: str, value: object, where: str) -> object:
    """Returns one setting of a rule in its type."""
    match key:
        case "enter" | "leave":
            return condition(value, f"{where}, {key}")
        case "coverage" | "fdr":
            return _decimal(value, f"{where}, {key}")
        case "closes" | "cooldown_days" | "days" | "compare_days":
            return _whole(value, f"{where}, {key}")
        case "dims" | "params":
            return _names(value, f"{where}, {key}")
        case "channels":
            return _channels(value, f"{where}, {key}")
        case "scan" | "tell_end" | "enabled":
            return _typed(value, bool, f"{where}, {key}")
    return _typed(value, str, f"{where}, {key}")


def condition(value: object, where: str) -> Condition:
    """Returns the condition written as `<= 0.55`."""
    match = _CONDITION.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ConfigError(f"{where} was {value!r}", hint='write a comparison with a number, such as "<= 0.55"')
    return Condition(cast(Operator, match[1]), Decimal(match[2]))


def _decimal(value: object, where: str) -> Decimal:
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        number = Decimal("NaN")
    if isinstance(value, bool) or not Decimal(0) <= number <= Decimal(1):
        raise ConfigError(f"{where} was {value!r}", hint="give a share from 0 to 1")
    return number


def _whole(value: object, where: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 3660:
        raise ConfigError(f"{where} was {value!r}", hint="give a whole number of days or closes, 0 to 3660")
    return value


def _typed(value: object, kind: type, where: str) -> object:
    if not isinstance(value, kind):
        raise ConfigError(f"{where} was {value!r}", hint=f"give a {kind.__name__}")
    return value


def _names(value: object, where: str) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
        raise ConfigError(f"{where} was {value!r}", hint='give a table of texts, such as { chain = "solana" }')
    return dict(value)


def _channels(value: object, where: str) -> tuple[Channel, ...]:
    known = get_args(Channel)
    if not isinstance(value, list) or not value or any(item not in known for item in value):
        raise ConfigError(f"{where} was {value!r}", hint=f"give a list out of {', '.join(known)}")
    return tuple(value)


def _check(rule: Rule, where: str) -> None:
    """Raises ConfigError where the parts of a rule do not fit each other."""
    if not _KEY.fullmatch(rule.key):
        raise ConfigError(f"{where}: key was {rule.key!r}", hint="use lower-case words joined by '-'")
    if rule.metric not in KNOWN_METRICS:
        raise ConfigError(f"{where}: metric was {rule.metric!r}", hint=f"known metrics: {', '.join(KNOWN_METRICS)}")
    if rule.closes < 1:
        raise ConfigError(f"{where}: closes was {rule.closes!r}", hint="an alert needs at least one close")
    if _overlap(rule.enter, rule.leave):
        raise ConfigError(
            f"{where}: enter {rule.enter} and leave {rule.leave} overlap",
            hint="leave must lie outside enter; what is between the two is the deadband",
        )


def _overlap(start: Condition, end: Condition) -> bool:
    """Says whether some value satisfies both: rays and points overlap at, beside or far outside their thresholds."""
    low, high = sorted((start.threshold, end.threshold))
    beside = Decimal("0.000000001")
    probes = (low - 1, low - beside, low, low + beside, (low + high) / 2, high - beside, high, high + beside, high + 1)
    return any(start.holds(value) and end.holds(value) for value in probes)
