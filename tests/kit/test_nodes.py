"""The same path at a node: the embedded chain's own JSON-RPC, and a real node of another make; many acts at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from mercato.chains import Deployed, deploy
from mercato.chains.evm.rpc import Rpc
from mercato.contracts import load
from mercato.core.clock import SystemClock
from mercato.core.events import Json
from mercato.kit import Grant, Move, Policy, Verdict
from mercato.kit.acts import State
from mercato.kit.evm.actions import catalogue
from mercato.kit.evm.rail import Rail
from mercato.kit.ledger import Ledger
from mercato.kit.replay import replay
from mercato.kit.service import Kit
from mercato.store import Store
from tests.conformance.chain.conftest import CHAINS, Rig
from tests.kit.ground import ANYTHING, DEPLOYER, DIME, FRIEND, ME, NATIVE, WALLET, done, erc20, town


def opened(rig: Rig, store: Store) -> tuple[Kit, Deployed]:
    """A kit at a node, and the dollar that its wallet has."""
    artifact = load("test_dollar")
    dollar = deploy(rig.chain, artifact.abi, artifact.bytecode, sender=DEPLOYER)
    dollar.send("faucet", ME, 1_000 * DIME, sender=DEPLOYER)
    assets = {"USD": {"id": erc20(dollar.address), "decimals": 6}, "ETH": {"id": NATIVE, "decimals": 18}}
    rule = {**ANYTHING, "spend": {"USD": "50", "ETH": "1"}}
    ledger = Ledger(store, SystemClock())
    ledger.open("agent", Policy.of({"version": 1, "assets": assets, "rules": [rule]}), "operator")
    return Kit(ledger, Rail(rig.chain, SystemClock()), catalogue(), book="agent", wallet=WALLET), dollar


NODES = ["facade", pytest.param("json-rpc", marks=pytest.mark.npm)]  # the second is Anvil


@pytest.mark.parametrize("node", NODES)
def test_a_payment_at_a_node_is_tried_there_signed_here_and_settled_with_its_fee(sqlite: Store, node: str) -> None:
    with CHAINS[node](True) as rig:
        kit, dollar = opened(rig, sqlite)
        before = rig.chain.balance(ME)
        found = kit.propose(kit.intent("transfer", {"token": dollar.address, "to": FRIEND, "amount": "5"}))
        act = done(kit, "transfer", {"token": dollar.address, "to": FRIEND, "amount": "5"})
        sent = done(kit, "transfer-native", {"to": FRIEND, "amount": "7"})
        paid, got = before - rig.chain.balance(ME), dollar.read("balanceOf", FRIEND)

    assert found.decision.verdict is Verdict.ALLOW
    assert act.effects.moves == (Move(erc20(dollar.address), -5),)
    assert got == 5
    assert paid == act.effects.fee + sent.effects.fee + 7
    assert -replay(sqlite, "agent").balances[kit.account, NATIVE] == paid


@pytest.mark.parametrize("node", NODES)
def test_an_approval_that_hides_in_a_batch_is_seen_at_a_node(sqlite: Store, node: str) -> None:
    with CHAINS[node](True) as rig:
        kit, dollar = opened(rig, sqlite)
        words = (("transfer", 1), ("approve", 9), ("approve", 0))  # which is taken back, two blocks later
        calls = [dollar.interface.encode(function, FRIEND, units) for function, units in words]
        batch: list[Json] = [{"to": dollar.address, "data": "0x" + data.hex()} for data in calls]
        found = kit.propose(kit.intent("batch", {"calls": batch}))

    assert found.ready.effects.grants == (Grant(erc20(dollar.address), FRIEND, 0, 9),)
    assert found.decision.verdict is Verdict.DENY


@pytest.mark.npm
def test_what_a_node_cannot_simulate_is_not_signed(sqlite: Store) -> None:
    """Anvil 1.7 simulates no creations."""
    with CHAINS["json-rpc"](True) as rig:
        kit, _ = opened(rig, sqlite)
        found = kit.propose(kit.intent("deploy-token", {"title": "Lamp", "symbol": "LAMP", "supply": "1"}))
        nonce = rig.chain.nonce(ME)

    assert (found.decision.verdict, found.ready.effects.gaps) == (Verdict.DENY, ("the node cannot simulate it",))
    assert nonce == 0


@pytest.mark.npm
def test_an_account_that_is_delegated_to_code_signs_nothing_at_a_node(sqlite: Store) -> None:
    """By EIP-7702's own mark, which Anvil reads as a delegation."""
    with CHAINS["json-rpc"](True) as rig:
        kit, dollar = opened(rig, sqlite)
        assert isinstance(rig.chain, Rpc)
        rig.chain._node.ask("anvil_setCode", ME, "0xef0100" + dollar.address[2:])
        found = kit.propose(kit.intent("transfer", {"token": dollar.address, "to": FRIEND, "amount": "5"}))

    assert found.decision.verdict is Verdict.DENY
    assert "by delegation (EIP-7702)" in found.decision.why


def test_acts_at_once_each_get_a_nonce_and_all_come_into_blocks(store: Store) -> None:
    here = town()
    kit = here.kit(store, SystemClock(), here.policy(ANYTHING))
    wanted = {"token": here.dollar.address, "to": FRIEND, "amount": "1"}

    with ThreadPoolExecutor(4) as threads:
        acts = list(threads.map(lambda number: done(kit, "transfer", dict(wanted)), range(12)))

    assert {act.state for act in acts} == {State.DONE}
    assert sorted(item.place for act in acts for item in act.signed) == list(range(12))
    assert here.dollar.read("balanceOf", FRIEND) == 12
    assert replay(store, "agent").balances == {(kit.account, here.usd): -12}
