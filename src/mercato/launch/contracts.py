"""Our contracts at their addresses: which interface each speaks, and how their creation code is made."""

from __future__ import annotations

from functools import cache

from mercato.chains import Address, Chain, Deployed, Interface
from mercato.contracts import Artifact, load


@cache
def interface(name: str) -> Interface:
    """Returns the interface of one of our contracts, such as `auction`."""
    return Interface(load(name).abi)


def at(chain: Chain, name: str, address: Address) -> Deployed:
    """Returns one of our contracts where it stands."""
    return Deployed(chain, interface(name), address)


def construct(artifact: Artifact, *arguments: object) -> bytes:
    """Returns the code that creates a contract with its constructor's arguments."""
    return interface(artifact.name).construct(artifact.bytecode, *arguments)
