"""Doubles of the compute room for tests: stub providers that are real HTTP servers on loopback."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mercato.compute.fleet.behaviour import Behaviour, Manner
from mercato.compute.fleet.stub import Stub


def stub(
    behaviour: Behaviour | str = Behaviour.HONEST, *, models: Sequence[str] = ("toy",), key: str = "", **measures: Any
) -> Stub:
    """Returns a provider to be opened with `with`; `measures` are the fields of `Manner`, such as rate or delay.

    `stub("truncate", after=2)` cuts after two tokens; its `url` ends in /v1, `asked` holds what came, `open` counts
    what is in flight, `left` what its callers gave up. With a `key`, callers must send it.
    """
    return Stub(Manner(Behaviour(behaviour), **measures), models, key)
