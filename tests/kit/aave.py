"""Aave v3 as it was deployed, from its npm package: a pool that lends the town's dollar."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from mercato.chains import Address, Deployed, Interface, deploy
from mercato.chains.evm.local import LocalChain
from mercato.chains.model import ZERO
from tests import npm
from tests.kit.ground import DEPLOYER

RAY = 10**27
RATES = [8 * RAY // 10, 0, 4 * RAY // 100, 6 * RAY // 10, 0, 0, 0, 0, RAY // 5]
HERE = "artifacts/contracts"
LIBRARIES = (
    "SupplyLogic", "BorrowLogic", "LiquidationLogic", "EModeLogic", "BridgeLogic", "PoolLogic", "FlashLoanLogic",
    "ConfiguratorLogic",
)  # fmt: skip


@cache
def artefact(path: str) -> Any:
    """Returns a contract's artefact, named by its place below `contracts`."""
    name = Path(path).name
    return json.loads(Path(npm.package("@aave/core-v3"), HERE, f"{path}.sol", f"{name}.json").read_text())


@dataclass(frozen=True)
class Aave:
    """The pool, and its tokens of one reserve: what stands for a loan, and for a debt."""

    pool: Deployed
    lent: Deployed
    owed: Deployed


def linked(path: str, libraries: dict[str, Address]) -> bytes:
    """Returns the creating code with the addresses of its libraries put in."""
    found = artefact(path)
    code = str(found["bytecode"]).removeprefix("0x")
    for names in found["linkReferences"].values():
        for name, places in names.items():
            for place in places:
                start = 2 * place["start"]
                code = code[:start] + libraries[name][2:] + code[start + 40 :]
    return bytes.fromhex(code)


def opened(chain: LocalChain, dollar: Deployed) -> Aave:
    """Deploys a pool with one reserve, which can be lent, pledged and borrowed."""
    libraries: dict[str, Address] = {}

    def made(path: str, *args: object) -> Deployed:
        return deploy(chain, artefact(path)["abi"], linked(path, libraries), *args, sender=DEPLOYER)

    for name in LIBRARIES:
        libraries[name] = made(f"protocol/libraries/logic/{name}").address
    provider = made("protocol/configuration/PoolAddressesProvider", "town", DEPLOYER)
    oracle = made("mocks/oracle/PriceOracle")
    oracle.send("setAssetPrice", dollar.address, 10**8, sender=DEPLOYER)
    for verb, value in (("setPriceOracle", oracle.address), ("setACLAdmin", DEPLOYER)):
        provider.send(verb, value, sender=DEPLOYER)
    rights = made("protocol/configuration/ACLManager", provider.address)
    provider.send("setACLManager", rights.address, sender=DEPLOYER)
    rights.send("addPoolAdmin", DEPLOYER, sender=DEPLOYER)
    provider.send("setPoolImpl", made("protocol/pool/Pool", provider.address).address, sender=DEPLOYER)
    provider.send("setPoolConfiguratorImpl", made("protocol/pool/PoolConfigurator").address, sender=DEPLOYER)

    def at(path: str, address: object) -> Deployed:
        return Deployed(chain, Interface(artefact(path)["abi"]), Address(str(address)))

    pool = at("protocol/pool/Pool", provider.read("getPool"))
    desk = at("protocol/pool/PoolConfigurator", provider.read("getPoolConfigurator"))
    kinds = [made(f"protocol/tokenization/{name}", pool.address).address
             for name in ("AToken", "StableDebtToken", "VariableDebtToken")]  # fmt: skip
    rates = made("protocol/pool/DefaultReserveInterestRateStrategy", provider.address, *RATES)
    names = ["Lent", "LENT", "Owed", "OWED", "Owed at a fixed rate", "FIXED"]
    reserve = (*kinds, 6, rates.address, dollar.address, DEPLOYER, ZERO, *names, b"")
    desk.send("initReserves", [reserve], sender=DEPLOYER)
    desk.send("configureReserveAsCollateral", dollar.address, 8_000, 8_250, 10_500, sender=DEPLOYER)
    desk.send("setReserveBorrowing", dollar.address, True, sender=DEPLOYER)
    held = pool.read("getReserveData", dollar.address)
    lent, owed = ("protocol/tokenization/AToken", held[8]), ("protocol/tokenization/VariableDebtToken", held[10])
    return Aave(pool, at(*lent), at(*owed))
