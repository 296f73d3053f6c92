"""The factory: what it makes is whole, is where it said, and nobody has power over it afterwards."""

from typing import Any

import pytest

from mercato.chains import Address, Reverted
from mercato.chains.addresses import create2_address
from mercato.chains.evm.anvil import Anvil
from mercato.chains.evm.local import EngineName
from mercato.chains.model import ZERO
from mercato.chains.testing import local
from mercato.contracts import load, names
from tests import npm
from tests.contracts.house import (
    CREATOR,
    CURATOR,
    PARTNER,
    PEOPLE,
    TEAM,
    TOKEN,
    TREASURY,
    House,
    allocation,
    at,
    made,
)

STRANGER = PEOPLE[0]
MILLION = 10**6 * TOKEN


@pytest.fixture
def house() -> House:
    return House()


def addresses(house: House, application: bytes) -> list[str]:
    """Returns where the contracts of a launch are, after predicting them."""
    predicted = house.factory.read("predict", application)
    sale = house.launch(application=application)

    assert predicted == (sale.token.address, sale.auction.address, sale.escrow.address)
    return [*predicted, *(vesting.address for vesting in sale.vestings), sale.pool_address]


@pytest.mark.parametrize("application", [b"\x01" * 32, b"\xff" * 32], ids=["ones", "all"])
def test_a_launch_is_where_it_was_predicted_on_either_engine(application: bytes) -> None:
    engines: tuple[EngineName, EngineName] = ("pyrevm", "py-evm")
    found = [addresses(House(local(engine)), application) for engine in engines]

    assert found[0] == found[1]
    assert len(set(found[0])) == 6


@pytest.mark.npm
def test_a_node_puts_a_launch_where_the_embedded_chain_does_for_the_same_gas() -> None:
    program = npm.anvil()
    assert program
    node = Anvil(program)
    try:
        houses = [House(local("py-evm")), House(node)]  # type: ignore[arg-type]  # a node has the same methods
        sales = [house.cleared() for house in houses]
        found = [(sale.token.address, sale.pool_address, sale.receipt.gas_used, sale.pool.read("reserves"))
                 for sale in sales]  # fmt: skip
    finally:
        node.close()

    assert found[0] == found[1]
    assert [sale.state for sale in sales[:1]] == ["LIVE"]


def test_the_address_follows_from_the_application_alone(house: House) -> None:
    predicted = house.factory.read("predict", b"\x05" * 32)
    house.launch(application=b"\x06" * 32)
    sale = house.launch(application=b"\x05" * 32, name="Other", symbol="OTHER", levels=64)

    assert predicted[:2] == (sale.token.address, sale.auction.address)


def test_the_pool_stands_from_the_beginning_and_opens_with_the_auction(house: House) -> None:
    sale = house.cleared()
    pool = next(event.values["pool"] for event in sale.auction.events(house.chain.wait(
        house.chain.block().transactions[0])) if event.name == "Graduated")  # fmt: skip

    assert pool == sale.pool_address
    assert len(house.chain.code(pool)) == 45
    assert house.launch(application=b"\x02" * 32).pool.read("opened_at") == 0


def test_the_supply_is_shared_out_as_approved(house: House) -> None:
    sale = house.launch()
    held = [sale.token.read("balanceOf", to) for to in (sale.auction.address, *(v.address for v in sale.vestings))]

    assert held == [700 * MILLION, 150 * MILLION, 50 * MILLION]
    assert sale.token.read("balanceOf", TREASURY) == 100 * MILLION
    assert sale.token.read("totalSupply") == 1_000 * MILLION
    assert [vesting.read("beneficiary") for vesting in sale.vestings] == [TEAM, PARTNER]
    assert sale.token.read("balanceOf", sale.escrow.address) == 0


def test_the_contracts_know_each_other(house: House) -> None:
    sale = house.launch()

    assert sale.escrow.read("auction") == sale.auction.address
    assert (sale.escrow.read("token"), sale.escrow.read("creator")) == (sale.token.address, CREATOR)
    assert house.graduator.read("escrow_of", sale.auction.address) == sale.escrow.address
    assert (sale.pool.read("token"), sale.pool.read("creator")) == (sale.token.address, CREATOR)
    assert sale.token.read("mover") == sale.auction.address
    assert house.factory.read("auction_of", sale.terms["application"]) == sale.auction.address
    assert house.factory.read("application_of", sale.auction.address) == sale.terms["application"]
    assert house.factory.read("application_of", STRANGER) == bytes(32)


def test_only_the_curator_launches_and_each_application_once(house: House) -> None:
    with pytest.raises(Reverted, match="factory: not the curator"):
        house.factory.send("create", house.terms(), sender=STRANGER)
    house.launch()
    with pytest.raises(Reverted, match="factory: launched already"):
        house.launch()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"application": bytes(32)}, "factory: no application"),
        ({"graduator": STRANGER}, "factory: unknown graduator"),
        ({"supply": 999_999_999 * TOKEN}, "factory: allocations are not the supply"),
        ({"supply": 1_000_000_001 * TOKEN}, "factory: allocations are not the supply"),
        ({"supply": 2**112}, "factory: supply out of range"),
        ({"at_once_bps": 61}, "factory: money at once over the shill bound"),
        ({"lp_bps": 9_801}, "factory: shares over the whole raise"),
        ({"allocations": [allocation(ZERO, 300)]}, "factory: empty allocation"),
        ({"allocations": [allocation(TEAM, 0), allocation(TEAM, 300)]}, "factory: empty allocation"),
        ({"allocations": [allocation(TEAM, 300, gated_bps=1)]}, "factory: gate without prices"),
        ({"allocations": [allocation(TEAM, 300, gated_bps=10_001, duration=1)]}, "vesting: bad terms"),
        ({"sale": 0, "supply": 300_000_000 * TOKEN}, "auction: sale out of range"),
        ({"name": ""}, "token: name missing"),
        ({"opens": 1}, "auction: window out of order"),
    ],
)
def test_terms_that_no_review_may_approve_are_refused(house: House, changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(Reverted, match=reason):
        house.launch(**changes)


def test_after_the_opening_the_curator_has_no_power(house: House) -> None:
    sale = house.launch()
    house.wait_until(sale.terms["opens"])

    with pytest.raises(Reverted, match="auction: too late to abort"):
        sale.auction.send("abort", sender=CURATOR)
    for name in ("go_live", "issue"):
        args = () if name == "go_live" else (CURATOR, [CURATOR], [1])
        with pytest.raises(Reverted, match="token: only"):
            sale.token.send(name, *args, sender=CURATOR)


def test_before_the_opening_the_curator_may_abort(house: House) -> None:
    sale = house.launch()
    with pytest.raises(Reverted, match="auction: only the curator"):
        sale.auction.send("abort", sender=CREATOR)
    sale.auction.send("abort", sender=CURATOR)

    assert sale.state == "ABORTED"


def test_no_contract_has_an_owner() -> None:
    words = ("owner", "admin", "pause", "upgrade", "set_", "withdraw_all", "rescue", "mint_to", "transfer_ownership")
    found = {
        (name, part["name"])
        for name in names()
        for part in load(name).abi
        if part["type"] == "function" and any(word in part["name"] for word in words)
    }

    assert found == set()


def test_an_assembler_assembles_once(house: House) -> None:
    sale = house.launch()

    for address in (house.assembler.address, maker(house, sale.terms["application"])):
        with pytest.raises(Reverted, match="assembler: done already"):
            at(house.chain, "assembler", address).send(
                "assemble", house.terms(), house.dollar.address, ZERO, CURATOR, sender=STRANGER
            )


def maker(house: House, application: bytes) -> Address:
    """Returns the proxy that made a launch's contracts (EIP-1014 over EIP-1167)."""
    pieces = "602d3d8160093d39f3363d3d373d3d3d363d73", house.assembler.address[2:], "5af43d82803e903d91602b57fd5bf3"
    return create2_address(house.factory.address, application, bytes.fromhex("".join(pieces)))


@pytest.mark.parametrize("kind", ["quote", "code"])
def test_a_factory_takes_only_graduators_of_its_quote_token(house: House, kind: str) -> None:
    other = made(house.chain, "test_dollar")
    quote = other.address if kind == "quote" else house.dollar.address
    assembler = STRANGER if kind == "code" else house.assembler.address

    with pytest.raises(Reverted, match=r"factory: (graduator of another quote token|no assembler)"):
        made(house.chain, "launch_factory", assembler, quote, ZERO, CURATOR, [house.graduator.address])


def test_a_platform_takes_five_percent_at_most(house: House) -> None:
    with pytest.raises(Reverted, match="graduator: platform share over 5 %"):
        made(house.chain, "graduator", house.pool_code.address, house.dollar.address, TREASURY, 501)


def test_a_gated_part_needs_a_pool_that_keeps_prices(house: House) -> None:
    assert house.graduator.read("keeps_prices")
    assert house.graduator.read("shill_bound_bps") == 60
    assert House(creator_bps=2_500).graduator.read("shill_bound_bps") == 75
