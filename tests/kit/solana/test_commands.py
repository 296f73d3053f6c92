"""The command line on Solana, through the façade, as an operator uses it; wallets of every kind."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from mercato.chains.solana import base58
from mercato.chains.solana.facade import SolanaFacade
from mercato.chains.solana.keys import SolanaKey
from mercato.chains.solana.messages import decode, signature_of
from mercato.chains.solana.model import SOL, Signature
from mercato.chains.solana.testing import SEEDS, WEALTH
from tests.kit.conftest import Run
from tests.kit.solana.ground import ANYTHING, FRIEND, ME, NATIVE, STRANGER, WALLET, Town

SEED = base58.encode(SEEDS[0])


@pytest.fixture
def node(town: Town, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A node that commands find by the settings, and a wallet."""
    monkeypatch.setenv("MERCATO_KIT_CHAIN", "solana")
    monkeypatch.setenv("MERCATO_KIT_KEY", SEED)
    with SolanaFacade(town.cluster, 0) as facade:
        monkeypatch.setenv("MERCATO_CHAINS_SOLANA_RPC", facade.url)
        yield facade.url


@pytest.fixture
def ruled(run: Run, node: str, home: Path, town: Town) -> Run:
    """The commands, with a policy in force."""
    rule = {**ANYTHING, "name": "friends", "recipients": [FRIEND], "spend": {"SOL": "5"}}
    budget = {"name": "day", "asset": "SOL", "cap": "10", "seconds": 86400}
    file = home / "policy.json"
    file.write_text(json.dumps(dict(town.policy(rule, budgets=[budget]).source)))
    assert run("policy", "set", str(file))[0] == 0
    return run


def pay(lamports: int = SOL, to: str = FRIEND) -> list[str]:
    return ["transfer-native", f"to={to}", f"amount={lamports}"]


def test_a_payment_is_planned_tried_explained_made_and_replayed(ruled: Run, town: Town) -> None:
    assert ruled("read", "balance")[1]["units"] == str(town.cluster.balance(ME))
    assert [step["title"] for step in ruled("plan", *pay())[1]["steps"]] == ["Send SOL"]
    tried = ruled("dry-run", *pay())[1]
    assert (tried["decision"]["verdict"], tried["unsigned"]) == ("allow", [])
    assert tried["effects"]["moves"] == [{"asset": NATIVE, "units": str(-SOL)}]
    assert ruled("explain", *pay())[1]["rules"] == [{"rule": "friends", "why_not": ""}]

    code, act, _ = ruled("act", *pay(), "--note", "for the coffee")
    assert (code, act["state"]) == (0, "done")
    assert town.cluster.balance(FRIEND) == WEALTH + SOL
    assert town.cluster.receipt(Signature(act["transactions"][0])) is not None
    assert [entry["arrow"] for entry in ruled("journal", "--act", act["id"])[1]][-3:] == [
        "sent",
        "confirmed",
        "settled",
    ]
    found = ruled("replay")[1]
    assert found["balances"] == [{"account": act["intent"]["account"], "asset": NATIVE, "units": str(-SOL - 5_000)}]
    assert found["budgets"] == [{"budget": "day", "scope": "", "units": str(SOL + 5_000)}]


def test_a_refusal_says_why_and_exits_with_1(ruled: Run) -> None:
    code, _, err = ruled("act", *pay(to=STRANGER))
    assert (code, f"it pays {STRANGER}" in err) == (1, True)
    assert ruled("journal")[1][-1]["body"]["verdict"] == "deny"


def test_people_get_tables(ruled: Run) -> None:
    done = ruled("act", *pay(), as_json=False)[1]
    tables = [ruled(*words, as_json=False)[1] for words in (
        ("list",), ("plan", *pay()), ("dry-run", *pay()), ("explain", *pay()), ("read", "balance"), ("recover",),
    )]  # fmt: skip

    assert "done" in done
    assert all(tables)
    assert SEED not in "".join([done, *tables])


def test_a_watched_account_gets_bytes_to_sign_elsewhere(
    ruled: Run, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MERCATO_KIT_KEY", "")
    monkeypatch.setenv("MERCATO_KIT_ACCOUNT", ME)
    (unsigned,) = ruled("dry-run", *pay())[1]["unsigned"]
    raw = bytes.fromhex(unsigned.removeprefix("0x"))
    signed = raw[:1] + WALLET.message(raw[65:]) + raw[65:]

    assert decode(raw).signatures[0] == decode(raw).signatures[0].default()
    assert town.cluster.wait(town.cluster.send_raw(signed)).signature == signature_of(signed)
    assert town.cluster.balance(FRIEND) == WEALTH + SOL
    code, _, err = ruled("act", *pay())
    assert (code, "watches only" in err) == (1, True)


def test_a_new_wallet_is_a_file_that_opens_with_its_password(
    run: Run, home: Path, node: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MERCATO_KIT_PASSWORD", "correct horse battery")
    code, address, _ = run("new-wallet", str(home / "agent.json"), as_json=False)
    monkeypatch.setenv("MERCATO_KIT_KEY", "")
    monkeypatch.setenv("MERCATO_KIT_KEYSTORE", "agent.json")

    assert code == 0
    assert run("read", "balance")[1] == {"owner": address.strip(), "units": "0", "decimals": 9}
    monkeypatch.setenv("MERCATO_KIT_CHAIN", "evm")
    monkeypatch.setenv("MERCATO_CHAINS_FACADE_PORT", "9")
    assert "start `mercato up`" in run("read", "balance")[2]


def test_an_account_of_the_other_kind_of_chain_is_refused(ruled: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MERCATO_KIT_ACCOUNT", "0x" + "ab" * 20)
    assert "expected 32 bytes in base 58" in ruled("dry-run", *pay())[2]
    monkeypatch.setenv("MERCATO_KIT_ACCOUNT", STRANGER)
    assert f"the wallet's is {ME}" in ruled("act", *pay())[2]


def test_without_a_cluster_it_says_what_to_start(run: Run, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MERCATO_KIT_CHAIN", "solana")
    monkeypatch.setattr("mercato.chains.opening.SOLANA_PORT", 9)  # where nobody answers

    assert "start `mercato chains serve-solana`" in run("read", "balance")[2]


def test_the_priority_fee_of_the_settings_is_offered(ruled: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MERCATO_KIT_UNIT_PRICE", "1000000")

    act = ruled("act", *pay())[1]

    assert int(act["effects"]["fee"]) > 5_000


def test_keys_made_by_other_programs_are_taken(ruled: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    pair = SEEDS[0] + base58.decode(SolanaKey(SEEDS[0]).address)
    monkeypatch.setenv("MERCATO_KIT_KEY", json.dumps(list(pair)))

    assert ruled("read", "balance")[1]["owner"] == ME
