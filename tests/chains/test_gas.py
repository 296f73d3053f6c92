"""Gas that wallets are told to offer: what a real node would count, whichever engine the chain runs on."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mercato.chains import Address, Call, Deployed, Reverted, deploy
from mercato.chains.evm.local import EngineName, LocalChain
from mercato.chains.facade.gas import estimate
from mercato.chains.testing import ACCOUNTS, local
from mercato.contracts import load
from tests.contracts.house import CURATOR, DOLLAR, PEOPLE, House

OWNER, FRIEND = ACCOUNTS[0], ACCOUNTS[1]


def town(engine: EngineName) -> tuple[LocalChain, Deployed]:
    """A chain with a dollar whose slots are as warm as earlier transactions in one process left them."""
    chain, artefact = local(engine), load("test_dollar")
    dollar = deploy(chain, artefact.abi, artefact.bytecode, sender=OWNER)
    for _ in range(3):
        dollar.send("faucet", OWNER, 1000, sender=OWNER)
    return chain, dollar


NAMES = (
    "wei to a person", "a first balance", "a second balance", "a transfer", "all of it, which gives gas back",
    "a contract", "data that nobody reads",
)  # fmt: skip


def calls(dollar: Deployed) -> dict[str, Call]:
    return {
        "wei to a person": Call(OWNER, FRIEND, value=1),
        "a first balance": dollar.call("faucet", FRIEND, 5, sender=OWNER),
        "a second balance": dollar.call("faucet", OWNER, 5, sender=OWNER),
        "a transfer": dollar.call("transfer", FRIEND, 5, sender=OWNER),
        "all of it, which gives gas back": dollar.call("transfer", FRIEND, 3000, sender=OWNER),
        "a contract": Call(OWNER, None, load("test_dollar").bytecode),
        "data that nobody reads": Call(OWNER, Address("0x" + "99" * 20), b"\x00\x01" * 40),
    }


@pytest.mark.parametrize("name", NAMES)
def test_the_fast_chain_tells_what_the_exact_one_tells(name: str) -> None:
    (fast, dollar), (exact, other) = town("pyrevm"), town("py-evm")

    assert estimate(fast, calls(dollar)[name]) == estimate(exact, calls(other)[name])


@pytest.mark.parametrize("name", NAMES)
def test_it_is_enough_on_an_exact_chain_and_hardly_more(name: str) -> None:
    fast, dollar = town("pyrevm")
    call = calls(dollar)[name]
    gas = estimate(fast, call)

    def tried(offered: int) -> bool:
        chain, _ = town("py-evm")
        return chain.simulate([Call(call.sender, call.to, call.data, call.value, offered)])[0].succeeded

    assert tried(gas)
    assert not tried(gas - gas // 50)


def test_measuring_keeps_nothing_and_sees_what_is_new() -> None:
    chain, dollar = town("pyrevm")
    give = dollar.call("faucet", FRIEND, 5, sender=OWNER)
    first = chain.measure(give)
    again = chain.measure(give)
    chain.wait(chain.send(give))
    later = chain.measure(give)

    assert first == again
    assert dollar.read("balanceOf", FRIEND) == 5
    assert later.gas_used < first.gas_used
    assert chain.block().number == 5


def test_what_cannot_succeed_has_no_estimate() -> None:
    chain, dollar = town("pyrevm")

    with pytest.raises(Reverted, match="balance too small"):
        estimate(chain, dollar.call("transfer", OWNER, 1, sender=FRIEND))


def test_a_whole_launch_is_estimated_as_on_the_exact_chain() -> None:
    """Creating from blueprints goes through many nested calls, each of which holds gas back."""
    houses = House(local("pyrevm")), House(local("py-evm"))
    fast, exact = (estimate(one.chain, one.factory.call("create", one.terms(), sender=CURATOR)) for one in houses)

    assert fast == exact


def test_clearing_an_auction_is_estimated_though_its_levels_are_cold() -> None:
    """256 levels were warm in this process for long; a real node reads each of them from its disk."""
    house = House(local("pyrevm"))
    sale = house.launch()
    house.wait_until(sale.terms["opens"])
    house.bid(sale, PEOPLE[0], 10, 40_000 * DOLLAR)
    house.wait_until(sale.terms["closes"])
    clear = sale.auction.call("clear", sender=PEOPLE[1])
    gas = estimate(house.chain, clear)

    assert house.chain.simulate([clear])[0].gas_used < gas
    assert house.chain.measure(replace(clear, gas=gas)).succeeded
    assert not house.chain.measure(replace(clear, gas=gas * 9 // 10)).succeeded
