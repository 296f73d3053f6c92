"""A disputed answer is judged again by upstreams that have no part in it; the log keeps what they find, money stays."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from typer.testing import CliRunner, Result

from mercato.compute import audits
from mercato.compute.books import disputes
from mercato.compute.books.replay import replay
from mercato.compute.books.till import Till
from mercato.compute.commands import app
from mercato.compute.gateway.catalogue import named
from mercato.compute.gauges import Books
from mercato.compute.signing import signer
from mercato.compute.testing import stub
from mercato.core.clock import SystemClock
from mercato.core.errors import Conflict
from tests.compute.books.conftest import migrated, sqlite, url
from tests.compute.books.counter import ACME, Counter
from tests.compute.gateway.house import House
from tests.compute.verify.conftest import Audited
from tests.compute.verify.test_auditing import judged

__all__ = ["migrated", "sqlite", "url"]  # fixtures of the books: both databases
UPSTREAM = '[compute.upstreams.{0}]\nurl = "{1}"\nprivate = true\nmodels.toy = {{ prompt = 1 }}\n'


def run(*words: str) -> Result:
    return CliRunner().invoke(app, ["disputes", *words])


def told(*words: str) -> Any:
    return json.loads(run(*words).output)


def appoint(house: House, **urls: str) -> None:
    """Writes the settings that commands read: the checker, and who else may judge."""
    text = '[compute.audit]\nchecker = "reference"\n'
    (house.home / "mercato.toml").write_text(text + "".join(UPSTREAM.format(*it) for it in urls.items()))


def served(house: House, name: str, **more: Any) -> str:
    """Has a provider answer; returns the file of documents that its user keeps."""
    wish = {"only": [name], "verify": "always"}
    question = {"model": "toy", "messages": [{"role": "user", "content": f"of {name}"}], "max_tokens": 40, **more}
    asked = json.dumps({**question, "temperature": 0, "provider": wish}).encode()
    answer = house.post("/chat/completions", asked)
    file = house.home / f"{answer.headers['x-request-id']}.json"
    body = {"request": file.stem, "asked": asked.decode(), "answered": answer.body.decode()}
    file.write_text(json.dumps(body))
    return str(file)


def metrics(house: House) -> str:
    registry = CollectorRegistry()
    registry.register(Books(house.url, SystemClock(), money=False))
    return generate_latest(registry).decode()


def books(house: House) -> Till:
    return Till(house.url, SystemClock(), signer(house.home))


def test_findings_are_entries_of_the_log_on_either_database(url: str) -> None:
    with Counter(url) as counter:
        dispute = disputes.withhold(counter.till, ACME, "evidence at the bar", {"audits": 9})
        other = disputes.withhold(counter.till, ACME, "another", {})
        found: list[dict[str, Any]] = [
            {"request": "req_1", "verdict": it, "agrees": it == "fail"} for it in ("fail", "pass")
        ]
        numbers = disputes.replayed(counter.till, dispute.id, found, by='"agrees":true')
        seen = disputes.replays(counter.till.bare, dispute.id)
        registry = CollectorRegistry()
        registry.register(Books(url, counter.clock, money=False))
        metrics = generate_latest(registry).decode()
        decided = disputes.decide(counter.till, dispute.id, uphold=False, by="ann", why="they differ")
        with pytest.raises(Conflict, match="was rejected before"):
            disputes.replayed(counter.till, dispute.id, found, by="ann")

        assert [(number, body["verdict"]) for number, body in seen] == list(zip(numbers, ["fail", "pass"], strict=True))
        assert disputes.replays(counter.till.bare, other.id) == []
        assert decided.why.endswith(f"| ann, after replays {numbers[0]}, {numbers[1]}: they differ")
        assert re.findall(r'replays{agrees="(\w+)"} (\S+)', metrics) == [("no", "1.0"), ("yes", "1.0")]
        assert replay(counter.till.bare, counter.till.signer.public).faults == []


def test_a_bribed_checker_is_shown_up_by_two_of_three_referees(home: Path, audited: Audited) -> None:
    house = audited({"bad": "wrong-model"}, checker="bribed")
    with stub() as one, stub() as other, stub("bribed") as third:
        appoint(house, bad="http://127.0.0.1:1/v1", one=one.url, other=other.url, third=third.url,
                reference="http://127.0.0.1:2/v1")  # fmt: skip
        file = served(house, "bad", stream=True)
        judged(house, "bad", 1)
        opened = run("open", "--documents", file, "--why", "it is nonsense").output
        id = opened.split()[0]
        referees = [word for name in ("one", "other", "third") for word in ("--referee", name)]
        with books(house) as till:
            before = till.balances()
        printed = run("replay", id, "--documents", file, *referees).output
        with books(house) as till:
            after = till.balances()
    shown = told("show", id)

    assert before == after
    assert [(it["referee"], it["verdict"], it["agrees"]) for it in shown["replays"]] == [
        ("one", "fail", False), ("other", "fail", False), ("third", "pass", True),
    ]  # fmt: skip
    assert shown["replays"][0]["statistic"]["tokens"] == 40
    assert "Most of what could be judged says: they fail." in printed
    assert (shown["kind"], shown["state"]) == ("complaint", "open")
    assert 'mercato_compute_replays{agrees="no"} 2.0' in metrics(house)
    assert 'mercato_compute_replays{agrees="yes"} 1.0' in metrics(house)


def test_a_verdict_is_replayed_and_the_decision_names_what_was_found(home: Path, audited: Audited) -> None:
    house = audited({"bad": "wrong-model"})
    with stub() as second, books(house) as till:
        appoint(house, bad="http://127.0.0.1:1/v1", second=second.url, reference="http://127.0.0.1:2/v1",
                alias="http://127.0.0.1:2/v1")  # fmt: skip
        files = [served(house, "bad") for _ in range(2)]
        judged(house, "bad", 2)
        dispute = disputes.withhold(till, named("bad"), "evidence at the bar", {"audits": 2})
        barred = [run("replay", dispute.id, "--documents", files[0], "--referee", name)
                  for name in ("reference", "alias", "bad", "nobody")]  # fmt: skip
        twice = run("replay", dispute.id, "--documents", files[0], "--referee", "second", "--referee", "second")
        given = [word for file in files for word in ("--documents", file)]
        found = told("replay", dispute.id, *given, "--referee", "second", "--json")
        decided = run("decide", dispute.id, "--uphold", "--why", "seen")
        again = run("replay", dispute.id, *given, "--referee", "second")
        after = disputes.one(till.bare, dispute.id)
        faults = replay(till.bare, till.signer.public).faults
        stake = till.balances().get(f"provider:{named('bad')}:stake", 0)

    assert (found["majority"], [it["agrees"] for it in found["replays"]]) == ("fail", [True, True])
    reasons = [
        "it judged before",
        "it is 'reference', which judged before",
        "it is the provider itself",
        "does not serve",
    ]
    for refused, why in zip(barred, reasons, strict=True):
        assert why in str(refused.exception)
    assert "it was named twice" in str(twice.exception)
    assert "was upheld" in decided.output
    assert f"operator, after replays {', '.join(map(str, found['entries']))}: seen" in after.why
    assert "was upheld before" in str(again.exception)
    assert (faults, stake) == ([], 0)


def test_a_dispute_takes_documents_of_its_own_provider_as_they_were_and_nothing_where_nobody_answers(
    home: Path, audited: Audited
) -> None:
    house = audited({"bad": "honest", "good": "honest"})
    with books(house) as till:
        appoint(house, second="http://127.0.0.1:1/v1", reference="http://127.0.0.1:2/v1")
        file = served(house, "bad", max_tokens=30)
        judged(house, "bad", 1)
        other = served(house, "good")
        own = disputes.withhold(till, named("bad"), "evidence at the bar", {"audits": 2})
        foreign = run("replay", own.id, "--documents", other, "--referee", "second")
        unreachable = run("replay", own.id, "--documents", file, "--referee", "second")
        changed = json.loads(Path(file).read_text())
        Path(file).write_text(json.dumps({**changed, "answered": changed["answered"] + " "}))
        refused = run("open", "--documents", file)
        left = disputes.replays(till.bare, own.id), audits.checkers(till.bare, named("bad"))

    assert "is not what" in str(foreign.exception)
    assert unreachable.exit_code != 0
    assert "answer is not that of req_" in str(refused.exception)
    assert left == ([], {"reference"})
