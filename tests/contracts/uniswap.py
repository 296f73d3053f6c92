"""Uniswap v2 as it was deployed, from its npm packages, beside a house whose launches end in its pairs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mercato.chains import Address, Deployed, Interface, deploy
from mercato.chains.model import ZERO
from tests import npm
from tests.contracts.house import CURATOR, TREASURY, House, Sale, made

CORE, PERIPHERY = "@uniswap/v2-core", "@uniswap/v2-periphery"
PAIR_FEE_BPS = 30
DEAD = 1_000


def build(package: str, name: str) -> Any:
    """Returns the artefact of a contract: its ABI and its code."""
    return json.loads(Path(npm.package(package), "build", f"{name}.json").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class V2:
    """The house, Uniswap's factory and router, and the graduator that uses them."""

    house: House
    factory: Deployed
    router: Deployed
    locker: Deployed
    graduator: Deployed
    launches: Deployed

    def launch(self, **changes: Any) -> Sale:
        """Creates a launch that ends in a pair; nothing of it is gated by prices, which a pair keeps otherwise."""
        plain = {"graduator": self.graduator.address, "at_once_bps": PAIR_FEE_BPS, "supply": 700_000_000 * 10**18}
        return self.house.launch(factory=self.launches, **plain, allocations=[], **changes)

    def pair(self, sale: Sale) -> Deployed:
        """Returns the pair of a launch."""
        address = self.factory.read("getPair", sale.token.address, self.house.dollar.address)
        return Deployed(self.house.chain, Interface(build(CORE, "UniswapV2Pair")["abi"]), Address(address))

    def squat(self, sale: Sale, sender: Address) -> Deployed:
        """Creates the pair before the auction does."""
        self.factory.send("createPair", sale.token.address, self.house.dollar.address, sender=sender)
        return self.pair(sale)

    def reserves(self, sale: Sale) -> tuple[int, int]:
        """Returns the pair's reserves of token and quote."""
        first, second, _ = self.pair(sale).read("getReserves")
        return (first, second) if sale.token.address < self.house.dollar.address else (second, first)


def opened(house: House | None = None) -> V2:
    """Deploys Uniswap v2 and a graduator into it."""
    house = house or House()
    chain = house.chain
    parts = [build(CORE, "UniswapV2Factory"), build(PERIPHERY, "UniswapV2Router02")]
    code = [bytes.fromhex(part["bytecode"].removeprefix("0x")) for part in parts]
    factory = deploy(chain, parts[0]["abi"], code[0], CURATOR, sender=CURATOR)
    router = deploy(chain, parts[1]["abi"], code[1], factory.address, ZERO, sender=CURATOR)
    locker = made(chain, "locker")
    graduator = made(chain, "graduator_v2", factory.address, locker.address, house.dollar.address, TREASURY, 200)
    return V2(house, factory, router, locker, graduator, house.factory_with(house.graduator, graduator))
