"""Whatever arguments an agent thinks up: an action is planned and tried, or refused with an error of ours."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercato.chains.errors import BadAnswer
from mercato.chains.solana.lookup import LOOKUP
from mercato.chains.solana.model import SOL, SYSTEM, TOKEN_2022
from mercato.chains.solana.stake import STAKE
from mercato.chains.solana.testing import issue, validator
from mercato.chains.solana.tokens import WRAPPED, associated
from mercato.core.clock import HandClock
from mercato.core.errors import MercatoError
from mercato.kit import Effects, Origin
from mercato.kit.actions import Argument
from mercato.kit.service import Kit
from mercato.kit.solana.actions import catalogue
from mercato.kit.solana.jupiter import Route, Router, Wish
from mercato.kit.testing import NOON
from mercato.store.testing import sqlite_store
from tests.kit.solana.acting import act, opened
from tests.kit.solana.ground import FRIEND, FRIEND_KEY, ME, STRANGER, WALLET, town


class Nobody(Router):
    """Knows no way to trade."""

    def route(self, wish: Wish) -> Route:
        """Returns nothing."""
        raise BadAnswer("nobody trades here", hint="it is a test")


ACTIONS = catalogue(Nobody())
OURS = sorted(ACTIONS.keys() - {"market-price"})  # asks no cluster, but the market room
TEXTS = st.sampled_from(["", "a", "mint", "freeze", "metadata", "é" * 40, "x" * 700, "\x00", "example.org", "a\nb"])


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Kit, list[str]]]:
    """A kit that may do everything, and addresses of every kind that there is."""
    made, store = town(), sqlite_store(tmp_path_factory.mktemp("noise"))
    coin = issue(made.cluster, WALLET, 1_000, program=TOKEN_2022)
    kit = opened(made, store, HandClock(NOON), COIN=coin)
    kit.actions = ACTIONS
    vote = validator(made.cluster, FRIEND_KEY)
    [stake] = act(kit, "stake-create", amount=str(SOL), validator=vote).effects.creations
    [table] = act(kit, "create-lookup-table", addresses=[FRIEND]).effects.creations
    mine = [associated(ME, made.dollar), associated(ME, coin, TOKEN_2022)]
    yield kit, [ME, FRIEND, STRANGER, made.dollar, coin, *mine, vote, stake, table, WRAPPED, SYSTEM, STAKE, LOOKUP]
    store.close()


def values(argument: Argument, addresses: list[str]) -> st.SearchStrategy[Any]:
    """What an argument might be given."""
    address = st.sampled_from(addresses)
    meta = st.fixed_dictionaries({"address": address, "signer": st.booleans(), "writable": st.booleans()})
    data = st.binary(max_size=40).map(lambda octets: "0x" + octets.hex())
    step = st.fixed_dictionaries({"program": address, "accounts": st.lists(meta, max_size=4), "data": data})
    kinds: dict[str, st.SearchStrategy[Any]] = {
        "base58": address, "units": st.sampled_from(["0", "1", "7", str(SOL), str(2**64 - 1), str(2**64), str(2**255)]),
        "whole": st.sampled_from([0, 1, 6, 9, 50, 100, 10_001, 2**63]), "text": TEXTS, "flag": st.booleans(),
        "list": st.lists(st.one_of(address, step, st.integers()), max_size=4),
    }  # fmt: skip
    return kinds[argument.kind]


@pytest.mark.parametrize("name", OURS)
def test_an_action_is_tried_or_refused_with_an_error_of_ours(place: tuple[Kit, list[str]], name: str) -> None:
    kit, addresses = place
    action = ACTIONS[name]
    needed = {item.name: values(item, addresses) for item in action.arguments if not item.optional}
    spared = {item.name: values(item, addresses) for item in action.arguments if item.optional}

    @given(st.fixed_dictionaries(needed, optional=spared))
    def tried(arguments: dict[str, Any]) -> None:
        assert answered(kit, name, arguments)

    tried()


def answered(kit: Kit, name: str, arguments: dict[str, Any]) -> bool:
    """Whether an action came to effects or an answer, or was refused with words and a hint."""
    try:
        if kit.actions[name].reads:
            return kit.read(name, arguments) is not None
        found = kit.propose(kit.intent(name, arguments, origin=Origin.OPERATOR))
        return isinstance(found.ready.effects, Effects)
    except MercatoError as refused:
        return bool(refused.message and refused.hint)
