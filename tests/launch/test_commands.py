"""The command line as an operator uses it: a node, a deployment, reviews, bids, a keeper; and clear refusals."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mercato.chains.evm.local import LocalChain
from mercato.chains.facade import Facade
from mercato.chains.opening import NODE
from mercato.chains.testing import ACCOUNTS, local
from mercato.cli.root import main
from mercato.launch.testing import REVIEWERS, application, card

DOLLAR = 10**6
TEAM, BIDDER = ACCOUNTS[3], ACCOUNTS[4]
Run = Callable[..., tuple[int, Any, str]]


@pytest.fixture
def chain() -> LocalChain:
    return local()


@pytest.fixture
def node(chain: LocalChain, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A node that commands find by the settings, and reviewers."""
    (home / "mercato.toml").write_text(f"[launch]\nreviewers = {json.dumps(list(REVIEWERS))}\n")
    with Facade(chain, 0, accounts=ACCOUNTS) as facade:
        monkeypatch.setenv("MERCATO_CHAINS_RPC", facade.url)
        yield facade.url


@pytest.fixture
def run(home: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    def command(*arguments: str, as_json: bool = True) -> tuple[int, Any, str]:
        with pytest.raises(SystemExit) as stop:
            main(["launch", *arguments, *(["--json"] if as_json else [])])
        out, err = capsys.readouterr()
        code = int(stop.value.code or 0)
        return code, json.loads(out) if as_json and out else out, err

    return command


@pytest.fixture
def applied(run: Run, node: str, home: Path) -> str:
    """A launch whose deposit is paid and that passed its review."""
    assert run("deploy")[0] == 0
    file, scores = home / "application.json", home / "card.json"
    file.write_text(json.dumps(application(applicant=TEAM).body()))
    scores.write_text(json.dumps(card(8).body()))
    id: str = run("apply", str(file))[1]["id"]
    return id


def pay(run: Run, account: str, amount: int) -> None:
    assert run("faucet", str(amount), "--from", account, "--send")[0] == 0


def test_a_launch_goes_its_whole_way_by_commands(run: Run, applied: str, chain: LocalChain, home: Path) -> None:
    pay(run, TEAM, 1000 * DOLLAR)
    pay(run, BIDDER, 1000 * DOLLAR)
    assert run("deposit", applied, "--send")[0] == 0
    assert run("submit", applied)[1]["state"] == "review"
    panel = [seat["reviewer"] for seat in run("review", "show", applied)[1][0]["seats"]]
    scores = str(home / "card.json")
    salts = {who: run("review", "commit", applied, "--reviewer", who, "--card", scores)[1]["salt"] for who in panel}
    for who, salt in salts.items():
        assert run("review", "reveal", applied, "--reviewer", who, "--card", scores, "--salt", salt)[0] == 0
    code, body, said = run("schedule", applied)
    assert code == 0, said
    chain.mine(seconds=3600)
    assert run("keeper", "--once")[1]["mirrored"] == 1
    assert run("preview", applied, "9", str(300 * DOLLAR))[1]["clears"]
    sent = run("bid", applied, "9", str(300 * DOLLAR), "--from", BIDDER, "--send")[1]
    assert run("improve", applied, "9", "12", str(200 * DOLLAR), "--from", BIDDER, "--send")[0] == 0
    assert run("cancel", applied, "9", str(50 * DOLLAR), "--from", BIDDER, "--send")[0] == 0
    assert run("demand", applied)[1]["total"] == str(250 * DOLLAR)
    credential = run("admit", applied, BIDDER, "--identity", "x:bidder")[1]["credential"]
    retail = ("bid", applied, "65535", str(10 * DOLLAR), "--from", BIDDER, "--credential", credential)
    assert [item["refusal"] for item in run(*retail)[1]] == ["", ""]
    chain.mine(seconds=body["ends"] - chain.time() + 1)
    kept = run("keeper", "--once")[1]
    claims = [run("claim", applied, level, "--from", BIDDER, "--send")[0] for level in ("9", "12")]

    assert [item["succeeded"] for item in sent] == [True, True]
    assert (kept["sent"], kept["refunds"]) == (1, 0)
    assert claims == [0, 0]
    assert {item["sound"] for item in run("verify")[1]} == {True}
    assert run("quote", applied, str(DOLLAR))[1]["side"] == "buy"
    assert run("buy", applied, str(DOLLAR), "--from", BIDDER, "--send", "--slippage-bps", "500")[0] == 0
    assert run("sell", applied, str(10**24), "--from", BIDDER, "--send", "--slippage-bps", "500")[0] == 0
    assert "off the price" in run("quote", applied, str(10**24), "--sell", as_json=False)[1]
    body, words = run("market", applied)[1], run("market", applied, as_json=False)[1]
    assert [item["side"] for item in body["trades"]] == ["sell", "buy"]
    assert [item["percent"] for item in body["depth"]] == [1, 2, 5, 10]
    assert all(part in words for part in ("Locked", "The newest of 2 trades", "The largest of", "Depth", "as of block"))
    assert [item["side"] for item in run("market", applied, "--trades", "1")[1]["trades"]] == ["sell"]
    assert run("show", applied)[1]["state"] == "live"
    assert {item["claimed"] for item in run("positions", applied, "--from", BIDDER)[1]} == {True}
    assert [item["state"] for item in run("list", "--state", "live")[1]] == ["live"]


def test_an_unsigned_transaction_is_printed_and_nothing_is_sent(run: Run, applied: str, chain: LocalChain) -> None:
    before = chain.block().number
    approve, deposit = run("deposit", applied)[1]

    assert approve["transaction"]["from"] == deposit["transaction"]["from"] == TEAM
    assert deposit["function"] == "submit(bytes32)"
    assert chain.block().number == before


def test_commands_find_the_chain_of_a_running_mercato_by_its_file(
    run: Run, applied: str, node: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MERCATO_CHAINS_RPC")
    monkeypatch.setenv("MERCATO_CHAINS_FACADE_PORT", "9")
    assert run("verify")[0] == 2
    (home / NODE).write_text(node)

    assert run("verify")[0] == 0


def test_on_a_development_chain_the_known_accounts_review_where_nobody_was_named(
    run: Run, applied: str, home: Path
) -> None:
    (home / "mercato.toml").unlink()
    assert run("faucet", str(1000 * DOLLAR), "--from", TEAM, "--send")[0] == 0
    assert run("deposit", applied, "--send")[0] == 0
    assert run("submit", applied)[0] == 0
    (review,) = run("review", "show", applied)[1]

    assert len({seat["reviewer"] for seat in review["seats"]} & set(ACCOUNTS)) >= 3


def test_a_dry_run_says_what_would_be_sent_and_sends_nothing(run: Run, node: str, chain: LocalChain) -> None:
    planned = run("deploy", "--rpc", node, "--dry-run")[1]
    assert chain.block().number == 0
    deployed = run("deploy", "--rpc", node)[1]

    assert [item["address"] for item in planned["transactions"]] == [
        deployed[item["name"]] for item in planned["transactions"]
    ]
    assert run("deploy", "--rpc", node, "--dry-run")[1]["transactions"] == []
    record = tomllib.loads(Path(deployed["record"]).read_text())
    assert record["contracts"]["factory"] == deployed["factory"]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("show", "lch_none"), 2, "launch was 'lch_none'"),
        (("apply", "nowhere.toml"), 2, "cannot be read"),
        (("list", "--state", "open-ended"), 2, "--state was 'open-ended'"),
        (("bid", "lch_none", "3", "1.5", "--from", BIDDER), 2, "amount was '1.5'"),
        (("deploy", "--treasury", "me"), 2, "account was 'me'"),
    ],
)
def test_a_wrong_question_exits_with_its_code_and_one_line(
    run: Run, node: str, arguments: tuple[str, ...], code: int, said: str
) -> None:
    found, _, err = run(*arguments)

    assert found == code
    assert said in err


def test_a_refused_step_exits_with_1_and_says_what_is_possible(run: Run, applied: str) -> None:
    code, _, err = run("schedule", applied)

    assert code == 1
    assert "step was 'schedule' on a launch that is 'draft'" in err
    assert "possible steps: submit" in err


def test_checks_that_fail_exit_with_1(run: Run, applied: str) -> None:
    code, results, _ = run("check", applied)

    assert code == 1
    assert [item["name"] for item in results if not item["passed"]] == ["deposit"]


def test_without_a_chain_applications_are_taken_and_auctions_are_not(
    run: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MERCATO_CHAINS_FACADE_PORT", "9")
    file = home / "application.json"
    file.write_text(json.dumps(application().body()))
    id = run("apply", str(file))[1]["id"]
    code, _, err = run("demand", id)

    assert (code, "no chain answers" in err) == (2, True)
    assert run("list")[1][0]["id"] == id


@pytest.mark.parametrize(("name", "text"), [("a.json", "[1]"), ("a.json", "{"), ("a.toml", "= 1")])
def test_a_file_that_is_no_application_is_refused(run: Run, home: Path, name: str, text: str) -> None:
    (home / name).write_text(text)

    assert run("apply", str(home / name))[0] == 2


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("list",), 0, "COURT"),
        (("show", "ID"), 0, "Courtside  draft"),
        (("review", "show", "ID"), 0, "no review has begun"),
        (("review", "advance", "ID"), 0, "no review has begun"),
        (("deposit", "ID"), 0, "calls submit(bytes32)"),
        (("deploy",), 0, "factory"),
        (("deploy", "--dry-run"), 0, "none sent"),
        (("check", "ID"), 1, "FAILED"),
        (("verify",), 0, "as built"),
        (("keeper", "--once"), 0, "0 transactions"),
        (("refund", "ID"), 0, "no deposit is held"),
    ],
)
def test_people_get_text(run: Run, applied: str, arguments: tuple[str, ...], code: int, said: str) -> None:
    found, out, _ = run(*(applied if item == "ID" else item for item in arguments), as_json=False)

    assert (found, said in out) == (code, True), out
