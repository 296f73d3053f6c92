"""Doubles of the compute room for tests: stub providers that are real HTTP servers on loopback."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mercato.compute.errors import Unreached
from mercato.compute.fleet import replies
from mercato.compute.fleet.behaviour import Behaviour, Manner
from mercato.compute.fleet.stub import Stub
from mercato.compute.fleet.toy import Toy
from mercato.compute.model import ProviderId
from mercato.compute.verify.exhibit import Exhibit
from mercato.compute.verify.match import Match


def stub(
    behaviour: Behaviour | str = Behaviour.HONEST, *, models: Sequence[str] = ("toy",), key: str = "", **measures: Any
) -> Stub:
    """Returns a provider to be opened with `with`; `measures` are the fields of `Manner`, such as rate or delay.

    `stub("truncate", after=2)` cuts after two tokens; its `url` ends in /v1, `asked` holds what came, `open` counts
    what is in flight, `left` what its callers gave up. With a `key`, callers must send it.
    """
    return Stub(Manner(Behaviour(behaviour), **measures), models, key)


class ToyChecker:
    """A reference that is the toy model itself, without a network. While `away`, it cannot be reached."""

    name = "toy"
    provider = ProviderId("prov_checker")

    def __init__(self) -> None:
        self.away = False
        self.asked = 0

    async def check(self, exhibit: Exhibit, model: str) -> Match | None:
        """Returns how an answer matches what the toy model would have said; Unreached while it is away."""
        if self.away:
            raise Unreached("connect", "toy checker is away")
        self.asked += 1
        asked = replies.Asked("/v1/chat/completions", {}, dict(exhibit.body))
        found = replies.ranks(Toy(), asked.text(), exhibit.answer.split())
        return Match(len(found), found.count(1)) if found else None
