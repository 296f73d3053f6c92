"""Referees: upstreams that judge again what a checker judged, or what somebody does not believe.

A referee is an upstream of the settings other than the checkers that judged this provider, and other than the provider:
nobody is asked twice, and nobody about itself. Several may be asked; each finding stands for itself in the dispute, and
what most of those say that could judge is told. None of it moves money: whoever decides does, and names the findings.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mercato.compute.gateway.catalogue import named
from mercato.compute.gateway.line import Line
from mercato.compute.model import Provider, ProviderId, Receipt
from mercato.compute.verify.checker import Reference
from mercato.compute.verify.exhibit import Kept
from mercato.compute.verify.protocol import Fault, notes
from mercato.compute.verify.record import Finding, Judge
from mercato.core.errors import InvalidInput
from mercato.core.events import Json

if TYPE_CHECKING:
    from mercato.compute.settings import ComputeSettings, Upstream

NOBODY = "nobody"  # whose word is not needed: what is wrong with an answer can be seen without a model


@dataclass(frozen=True, slots=True)
class Replayed:
    """What one referee found of one answer: `pass`, `fail`, or `void` where it could not judge. `agrees` says whether
    that is what the audit said, None where there was none."""

    request: str
    referee: str
    method: str
    verdict: str
    statistic: dict[str, Json]
    agrees: bool | None = None

    def body(self) -> dict[str, Json]:
        """Returns it as JSON."""
        return {
            "request": self.request, "referee": self.referee, "method": self.method, "verdict": self.verdict,
            "statistic": self.statistic, "agrees": self.agrees,
        }  # fmt: skip


def appointed(
    wanted: ComputeSettings, names: Sequence[str], model: str, provider: Provider, judged: Collection[str],
    line: Callable[[ProviderId], Line | None],
) -> list[Reference]:  # fmt: skip
    """Returns the referees of these names; InvalidInput where one may not be it. `judged` names checkers that judged
    the provider before."""
    barred = {
        _place(wanted.upstreams[it]): f"it is {it!r}, which judged before" for it in judged if it in wanted.upstreams
    }
    barred[provider.url.rstrip("/").lower()] = "it is the provider itself"
    found = []
    for name in names:
        one = wanted.upstreams.get(name)
        if one is None or model not in one.models:
            hint = f"upstreams with it are {sorted(it for it, up in wanted.upstreams.items() if model in up.models)}"
            raise InvalidInput(f"referee was {name!r}, which does not serve {model!r}", hint=hint)
        why = "it judged before" if name in judged else barred.get(_place(one), "")
        why = "it is the provider itself" if named(name) == provider.id else why
        if why:
            raise InvalidInput(f"referee was {name!r}: {why}", hint="name another upstream, which has no part in it")
        barred[_place(one)] = "it was named twice"
        way = line(named(name))
        assert way is not None, "it is among the settings"
        found.append(Reference(name, named(name), way, {model: one.models[model].upstream or model}))
    return found


async def replay(
    kept: Kept, receipt: Receipt, referees: Sequence[Reference], judge: Judge, before: str
) -> list[Replayed]:
    """Returns what each referee finds of an answer; Unreached where one cannot be asked. `before` is the verdict of the
    audit, "" where there was none."""
    odd = next((it for it in notes(kept, receipt) if it.sure), None)
    if odd is not None:
        return [_replayed(receipt, NOBODY, Fault(str(odd)), judge, before)]
    shown = kept.drawn(int(receipt.hash, 16))
    if shown is None or not shown.matched:
        return [_replayed(receipt, it.name, None, judge, before) for it in referees]
    checked = [(it.name, await it.check(shown, receipt.model)) for it in referees]
    return [_replayed(receipt, name, found, judge, before) for name, found in checked]


def majority(found: Sequence[Replayed]) -> str:
    """Returns what most of those say that could judge: `pass`, `fail`, or `void` where as many say the one."""
    fails, passes = (sum(it.verdict == word for it in found) for word in ("fail", "pass"))
    return "fail" if fails > passes else "pass" if passes > fails else "void"


def _replayed(receipt: Receipt, referee: str, found: Finding | None, judge: Judge, before: str) -> Replayed:
    if found is None or not found.tells:
        return Replayed(receipt.request, referee, found.method if found else "", "void", found.body() if found else {})
    verdict = "fail" if judge.fails(found) else "pass"
    agrees = verdict == before if before in ("pass", "fail") else None
    return Replayed(receipt.request, referee, found.method, verdict, found.body(), agrees)


def _place(upstream: Upstream) -> str:
    return upstream.url.lower()
