"""The actions at a node behind JSON-RPC: the façade of the embedded cluster, over HTTP on this machine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mercato.chains.solana import rpc
from mercato.chains.solana.facade import SolanaFacade
from mercato.chains.solana.lookup import lookup_table
from mercato.chains.solana.model import SOL, TOKEN_2022, Address
from mercato.chains.solana.testing import validator
from mercato.chains.solana.tokens import transfer_lamports
from mercato.core.clock import HandClock
from mercato.core.events import Json
from mercato.core.settings import Secret
from mercato.kit.errors import Denied
from mercato.kit.service import Kit
from mercato.kit.solana.actions import catalogue
from mercato.kit.solana.plan import Ground, SolanaPlan, Transaction
from mercato.store import Store
from tests.kit.solana.acting import act, at, everything, moved
from tests.kit.solana.ground import FRIEND, FRIEND_KEY, ME, STRANGER, Town, token


@pytest.fixture
def kit(town: Town, sqlite: Store, clock: HandClock) -> Iterator[Kit]:
    """A kit at a node, whose policy lets the operator do everything with SOL and the dollar."""
    with SolanaFacade(town.cluster, 0) as node:
        remote = rpc.connect(Secret(node.url))
        made = town.kit(sqlite, clock, town.policy(everything()), cluster=remote)
        made.actions = catalogue()
        yield made
        remote.close()


def test_a_token_is_sent_and_made_at_a_node(kit: Kit, town: Town) -> None:
    sent = act(kit, "transfer", token=town.dollar, to=STRANGER, amount="7", memo="rent")
    made = act(kit, "create-mint", title="Coin", symbol="CN", decimals=6, supply="500", fixed=True)

    assert moved(sent)[town.usd] == -7
    assert town.units(STRANGER) == 7
    [coin] = [item for item in map(Address, made.effects.creations) if moved(made).get(token(item)) == 500]
    assert town.units(ME, coin, TOKEN_2022) == 500


def test_stake_and_lookup_tables_work_at_a_node(kit: Kit, town: Town) -> None:
    vote = validator(town.cluster, FRIEND_KEY)
    staked = act(kit, "stake-create", amount=str(SOL), validator=vote)
    [table] = act(kit, "create-lookup-table", addresses=[FRIEND, STRANGER]).effects.creations
    pay: dict[str, Json] = {
        "program": "1" * 32, "data": "0x02000000" + SOL.to_bytes(8, "little").hex(),
        "accounts": [{"address": ME, "signer": True, "writable": True}, {"address": STRANGER, "writable": True}],
    }  # fmt: skip
    paid = act(kit, "batch", instructions=[pay], tables=[table], price="2000")

    assert staked.effects.contracts == (vote,)
    assert moved(paid) == {"SOL": -SOL}
    found = lookup_table(at(town, Address(table)))
    assert found
    assert found.addresses == (FRIEND, STRANGER)


def test_a_node_tells_prices_and_risks(kit: Kit, town: Town) -> None:
    price, risk = kit.read("priority-fee", {}), kit.read("token-risk", {"token": town.dollar})

    assert isinstance(price, dict)
    assert isinstance(risk, dict)
    assert (price["micro_lamports"], risk["supply"]) == ("0", str(1_000 * 10**6))


def test_several_transactions_at_a_node_are_refused_as_unclear(kit: Kit) -> None:
    @kit.actions.action("twice", "Pays twice.", effects="two payments")
    def twice(ground: Ground) -> SolanaPlan:
        steps = [Transaction("Pay", (transfer_lamports(ME, FRIEND, units),)) for units in (SOL, 2 * SOL)]
        return SolanaPlan(transactions=tuple(steps))

    with pytest.raises(Denied, match="the node tries each transaction alone"):
        act(kit, "twice")
