"""Trades, liquidity and wrapping against Uniswap v2, v3 and WETH9 as they were deployed, from their npm packages."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mercato.chains import Address, Deployed, Interface, deploy, typed
from mercato.chains.model import ZERO
from mercato.core.clock import HandClock
from mercato.core.events import Json
from mercato.kit import Move
from mercato.kit.errors import BadArgument, Denied
from mercato.kit.evm.actions.signatures import interface
from mercato.kit.service import Kit
from mercato.store import Store
from tests import npm
from tests.contracts.compiled import hostile
from tests.contracts.house import made
from tests.contracts.uniswap import CORE, PERIPHERY, build
from tests.kit.ground import ANYTHING, DEPLOYER, DIME, ME, NATIVE, WALLET, Town, done, erc20, town

pytestmark = pytest.mark.npm
V3, V3_PERIPHERY, ROUTER02 = "@uniswap/v3-core", "@uniswap/v3-periphery", "@uniswap/swap-router-contracts"
POOL = 1_000_000 * DIME
FOREVER = 2**40
ROOT_ONE = 2**96  # the square root of a price of 1
TICKS = 887_220


@dataclass(frozen=True)
class Exchange:
    """A town with another dollar, and a pool of both."""

    town: Town
    other: Deployed
    weth: Deployed
    router: Deployed
    quoter: Deployed | None = None

    @property
    def names(self) -> tuple[str, str]:
        return self.town.usd, erc20(self.other.address)

    def kit(self, store: Store, clock: HandClock, pair: Address | None = None, **rule: Any) -> Kit:
        assets = {"OTHER": erc20(self.other.address), "WETH": erc20(self.weth.address)}
        assets |= {"PAIR": erc20(pair)} if pair else {}
        spend = {"USD": "any", "ETH": "any", **dict.fromkeys(assets, "any")}
        return self.town.kit(store, clock, self.town.policy({**ANYTHING, "spend": spend, **rule}, assets=assets))


def artefact(package: str, path: str) -> tuple[Any, bytes]:
    """Returns the ABI and the code of a contract in a package's artefacts."""
    name = Path(path).stem
    found = json.loads(Path(npm.package(package), "artifacts/contracts", path, f"{name}.json").read_text())
    return found["abi"], bytes.fromhex(found["bytecode"].removeprefix("0x"))


def built(town: Town, package: str, name: str, *args: object) -> Deployed:
    part = build(package, name)
    return deploy(town.chain, part["abi"], bytes.fromhex(part["bytecode"].removeprefix("0x")), *args, sender=DEPLOYER)


def grounds() -> tuple[Town, Deployed, Deployed]:
    """Returns a town, another dollar, and WETH; the deployer has plenty of both dollars."""
    here = town()
    other = made(here.chain, "test_dollar", sender=DEPLOYER)
    for dollar in (here.dollar, other):
        dollar.send("faucet", DEPLOYER, 10 * POOL, sender=DEPLOYER)
    return here, other, built(here, PERIPHERY, "WETH9")


@pytest.fixture
def v2() -> Exchange:
    here, other, weth = grounds()
    factory = built(here, CORE, "UniswapV2Factory", DEPLOYER)
    router = built(here, PERIPHERY, "UniswapV2Router02", factory.address, weth.address)
    for dollar in (here.dollar, other):
        dollar.send("approve", router.address, 10 * POOL, sender=DEPLOYER)
    both = (here.dollar.address, other.address)
    router.send("addLiquidity", *both, POOL, 2 * POOL, 0, 0, DEPLOYER, FOREVER, sender=DEPLOYER)
    return Exchange(here, other, weth, router)


@pytest.fixture
def v3() -> Exchange:
    here, other, weth = grounds()
    factory = deploy(here.chain, *artefact(V3, "UniswapV3Factory.sol"), sender=DEPLOYER)
    positions = artefact(V3_PERIPHERY, "NonfungiblePositionManager.sol")
    manager = deploy(here.chain, *positions, factory.address, weth.address, ZERO, sender=DEPLOYER)
    routing = artefact(ROUTER02, "SwapRouter02.sol")
    router = deploy(here.chain, *routing, ZERO, factory.address, manager.address, weth.address, sender=DEPLOYER)
    quoting = artefact(V3_PERIPHERY, "lens/QuoterV2.sol")
    quoter = deploy(here.chain, *quoting, factory.address, weth.address, sender=DEPLOYER)
    low, high = sorted((here.dollar.address, other.address))
    manager.send("createAndInitializePoolIfNecessary", low, high, 3_000, ROOT_ONE, sender=DEPLOYER)
    for dollar in (here.dollar, other):
        dollar.send("approve", manager.address, 10 * POOL, sender=DEPLOYER)
    terms = (low, high, 3_000, -TICKS, TICKS, POOL, POOL, 0, 0, DEPLOYER, FOREVER)
    manager.send("mint", terms, sender=DEPLOYER)
    return Exchange(here, other, weth, router, quoter)


def test_wrapping_and_unwrapping_move_as_much_as_they_say(sqlite: Store, clock: HandClock, v2: Exchange) -> None:
    kit, wrapped = v2.kit(sqlite, clock), erc20(v2.weth.address)

    into = done(kit, "wrap", {"token": v2.weth.address, "amount": "1000"})
    assert set(into.effects.moves) == {Move(NATIVE, -1000), Move(wrapped, 1000)}
    back = done(kit, "unwrap", {"token": v2.weth.address, "amount": "400"})
    assert set(back.effects.moves) == {Move(NATIVE, 400), Move(wrapped, -400)}
    assert v2.weth.read("balanceOf", ME) == 600


def selling(v2: Exchange, dollars: int, slippage: int = 50) -> dict[str, Json]:
    return {
        "router": v2.router.address, "sell": v2.town.dollar.address, "buy": v2.other.address,
        "amount": str(dollars * DIME), "slippage_bps": slippage,
    }  # fmt: skip


def test_a_trade_in_a_v2_pair_gives_what_the_router_quoted(sqlite: Store, clock: HandClock, v2: Exchange) -> None:
    usd, other = v2.names
    quoted = v2.router.read("getAmountsOut", 100 * DIME, [v2.town.dollar.address, v2.other.address])[-1]

    act = done(v2.kit(sqlite, clock), "swap-v2", selling(v2, 100))

    assert set(act.effects.moves) == {Move(usd, -100 * DIME), Move(other, quoted)}
    assert act.effects.grants == ()
    assert act.effects.impact_bps == 31  # 30 of the pair's fee, and what 0.01 % of the pair's depth costs


def test_a_trade_that_moves_the_price_too_far_is_refused(sqlite: Store, clock: HandClock, v2: Exchange) -> None:
    kit = v2.kit(sqlite, clock, impact_bps=35)

    done(kit, "swap-v2", selling(v2, 100))
    with pytest.raises(Denied, match="bps worse than the pool's price"):
        done(kit, "swap-v2", selling(v2, 900))


def test_liquidity_goes_into_a_v2_pair_and_comes_out_again(sqlite: Store, clock: HandClock, v2: Exchange) -> None:
    usd, other = v2.names
    of = Interface(build(CORE, "UniswapV2Factory")["abi"])
    factory = Deployed(v2.town.chain, of, Address(v2.router.read("factory")))
    pair = Address(factory.read("getPair", v2.town.dollar.address, v2.other.address))
    v2.other.send("faucet", ME, 1_000 * DIME, sender=DEPLOYER)
    kit = v2.kit(sqlite, clock, pair)
    both: dict[str, Json] = {
        "router": v2.router.address, "first": v2.town.dollar.address, "second": v2.other.address,
    }  # fmt: skip

    put = done(kit, "add-liquidity-v2", {**both, "first_amount": str(100 * DIME), "second_amount": str(900 * DIME)})
    moved = {move.asset: move.units for move in put.effects.moves}
    assert (moved[usd], moved[other]) == (-100 * DIME, -200 * DIME)
    out = done(kit, "remove-liquidity-v2", {**both, "shares": str(moved[erc20(pair)])})
    back = {move.asset: move.units for move in out.effects.moves}
    assert back[erc20(pair)] == -moved[erc20(pair)]
    assert 0 <= 100 * DIME - back[usd] <= 1
    assert 0 <= 200 * DIME - back[other] <= 1


@pytest.mark.parametrize("turned", [False, True])
def test_a_trade_in_a_v3_pool_gives_what_the_quoter_said(
    sqlite: Store, clock: HandClock, v3: Exchange, turned: bool
) -> None:
    assert v3.quoter is not None
    v3.other.send("faucet", ME, 1_000 * DIME, sender=DEPLOYER)
    kit = v3.kit(sqlite, clock)
    (sell, buy), (sold, bought) = ((v3.town.dollar, v3.other), v3.names)
    pairs = [((sell.address, sold), (buy.address, bought)), ((buy.address, bought), (sell.address, sold))]
    (paid, paid_name), (got, got_name) = pairs[turned]
    asked: dict[str, Json] = {
        "quoter": v3.quoter.address, "sell": paid, "buy": got, "amount": str(100 * DIME), "fee": 3_000,
    }  # fmt: skip
    quote = kit.read("quote-v3", asked)
    assert isinstance(quote, dict)

    act = done(kit, "swap-v3", {**asked, "router": v3.router.address})

    assert set(act.effects.moves) == {Move(paid_name, -100 * DIME), Move(got_name, int(str(quote["gets"])))}
    assert act.effects.impact_bps == 31


def test_an_allowance_in_the_routers_multicall_is_found(sqlite: Store, clock: HandClock, v3: Exchange) -> None:
    """A permit that was signed elsewhere is brought by Uniswap's own router, behind a trade that was allowed."""
    dollar, end = v3.town.dollar, v3.town.chain.time() + 600
    names, kinds = ("owner", "spender", "value", "nonce", "deadline"), ("address", "address", *["uint256"] * 3)
    data = {
        "types": {"Permit": [{"name": name, "type": kind} for name, kind in zip(names, kinds, strict=True)]},
        "domain": {"name": "Test Dollar", "version": "1", "chainId": 31337, "verifyingContract": dollar.address},
        "primaryType": "Permit",
        "message": dict(zip(names, (ME, v3.router.address, 10**30, 0, end), strict=True)),
    }
    signed = WALLET.digest(typed.digest(data))
    words = interface("multicall(bytes[])", "selfPermit(address,uint256,uint256,uint8,bytes32,bytes32)")
    permit = words.encode("selfPermit", dollar.address, 10**30, end, signed[64], signed[:32], signed[32:64])
    smuggled: dict[str, Json] = {"to": v3.router.address, "data": "0x" + words.encode("multicall", [permit]).hex()}

    with pytest.raises(Denied, match=f"it allows {10**30} of {v3.town.usd}"):
        done(v3.kit(sqlite, clock), "batch", {"calls": [smuggled]})


def test_a_pool_tells_what_it_holds(sqlite: Store, clock: HandClock, v2: Exchange) -> None:
    both: dict[str, Json] = {"first": v2.town.dollar.address, "second": v2.other.address}
    told: Any = v2.kit(sqlite, clock).read("pool-v2", {"router": v2.router.address, **both})

    assert (told["first_units"], told["second_units"]) == (str(POOL), str(2 * POOL))
    with pytest.raises(BadArgument, match="no pair"):
        v2.kit(sqlite, clock).read("pool-v2", {"router": v2.router.address, **both, "second": v2.weth.address})


def test_a_pool_of_v3_tells_its_price(sqlite: Store, clock: HandClock, v3: Exchange) -> None:
    both: dict[str, Json] = {"first": v3.town.dollar.address, "second": v3.other.address}
    told: Any = v3.kit(sqlite, clock).read("pool-v3", {"router": v3.router.address, **both, "fee": 3000})

    assert (int(told["root_price"]), int(told["first_units"]) > 0) == (ROOT_ONE, True)
    with pytest.raises(BadArgument, match="no pool of 500"):
        v3.kit(sqlite, clock).read("pool-v3", {"router": v3.router.address, **both, "fee": 500})


@pytest.mark.parametrize("barred", [False, True])
def test_what_buying_and_selling_cost_is_measured_at_the_pool(
    sqlite: Store, clock: HandClock, v2: Exchange, barred: bool
) -> None:
    here, units = v2.town, 10**9
    token = hostile(here.chain, "ruled_token", 10**12, sender=DEPLOYER)
    for part in (token, here.dollar):
        part.send("approve", v2.router.address, units, sender=DEPLOYER)
    pair = (token.address, here.dollar.address)
    v2.router.send("addLiquidity", *pair, units, units, 0, 0, DEPLOYER, FOREVER, sender=DEPLOYER)
    asked: dict[str, Json] = {"token": pair[0], "router": v2.router.address, "quote": pair[1]}
    plain: Any = v2.kit(sqlite, clock).read("token-risk", asked)
    token.send("tax", plain["liquidity"]["pool"], 250, 1_000, barred, sender=DEPLOYER)

    told: Any = v2.kit(sqlite, clock).read("token-risk", asked)

    assert plain["tax_bps"] == {"transfer": 0, "buy": 0, "sell": 0}
    assert (plain["liquidity"]["units"], plain["liquidity"]["token_units"]) == (str(units), str(units))
    assert told["tax_bps"] == {"transfer": 0, "buy": 250, "sell": None if barred else 1_000}
    assert ("it cannot be sold to this pool" in told["risks"]) is barred
    assert {item["power"] for item in told["authorities"]} == {"owner", "mint", "pause", "freeze"}
