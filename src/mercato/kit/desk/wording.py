"""Effects, rules and budgets in plain words, on any chain. Addresses are written whole: short ones can be imitated."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from mercato.core.money import LIMIT
from mercato.kit.model import Effects, Grant, Verdict
from mercato.kit.policy import Budget
from mercato.kit.rules import ANY, Hours, Rule
from mercato.kit.units import Units, plain

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MOST = 12  # names in one sentence
ENDLESS = 2**48 - 1  # how Permit2 writes an allowance without an end
VERDICTS = {Verdict.ALLOW: ("allowed", "ok"), Verdict.ASK: ("asks first", "info"), Verdict.DENY: ("refused", "failed")}


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence. `tone` is out, in, power, unclear or plain."""

    text: str
    tone: str = "plain"


@dataclass(frozen=True, slots=True)
class RuleSaid:
    """A rule in words: its name, what it says with its colour, and its conditions."""

    name: str
    verdict: str
    colour: str
    lines: tuple[str, ...]


def effects(item: Effects, units: Units, *, done: bool = False) -> tuple[Said, ...]:
    """Returns what an act would do to its account, or did; the gravest last, as far as it is known."""
    paid = {pay.asset: sum(one.units for one in item.payments if one.asset == pay.asset) for pay in item.payments}
    found = [
        _move(move.asset, move.units, units) for move in item.moves if move.units != -paid.get(move.asset, 0)
    ]  # what the payments below tell already is not told twice
    found += [Said(f"Pays {units.amount(pay.asset, pay.units)} to {pay.to}.", "out") for pay in item.payments]
    found += [Said(f"Creates {address}.") for address in item.creations]
    found += [Said(f"Calls {units.contract(address)}.") for address in item.contracts]
    if item.impact_bps is not None:
        found += [Said(f"Trades {points(item.impact_bps)} below the pool's price before it, its fee within.")]
    if item.fee:
        found += [Said(f"{'Fee' if done else 'Fee at most'} {units.amount(item.fee_asset, item.fee)}.", "out")]
    found += [_grant(grant, units) for grant in item.grants]
    found += [
        Said(
            f"{'Hands' if one.given else 'Takes'} the power “{one.power.value}” over {plain(one.subject)} "
            f"{'to' if one.given else 'from'} {one.holder}.",
            "power" if one.given else "plain",
        )
        for one in item.authorities
    ]
    found += [Said(f"Could not be established: {plain(gap)}.", "unclear") for gap in item.gaps]
    return tuple(found) or (Said("Nothing of the account's changes."),)


def rule(item: Rule, units: Units) -> RuleSaid:
    """Returns a rule in words."""
    word, colour = VERDICTS[item.verdict]
    lines = [*_when(item), *(_bans(item, units) if item.verdict is Verdict.DENY else _permits(item, units))]
    if item.approvers:
        lines.append(f"Asks {listed(item.approvers, 'or')} first.")
    return RuleSaid(item.name, word, colour, tuple(lines))


def budget(item: Budget, units: Units) -> str:
    """Returns what a budget caps."""
    each = "all acts together" if item.per == "book" else f"each {item.per} apart"
    return f"At most {units.amount(item.asset, item.cap)} {window(item.seconds)}, {each}."


def window(seconds: int | None) -> str:
    """Returns a budget's window: `in any 24 hours`, or `ever`."""
    if seconds is None:
        return "ever"
    for size, word in ((86_400, "days"), (3_600, "hours"), (60, "minutes")):
        if seconds % size == 0 and seconds > size:
            return f"in any {seconds // size} {word}"
    names = {86_400: "24 hours", 3_600: "60 minutes", 60: "60 seconds"}
    return f"in any {names.get(seconds, f'{seconds} seconds')}"


def points(bps: int) -> str:
    """Returns basis points as a percentage: 150 -> `1.5%`."""
    return f"{bps // 100}.{bps % 100:02d}".rstrip("0").rstrip(".") + "%"


def listed(names: Iterable[str], joint: str = "and") -> str:
    """Returns names as a sentence lists them; the first of very many."""
    found = sorted(names)
    shown = [plain(name) for name in found[:MOST]]
    if more := len(found) - len(shown):
        return f"{', '.join(shown)} {joint} {more} more"
    return f" {joint} ".join(filter(None, (", ".join(shown[:-1]), *shown[-1:])))


def moment(at: datetime) -> str:
    """Returns a moment to the second: `22 Nov 2026, 17:00:05 UTC`."""
    return f"{at.astimezone(UTC):%-d %b %Y, %H:%M:%S} UTC"


def _move(asset: str, moved: int, units: Units) -> Said:
    verb, tone = ("Gets", "in") if moved > 0 else ("Gives", "out")
    return Said(f"{verb} {units.amount(asset, abs(moved))}.", tone)


def _grant(item: Grant, units: Units) -> Said:
    if not item.widens:
        return Said(f"Lets {item.spender} spend {units.amount(item.asset, item.after)} only, less than before.")
    amount = f"any amount of {units.title(item.asset)}" if item.after >= LIMIT // 2 else ""
    amount = amount or f"up to {units.amount(item.asset, item.after)}"
    until = f" until {_until(item.expires)}" if item.expires is not None else ""
    return Said(f"Lets {item.spender} spend {amount}{until}.", "power")


def _until(seconds: int) -> str:
    return moment(datetime.fromtimestamp(seconds, UTC)) if seconds < 2**35 else "the end of time"


def _when(item: Rule) -> list[str]:
    found = [f"For {listed(item.actions, 'or')}." if item.actions else "For every action."]
    if item.origins:
        found.append(f"Only what comes from {listed((one.value for one in item.origins), 'or')}.")
    return found + _hours(item.hours)


def _hours(item: Hours) -> list[str]:
    found = []
    if item.first and item.last:
        found.append(f"Between {item.first:%H:%M} and {item.last:%H:%M} UTC.")
    if item.days:
        found.append(f"On {', '.join(DAYS[day] for day in sorted(item.days))}.")
    if item.until:
        found.append(f"Until {moment(item.until)}.")
    return found


def _permits(item: Rule, units: Units) -> list[str]:
    spend = _amounts(item.spend or {}, units)
    found = [f"Spends {spend}, the fee within it." if spend else "Spends nothing, not even a fee."]
    found.append(_called(item.contracts, units))
    if ANY in item.recipients:
        found.append("Pays anybody.")
    elif item.recipients:
        also = ", or what it may call" if item.contracts else ""
        found.append(f"Pays only {listed(item.recipients, 'or')}{also}.")
    else:
        found.append("Pays only what it may call." if item.contracts else "Pays nobody.")
    if item.grants:
        who = "anybody" if ANY in item.spenders else listed(item.spenders, "or") or "nobody"
        found.append(f"Allows {who} to spend {_amounts(item.grants, units)}.")
    else:
        found.append("Gives no allowance.")
    found += [f"Hands out the power {listed(item.authorities, 'or')}."] if item.authorities else ["Hands out no power."]
    found += [f"Creates at most {item.creations} contract{'s' * (item.creations > 1)}."] if item.creations else []
    found += (
        [f"Trades at most {points(item.impact_bps)} below the pool's price."] if item.impact_bps is not None else []
    )
    return found + (["Even where effects could not be established."] if item.gaps else [])


def _bans(item: Rule, units: Units) -> list[str]:
    found = [f"Where it spends more than {_amounts(item.spend, units, '')}."] if item.spend is not None else []
    for names, words, anybody in (
        (item.recipients, "Where it pays", "anybody"),
        (item.contracts, "Where it calls", "any contract"),
        (item.spenders, "Where it lets others spend:", "anybody"),
        (item.authorities, "Where it hands out the power", "of any kind"),
    ):
        if names:
            found.append(f"{words} {anybody if ANY in names else listed(names, 'or')}.")
    return found + (
        [f"Where it allows more than {_amounts(item.grants, units, '')}."] if item.grants is not None else []
    )


def _called(names: frozenset[str], units: Units) -> str:
    if ANY in names:
        return "Calls any contract."
    return f"Calls only {listed(map(units.contract, names), 'or')}." if names else "Calls no contract."


def _amounts(found: Mapping[str, int], units: Units, most: str = "up to ") -> str:
    shown = [units.amount(asset, limit) for asset, limit in sorted(found.items())]
    return " and ".join(text if text.startswith("any") else most + text for text in shown)
