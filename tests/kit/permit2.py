"""Permit2 as it stands on every chain that has it: its address is proof of its code.

An npm package brings the code as it runs. With the creating code in front it is sent to the deployer that everybody
uses, which puts it where the SHA-3 of all of it says: at another address, it would be another contract.
"""

from __future__ import annotations

import json

from mercato.chains import Address, Call, Deployed
from mercato.chains.evm.local import LocalChain
from mercato.kit.evm.actions.money import PERMIT2
from mercato.kit.evm.actions.signatures import interface
from tests import npm

MAKER = Address("0x3fab184622dc19b6109349b94811493bf2a45362")  # whose first transaction makes the deployer
DEPLOYER = Address("0x4e59b44847b379578588920ca78fbf26c0b4956c")
DEPLOYING = bytes.fromhex(
    "604580600e600039806000f350fe7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe03601600081602082378035"
    "828234f58015156039578182fd5b8082525050506014600cf3"
)
SALT = bytes.fromhex("d3af2663da51c10215000000").rjust(32, b"\0")
CREATING = bytes.fromhex(
    "60c0346100bb574660a052602081017f8cad95687ba82c2ce50e74f7b754645e5117c3a5bec8151c0726d5857980a86681527f9ac997416e8ff9"
    "d2ff6bebeb7149f65cdae5e32e2b90440b566bb3044041d36a60408301524660608301523060808301526080825260a082019180831060018060"
    "401b038411176100a557826040525190206080526123c090816100c1823960805181611b47015260a05181611b210152f35b634e487b7160e01b"
    "600052604160045260246000fd5b600080fd"
    "fe"
)
WORDS = interface(
    "approve(address,address,uint160,uint48)",
    "allowance(address,address,address) view returns (uint160,uint48,uint48)",
    "permit(address,[[address,uint160,uint48,uint48],address,uint256],bytes)",
    "transferFrom(address,address,uint160,address)",
)


def maker(chain: LocalChain) -> Address:
    """Puts the deployer on a chain, and returns its address."""
    chain.fund(MAKER, 10**18)
    chain.wait(chain.send(Call(MAKER, None, DEPLOYING)))
    return DEPLOYER


def opened(chain: LocalChain) -> Deployed:
    """Puts Permit2 on a chain."""
    chain.wait(chain.send(Call(MAKER, maker(chain), SALT + CREATING + _running())))
    assert chain.code(PERMIT2), "the package's code is not Permit2's: it went to another address"
    return Deployed(chain, WORDS, PERMIT2)


def _running() -> bytes:
    return bytes.fromhex(json.loads(npm.lone("@1inch/solidity-utils").read_text())["bytecode"].removeprefix("0x"))
