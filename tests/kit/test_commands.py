"""The command line as an operator uses it: a policy, a payment, an approval, the kill switch, a replay; refusals."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from mercato.chains.facade import Facade
from mercato.chains.testing import ACCOUNTS, KEYS
from mercato.store import Store
from mercato.store.settings import StoreSettings
from tests.kit.conftest import Run
from tests.kit.ground import DIME, FRIEND, ME, STRANGER, Town, town


@pytest.fixture(name="town")
def town_() -> Town:
    return town()


def pay(town: Town, dollars: int, to: str = FRIEND) -> list[str]:
    return ["transfer", f"token={town.dollar.address}", f"to={to}", f"amount={dollars * DIME}"]


def test_a_payment_is_planned_tried_explained_made_and_replayed(ruled: Run, town: Town) -> None:
    assert ruled("read", "balance", f"token={town.dollar.address}")[1]["units"] == str(1_000 * DIME)
    assert [step["title"] for step in ruled("plan", *pay(town, 5))[1]["steps"]] == ["Send a token"]
    tried = ruled("dry-run", *pay(town, 5))[1]
    assert tried["decision"]["verdict"] == "allow"
    assert tried["effects"]["moves"] == [{"asset": town.usd, "units": str(-5 * DIME)}]
    assert ruled("explain", *pay(town, 80))[1]["rules"][-1] == {"rule": "large", "why_not": ""}

    code, act, _ = ruled("act", *pay(town, 5), "--note", "for the coffee")
    assert (code, act["state"]) == (0, "done")
    assert town.dollar.read("balanceOf", FRIEND) == 5 * DIME
    journal = ruled("journal", "--act", act["id"])[1]
    assert [entry["arrow"] for entry in journal][-3:] == ["sent", "confirmed", "settled"]
    found = ruled("replay")[1]
    assert found["balances"][0]["units"] == str(-5 * DIME)
    assert found["budgets"] == [{"budget": "day", "scope": "", "units": str(5 * DIME)}]
    assert found["acts"] == {"done": 1}


def test_a_large_payment_waits_is_approved_and_carried_out(ruled: Run, town: Town) -> None:
    asked = ruled("act", *pay(town, 80))[1]

    assert asked["state"] == "asked"
    assert [item["id"] for item in ruled("approvals")[1]] == [asked["id"]]
    code, _, err = ruled("approve", asked["id"], "--by", "agent")
    assert (code, "may approve: treasurer" in err) == (1, True)
    assert ruled("approve", asked["id"], "--by", "treasurer")[1]["state"] == "agreed"
    assert ruled("resume", asked["id"])[1]["state"] == "done"
    assert town.dollar.read("balanceOf", FRIEND) == 80 * DIME


def test_a_refusal_says_why_and_exits_with_1(ruled: Run, town: Town) -> None:
    code, _, err = ruled("act", *pay(town, 1, STRANGER))

    assert (code, f"it pays {STRANGER}" in err) == (1, True)
    assert ruled("journal")[1][-1]["body"]["verdict"] == "deny"


def test_the_kill_switch_stops_acts_until_it_is_off(ruled: Run, town: Town) -> None:
    assert ruled("freeze", "--by", "operator", as_json=False)[1] == "agent: frozen\n"
    code, _, err = ruled("act", *pay(town, 1))
    assert (code, "frozen" in err) == (1, True)
    assert ruled("thaw", "--by", "operator", as_json=False)[1] == "agent: not frozen\n"
    assert ruled("act", *pay(town, 1))[1]["state"] == "done"


def test_a_tampered_journal_is_named(ruled: Run, town: Town, home: Path) -> None:
    ruled("act", *pay(town, 1))
    store = Store(StoreSettings().address(home))
    with store.transaction() as tx:
        tx.connection.exec_driver_sql("UPDATE kit_entry SET body = '{}' WHERE seq = 4")
    store.close()

    code, _, err = ruled("replay")

    assert (code, "entry 4 of 'agent' does not have the hash" in err) == (1, True)


def test_what_acts_came_to_is_told_and_what_is_unknown(ruled: Run, town: Town) -> None:
    ruled("act", *pay(town, 5))
    found = ruled("profit")[1]
    (line,) = found["lines"]

    assert (line["name"], line["net_whole"], line["value_micro_usd"]) == ("USD", "-5", None)
    assert (found["settled"], found["total_micro_usd"], found["unpriced"]) == (1, None, [town.usd])


def test_people_get_tables(ruled: Run, town: Town) -> None:
    done = ruled("act", *pay(town, 5), as_json=False)[1]
    tables = [ruled(*words, as_json=False)[1] for words in (
        ("list",), ("journal",), ("replay",), ("profit",), ("approvals",), ("policy", "show"), ("recover",),
        ("dry-run", *pay(town, 5)), ("explain", *pay(town, 5)), ("plan", *pay(town, 5)), ("read", "balance"),
    )]  # fmt: skip

    assert "done" in done
    assert all(tables)
    assert KEYS[0].hex() not in "".join([done, *tables])


def test_a_watched_account_is_tried_and_signs_nothing(ruled: Run, town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MERCATO_KIT_KEY", "")
    monkeypatch.setenv("MERCATO_KIT_ACCOUNT", ME)

    tried = ruled("dry-run", *pay(town, 5))[1]
    assert (tried["decision"]["verdict"], tried["unsigned"][0][:4]) == ("allow", "0x02")
    code, _, err = ruled("act", *pay(town, 5))
    assert (code, "watches only" in err) == (1, True)


def test_a_new_wallet_is_a_file_that_opens_with_its_password(
    run: Run, home: Path, node: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MERCATO_KIT_PASSWORD", "correct horse battery")
    code, made, _ = run("new-wallet", str(home / "agent.json"))
    monkeypatch.setenv("MERCATO_KIT_KEY", "")
    monkeypatch.setenv("MERCATO_KIT_KEYSTORE", "agent.json")

    assert code == 0
    assert run("read", "balance")[1]["owner"] == made["address"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("act", "transfers"), "known: "),
        (("act", "transfer", "token"), "NAME=VALUE"),
        (("act", "batch", "calls=nothing"), "expected JSON"),
        (("act", "transfer", "to=0x1"), "token was not given"),
        (("act", "balance", "--origin", "text"), "agent"),
        (("policy", "check", "nowhere.toml"), "not readable"),
    ],
)
def test_mistakes_are_named(ruled: Run, words: tuple[str, ...], said: str) -> None:
    code, _, err = ruled(*words)

    assert (code, said in err) == (2, True)


def test_a_book_is_opened_by_its_policy(run: Run, node: str) -> None:
    code, _, err = run("journal")

    assert (code, "open it with a policy" in err) == (2, True)


def test_without_a_wallet_or_a_chain_it_says_what_to_set(run: Run, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MERCATO_CHAINS_FACADE_PORT", "9")
    assert "start `mercato up`" in run("read", "balance")[2]
    with Facade(town().chain, 0, accounts=ACCOUNTS) as facade:
        monkeypatch.setenv("MERCATO_CHAINS_RPC", facade.url)
        assert "MERCATO_KIT_KEYSTORE" in run("read", "balance")[2]


def test_the_example_policy_is_sound(run: Run) -> None:
    place = Path(__file__).parents[2] / "docs/examples/policy.toml"
    code, body, _ = run("policy", "check", str(place))

    assert code == 0
    assert body["rules"] == [rule["name"] for rule in tomllib.loads(place.read_text())["rules"]]
