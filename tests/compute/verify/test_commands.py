"""Operators see how providers fare, and stop or readmit them; ejection is for good."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from mercato.compute import roster
from mercato.compute.books.till import Till
from mercato.compute.commands import app
from mercato.compute.fleet.toy import Toy
from mercato.compute.model import Standing
from mercato.compute.signing import signer
from mercato.compute.testing import ToyChecker, stub
from mercato.compute.verify.auditor import Auditor
from mercato.compute.verify.record import Judge
from tests.compute.books.conftest import migrated
from tests.compute.books.counter import ACME, Counter
from tests.compute.verify.books import listed, serve

__all__ = ["migrated"]  # a fixture of the books
Run = Callable[..., Result]


@pytest.fixture
def counter(home: Path, migrated: Path) -> Counter:
    """Books of an installation, in which a provider served four answers, one of them wrong."""
    (home / "mercato.db").write_bytes(migrated.read_bytes())
    made = Counter(f"sqlite:///{home / 'mercato.db'}")
    made.till.close()
    made.till = Till(made.url, made.clock, signer(home))
    with made:
        listed(made)
        serve(made, Toy(), 3)
        serve(made, Toy(weights=9), 1, first=3)
        auditing(made)
        return made


def auditing(counter: Counter) -> None:
    import asyncio

    asyncio.run(Auditor(counter.till, ToyChecker(), Judge()).turn(100))


def run(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def body(*words: str) -> Any:
    return json.loads(run(*words, "--json").output)


def test_providers_are_listed_with_their_quality_and_its_interval(counter: Counter) -> None:
    shown = body("providers")[0]

    assert (shown["audits"], shown["fails"], shown["right_bps"], shown["standing"]) == (4, 1, 7500, "active")
    assert (shown["low_bps"], shown["high_bps"]) == (1941, 9937)
    assert "75.0%" in run("providers").output


def test_audits_are_listed_with_what_was_found(counter: Counter) -> None:
    assert sorted(each["verdict"] for each in body("audits")["audits"]) == ["fail", "pass", "pass", "pass"]
    assert run("audits", "--limit", "2").output.count(" of 40 tokens match") == 2


def test_a_held_provider_loses_nothing_but_time_and_comes_back_on_probation(counter: Counter) -> None:
    held = run("hold", ACME, "--why", "odd answers")
    again = run("hold", ACME)
    back = run("readmit", ACME)

    assert held.output.strip() == f"{ACME} is suspended"
    assert again.exit_code != 0
    assert back.output.strip() == f"{ACME} is probation"
    assert "readmitted by operator" in body("providers")[0]["why"]
    assert body("providers")[0]["audits"] == 4


def test_who_was_ejected_is_not_readmitted(counter: Counter) -> None:
    with counter.till.bare.transaction():
        roster.stand(counter.till.bare, ACME, Standing.EJECTED, counter.clock.now(), "cheated")

    assert run("readmit", ACME).exit_code != 0
    assert body("providers")[0]["standing"] == "ejected"


def test_an_operators_word_ends_probation_and_is_told_with_who_and_why(counter: Counter) -> None:
    run("hold", ACME)
    held = run("admit", ACME, "--why", "known since June")
    run("readmit", ACME)
    hint = run("providers").output
    admitted = run("admit", "acme", "--by", "ann", "--why", "known since June")
    again = run("admit", "acme", "--why", "known since June")
    turn = roster.history(counter.till.bare, ACME)[-1]

    assert "was suspended, which stays so" in str(held.exception)
    assert "only your word ends a probation" in hint
    assert admitted.output == "acme is active\n"
    assert "was active, which stays so" in str(again.exception)
    assert (turn.standing, turn.why) == (Standing.ACTIVE, "admitted by ann, not audited: known since June")
    assert body("providers")[0]["why"] == turn.why
    assert "only your word" not in run("providers").output
    assert "which does not exist" in str(run("admit", "nobody", "--why", "x").exception)
    assert run("admit", "acme").exit_code == 2


def test_who_was_admitted_by_word_is_still_found_out(counter: Counter) -> None:
    """One of its four answers was wrong; six more are all that evidence takes."""
    run("hold", ACME)
    run("readmit", ACME)
    run("admit", ACME, "--why", "known since June")
    serve(counter, Toy(weights=9), 7, first=10)
    auditing(counter)

    assert [turn.standing for turn in roster.history(counter.till.bare, ACME)[-2:]] == [
        Standing.PROBATION, Standing.EJECTED,
    ]  # fmt: skip


def test_calibration_prints_settings_and_refuses_upstreams_that_lack_the_model(home: Path) -> None:
    with stub() as good, stub() as checker:
        settings = f"""
            [compute.audit]
            checker = "reference"
            [compute.upstreams.mine]
            url = "{good.url}"
            private = true
            models.toy = {{ prompt = 1 }}
            [compute.upstreams.reference]
            url = "{checker.url}"
            private = true
            models.toy = {{ prompt = 1 }}
        """
        (home / "mercato.toml").write_text(settings)
        printed = run("calibrate", "mine", "--model", "toy", "--answers", "80")
        vectors = run("calibrate", "mine", "--model", "toy", "--answers", "80", "--embeddings")
        refused = run("calibrate", "mine", "--model", "other")

    assert "[compute.audit]\nrate = 0.0000\n" in printed.output
    assert "100.00% of tokens match" in printed.output
    assert "# 80 answers judged\n[compute.audit]\napart = 0.000000001\nhonest = " in vectors.output
    assert "does not serve 'other'" in str(refused.exception)


def test_canaries_are_recorded_from_a_trusted_upstream_and_counted(home: Path) -> None:
    with stub() as good:
        settings = f"""
            [compute.upstreams.mine]
            url = "{good.url}"
            private = true
            models.toy = {{ prompt = 1 }}
        """
        (home / "mercato.toml").write_text(settings)
        (home / "mine.txt").write_text("first question\n\nsecond question\n")
        own = run("canaries", "record", "toy", "--upstream", "mine", "--questions", str(home / "mine.txt"))
        ours = run("canaries", "record", "toy", "--upstream", "mine", "--count", "3")
        refused = run("canaries", "record", "toy")
    text = (home / "canaries.jsonl").read_text()

    assert own.output.startswith("2 of 2 canaries were added to canaries.jsonl")
    assert ours.exit_code == 0
    assert (home / "canaries.jsonl").stat().st_mode & 0o077 == 0
    assert '"second question"' in text
    assert body("canaries", "check") == {"toy": text.count("\n")}
    assert "does not serve 'toy'" in str(refused.exception)
