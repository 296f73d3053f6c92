"""Compares the rows of one expression on two engines: keys and integers exactly, floats to 1e-12."""

from __future__ import annotations

import gc
import math
from collections.abc import Callable, Sequence
from typing import Any

import ibis

from mercato.market.metrics.base import Inputs
from mercato.market.testing import inputs
from mercato.store.analytics import Engine

Build = Callable[[Inputs], ibis.Table]


def same(left: object, right: object) -> bool:
    """Tells whether two cells agree; a float must be a float on both sides."""
    if isinstance(left, float) and isinstance(right, float):
        return math.isclose(left, right, rel_tol=1e-12, abs_tol=1e-12)
    return type(left) is type(right) and left == right


def differences(one: Sequence[dict[str, Any]], two: Sequence[dict[str, Any]]) -> list[object]:
    """Returns the cells that differ between two row lists in the same order."""
    if len(one) != len(two):
        return [("rows", len(one), len(two))]
    pairs = zip(one, two, strict=True)
    return [(at, name, left[name], right.get(name)) for at, (left, right) in enumerate(pairs) for name in left
            if not same(left[name], right.get(name))]  # fmt: skip


def compare(duck: Engine, spark: Engine, build: Build, keys: Sequence[str], **tables: Sequence[Any]) -> int:
    """Runs what `build` makes of the same rows on both engines, asserts that it agrees, returns the row count."""
    one, two = (engine.rows(build(inputs(engine, **tables)).order_by(*keys)) for engine in (duck, spark))
    gc.collect()  # Spark's sockets close here, and not in the middle of some other test
    assert differences(one, two) == []
    return len(one)
