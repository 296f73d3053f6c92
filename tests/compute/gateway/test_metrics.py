"""What is counted for Prometheus stays small whatever providers call themselves."""

from __future__ import annotations

from datetime import UTC, datetime

from mercato.compute.gateway.metrics import OTHERS, PROVIDERS, Metrics
from mercato.compute.model import Attempt, End, ProviderId

TRIED = Attempt(ProviderId("prov_a"), datetime(2026, 1, 1, tzinfo=UTC), 5, 9, 200, End.DONE)
FAMILY = 'mercato_compute_attempts_total{error="",provider='


def test_a_node_that_takes_another_name_each_time_does_not_fill_the_memory() -> None:
    metrics = Metrics()
    for number in range(PROVIDERS + 500):
        metrics.attempt(f"node {number}", TRIED)
    metrics.attempt("node 0", TRIED)

    shown = [line for line in metrics.text().decode().splitlines() if line.startswith(FAMILY)]
    assert len(shown) == PROVIDERS + 1
    assert f'{FAMILY}"node 0"}} 2.0' in shown
    assert f'{FAMILY}"{OTHERS}"}} 500.0' in shown
