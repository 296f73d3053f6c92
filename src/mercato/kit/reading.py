"""Reads the parts of a policy, strictly: an unknown word, or one that would mean nothing, is an error."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time
from enum import StrEnum
from typing import Any, TypeVar

from mercato.core.chain import Asset
from mercato.core.errors import InvalidInput
from mercato.core.money import LIMIT, Amount, Token
from mercato.kit.errors import BadPolicy
from mercato.kit.model import TRUSTED, Origin, Power, Verdict
from mercato.kit.rules import ANY, Hours, Rule

Tokens = Mapping[str, Token]
E = TypeVar("E", bound=StrEnum)

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")
_COMMON = {"name", "verdict", "actions", "origins", "hours", "days", "until"}
_BANS = {"above", "grants_above", "recipients", "contracts", "spenders", "authorities"}
_PERMITS = {
    "spend", "recipients", "contracts", "grants", "spenders", "authorities", "creations", "impact_bps", "gaps",
    "approvers",
}  # fmt: skip
RULES = 10_000


def known(what: str, found: object, words: set[str]) -> None:
    """Raises BadPolicy for what is no table, or has a word that means nothing."""
    if not isinstance(found, Mapping):
        raise BadPolicy(f"{what} was {found!r:.80}", hint="expected a table")
    if unknown := sorted(str(word) for word in set(found) - words):
        raise BadPolicy(f"{what} has {unknown[0]!r:.80}", hint=f"known: {', '.join(sorted(words))}")


def tables(what: str, source: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Returns a list of tables."""
    found = source.get(what, [])
    if not isinstance(found, list) or len(found) > RULES:
        raise BadPolicy(f"{what} was {found!r:.80}", hint=f"write [[{what}]], at most {RULES} times")
    return found


def name(what: str, item: Mapping[str, Any]) -> str:
    """Returns the name of a rule or budget."""
    found = item.get("name")
    if not isinstance(found, str) or not 0 < len(found) <= 120:
        raise BadPolicy(f"a {what}'s name was {found!r:.80}", hint="give each a short one")
    return found


def tokens(source: Any) -> Tokens:
    """Returns the assets that the policy speaks of, by the names that it gives them."""
    known("assets", source, set(source) if isinstance(source, Mapping) else set())
    found = {}
    for title, item in source.items():
        known(f"asset {title!r}", item, {"id", "decimals"})
        try:
            found[title] = Token(Asset.parse(str(item.get("id"))), item.get("decimals"), title)
        except InvalidInput as error:
            raise BadPolicy(f"asset {title!r}: {error.message}", hint=error.hint) from None
    return found


def token(title: Any, tokens: Tokens) -> Token:
    """Returns an asset by its name in this policy."""
    if title not in tokens:
        raise BadPolicy(f"asset was {title!r:.80}", hint=f"known: {', '.join(sorted(tokens)) or 'none'}; see [assets]")
    return tokens[title]


def units(text: Any, of: Token) -> int:
    """Returns the base units of an amount as people write it; `any` is no limit."""
    if text == ANY:
        return LIMIT - 1
    try:
        return Amount.parse(text if isinstance(text, str) else "", of).units
    except InvalidInput as error:
        raise BadPolicy(f"amount of {of.symbol!r} was {text!r:.80}", hint=f'{error.hint}, as text, or "any"') from None


def limits(what: str, found: Any, tokens: Tokens) -> dict[str, int]:
    """Returns amounts by asset."""
    known(what, found, set(tokens))
    return {str(tokens[title].asset): units(text, tokens[title]) for title, text in found.items()}


def rule(item: Mapping[str, Any], tokens: Tokens) -> Rule:
    """Returns a rule; BadPolicy where it would permit what no rule may."""
    title = name("rule", item)
    verdict = one(f"verdict of {title!r}", item.get("verdict"), Verdict)
    bans = verdict is Verdict.DENY
    known(f"rule {title!r}", item, _COMMON | (_BANS if bans else _PERMITS))
    words = ("spend", "above", "grants", "grants_above")
    amounts = {word: limits(f"{word} of {title!r}", item[word], tokens) for word in words if word in item}
    made = Rule(
        name=title,
        verdict=verdict,
        actions=texts(title, item, "actions"),
        origins=frozenset(one("origin", text, Origin) for text in texts(title, item, "origins")),
        spend=amounts.get("above" if bans else "spend"),
        recipients=addresses(title, item, "recipients"),
        contracts=addresses(title, item, "contracts"),
        spenders=addresses(title, item, "spenders"),
        grants=amounts.get("grants_above" if bans else "grants"),
        authorities=frozenset(one("authority", text, Power) for text in texts(title, item, "authorities")),
        creations=whole(title, item, "creations") or 0,
        impact_bps=whole(title, item, "impact_bps"),
        gaps=item.get("gaps", False) is True,
        hours=_hours(title, item),
        approvers=tuple(sorted(texts(title, item, "approvers"))),
    )
    return _sound(made)


def _sound(made: Rule) -> Rule:
    raises = made.verdict is not Verdict.DENY and (made.authorities or made.gaps)
    if raises and not (made.origins and made.origins <= TRUSTED):
        raise BadPolicy(
            f"rule {made.name!r} hands out authorities, or permits what could not be established, to anybody",
            hint='say origins = ["operator"] or ["operator", "mandate"]: an agent never raises its own authority',
        )
    if (made.verdict is Verdict.ASK) is not bool(made.approvers):
        raise BadPolicy(
            f"rule {made.name!r} has the verdict {made.verdict.value!r} and approvers {made.approvers!r}",
            hint="`ask` needs approvers, and only it has them",
        )
    return made


def one(what: str, text: Any, kind: type[E]) -> E:
    """Returns a word of a fixed set."""
    values = [item.value for item in kind]
    if text not in values:
        raise BadPolicy(f"{what} was {text!r:.80}", hint=f"known: {', '.join(values)}")
    return kind(text)


def texts(title: str, item: Mapping[str, Any], word: str) -> frozenset[str]:
    """Returns a list of texts as a set; an empty list, which would read as `any`, is refused."""
    found = item.get(word)
    if found is None:
        return frozenset()
    if not isinstance(found, list) or not found or not all(isinstance(text, str) and text for text in found):
        raise BadPolicy(f"{word} of {title!r} was {found!r:.80}", hint="expected a list of texts, with one at least")
    return frozenset(found)


def addresses(title: str, item: Mapping[str, Any], word: str) -> frozenset[str]:
    """Returns addresses; those in hexadecimal digits mean the same in any case."""
    return frozenset(text.lower() if text[:2] in ("0x", "0X") else text for text in texts(title, item, word))


def whole(title: str, item: Mapping[str, Any], word: str) -> int | None:
    """Returns a whole number, None where there is none."""
    found = item.get(word)
    if found is not None and (not isinstance(found, int) or isinstance(found, bool) or not 0 <= found <= 10_000):
        raise BadPolicy(f"{word} of {title!r} was {found!r:.80}", hint="expected a whole number from 0 to 10000")
    return found


def plain(value: Any) -> Any:
    """Returns parsed data as JSON has it: times as text."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, date | time):
        return value.isoformat()
    if value is None or isinstance(value, str | int):
        return value
    raise BadPolicy(f"policy holds {value!r:.80}", hint="expected texts, whole numbers, times, lists and tables")


def _hours(title: str, item: Mapping[str, Any]) -> Hours:
    until = item.get("until")
    if isinstance(until, str):
        try:
            until = datetime.fromisoformat(until)
        except ValueError:
            until = date.min  # no moment: refused below
    if until is not None and (not isinstance(until, datetime) or until.utcoffset() is None):
        raise BadPolicy(f"until of {title!r} was {item['until']!r}", hint="write 2026-12-31T00:00:00Z")
    days = _numbers(title, texts(title, item, "days"))
    written = item.get("hours")
    if written is None:
        return Hours(days=days, until=until)
    found = _HOURS.fullmatch(written) if isinstance(written, str) else None
    if not found or found[1] + found[2] == found[3] + found[4]:
        raise BadPolicy(f"hours of {title!r} was {written!r:.80}", hint='write "08:00-18:00", in UTC')
    first, last = time(int(found[1]), int(found[2])), time(int(found[3]), int(found[4]))
    return Hours(first, last, days, until)


def _numbers(title: str, days: Iterable[str]) -> frozenset[int]:
    if wrong := sorted(set(days) - set(DAYS)):
        raise BadPolicy(f"day of {title!r} was {wrong[0]!r:.80}", hint=f"known: {', '.join(DAYS)}")
    return frozenset(DAYS.index(day) for day in days)
