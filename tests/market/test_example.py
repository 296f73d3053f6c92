"""The made-up market says so, everywhere."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from mercato.market import example
from mercato.market.model import Query
from tests.market.simulated import UNTIL, fill, market


def test_the_same_seed_makes_the_same_market() -> None:
    first, again = (list(example.history_csv(UNTIL, 40, seed=3)) for _ in range(2))

    assert first == again
    assert first != list(example.history_csv(UNTIL, 40, seed=4))


def test_every_figure_on_made_up_data_is_marked_simulated(tmp_path: Path) -> None:
    room = market(tmp_path)
    fill(room, tmp_path, days=40)

    for name in ("sector-level", "dominance", "drawdown"):
        answer = room.metric(name, Query(as_of=UNTIL))

        assert "simulated" in answer.flags
        assert all("simulated" in figure.flags for figure in answer.figures)


def test_a_figure_without_made_up_inputs_is_not_marked(tmp_path: Path) -> None:
    room = market(tmp_path)
    fill(room, tmp_path, days=40)

    before = room.metric("sector-level", Query(as_of=UNTIL - timedelta(days=100)))

    assert "simulated" not in before.flags
