"""The comparison with real launches: every fact names its source, and the lab's side is computed, not claimed."""

from __future__ import annotations

import json

import pytest

from mercato.cli import main
from mercato.lab.calibration import SIZES_BPS, compare
from mercato.lab.study import load


def test_every_fact_has_a_source_and_shares() -> None:
    facts = compare(load(), 2)

    assert all(fact.source and 0 <= fact.lab <= 1 for fact in facts)
    assert all(0 < fact.observed < 1 for fact in facts)


def test_larger_snipes_take_more_of_the_supply_and_bracket_what_was_observed() -> None:
    taken = [fact for fact in compare(load(), 2) if fact.says.startswith("supply that")]

    assert len(taken) == len(SIZES_BPS)
    assert taken[0].lab < taken[0].observed < taken[-1].lab
    assert [fact.lab for fact in taken] == sorted(fact.lab for fact in taken)


def test_the_command_says_that_its_side_is_simulated(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["lab", "calibrate", "--seeds", "1", "--json"])
    shown = json.loads(capsys.readouterr().out)

    assert shown["simulated"] is True
    assert [fact["says"] for fact in shown["facts"]] == [fact.says for fact in compare(load(), 1)]
