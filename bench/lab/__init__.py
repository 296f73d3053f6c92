"""The launch lab's benchmark: order events a second on one core, and the whole registered study."""

from __future__ import annotations


def suite(*, quick: bool) -> bool:
    """Runs the whole suite and prints its tables; returns whether other numbers of workers gave the same bytes."""
    from bench.lab.speed import report

    return report(quick=quick)
