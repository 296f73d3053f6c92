"""From a metric's figures to what a rule sees of each entity."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal, InvalidOperation

from mercato.market.alerts.discovery import discoveries
from mercato.market.alerts.machine import signal
from mercato.market.alerts.model import Rule, Sample, Signal
from mercato.market.model import Figure, Result

_TRUTH = {"true": Decimal(1), "false": Decimal(0), "yes": Decimal(1), "no": Decimal(0)}


def samples(rule: Rule, result: Result, day: date) -> tuple[Sample, ...]:
    """Returns one sample per entity at the close of `day`: the figures whose name and dimensions are the rule's."""
    found = [item for item in result.figures if item.name == rule.figure and rule.dims.items() <= item.dims.items()]
    p_values = {_entity(rule, item): number(item.value) for item in result.figures if item.name == rule.p_figure}
    return tuple(
        Sample(
            entity=_entity(rule, item),
            day=day,
            value=number(item.value),
            figure_id=item.id,
            coverage=coverage(item.coverage or result.coverage),
            p=p_values.get(_entity(rule, item)) if rule.scan else None,
        )
        for item in found
    )


def against(now: Sequence[Sample], then: Sequence[Sample]) -> tuple[Sample, ...]:
    """Returns samples of the relative change since `then`; unknown where either value is, or the first one is zero."""
    before = {item.entity: item.value for item in then}
    return tuple(replace(item, value=_change(item.value, before.get(item.entity))) for item in now)


def _change(now: Decimal | None, then: Decimal | None) -> Decimal | None:
    return now / then - 1 if now is not None and then else None


def signals(rule: Rule, seen: Sequence[Sample]) -> Iterator[tuple[Sample, Signal]]:
    """Yields what each sample says; in a scan, an entry counts only where it is a discovery among all of them."""
    p_values = {item.entity: item.p for item in seen if item.p is not None}
    found = discoveries(p_values, rule.fdr) if rule.scan else frozenset()
    for item in seen:
        yield item, signal(rule, item, discovered=not rule.scan or item.entity in found)


def number(text: str | None) -> Decimal | None:
    """Returns the value of a figure as a number; truths are 1 and 0, anything else that is no number is None."""
    if text is None:
        return None
    if text.lower() in _TRUTH:
        return _TRUTH[text.lower()]
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    return value if value.is_finite() else None


def coverage(text: str | None) -> Decimal | None:
    """Returns coverage as a share; it is written as a decimal or as `m/n`."""
    part, slash, whole = (text or "").partition("/")
    first = number(part)
    if not slash or first is None:
        return first
    second = number(whole)
    return first / second if second else None


def _entity(rule: Rule, item: Figure) -> str:
    """Returns the name of what the figure is about: its dimensions, or the rule's own entity or sector."""
    return entity(item.dims) or rule.entity or rule.sector


def entity(dims: Mapping[str, str]) -> str:
    """Returns dimensions as one name, in the order of their keys."""
    return ", ".join(value for _, value in sorted(dims.items()))
