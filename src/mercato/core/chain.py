"""Names of chains, accounts and assets that mean the same everywhere: CAIP-2, CAIP-10 and CAIP-19.

    eip155:8453                                          a chain (CAIP-2)
    eip155:8453:0x0b3e…                                  an account on it (CAIP-10)
    eip155:8453/erc20:0x0b3e…                            an asset (CAIP-19); /123 at the end names one of a collection

Addresses of eip155 chains are hexadecimal and mean the same in any case, so they are kept in lower case: equal things
have equal text. Everything else keeps its case, because base 58 needs it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from mercato.core.errors import InvalidInput

_NAMESPACE = re.compile(r"[-a-z0-9]{3,8}")
_REFERENCE = re.compile(r"[-_a-zA-Z0-9]{1,32}")
_ADDRESS = re.compile(r"[-.%a-zA-Z0-9]{1,128}")
_ITEM = re.compile(r"[-.%a-zA-Z0-9]{1,78}")
_HEX_ADDRESS = re.compile(r"0x[0-9a-f]{40}")
_HEX_ASSETS = frozenset({"erc20", "erc721", "erc1155"})


@dataclass(frozen=True, slots=True, order=True)
class Chain:
    """A blockchain by its CAIP-2 name."""

    namespace: str
    reference: str

    def __post_init__(self) -> None:
        _check("chain namespace", self.namespace, _NAMESPACE)
        _check("chain reference", self.reference, _REFERENCE)

    @classmethod
    def parse(cls, text: str) -> Chain:
        """Returns the chain of a CAIP-2 name such as `eip155:8453`; InvalidInput for anything else."""
        namespace, reference = _split(text, ":", "chain", "eip155:8453")
        return cls(namespace, reference)

    def __str__(self) -> str:
        return f"{self.namespace}:{self.reference}"


@dataclass(frozen=True, slots=True, order=True)
class Account:
    """An account on a chain by its CAIP-10 name."""

    chain: Chain
    address: str

    def __post_init__(self) -> None:
        _check("account address", self.address, _ADDRESS)
        if self.chain.namespace == "eip155":
            object.__setattr__(self, "address", _hex_address(self.address))

    @classmethod
    def parse(cls, text: str) -> Account:
        """Returns the account of a CAIP-10 name such as `eip155:8453:0x…`; InvalidInput for anything else."""
        chain, address = _split(text, ":", "account", "eip155:8453:0x…", last=True)
        return cls(Chain.parse(chain), address)

    def __str__(self) -> str:
        return f"{self.chain}:{self.address}"


@dataclass(frozen=True, slots=True, order=True)
class Asset:
    """An asset on a chain by its CAIP-19 name. `item` names one of a collection, and is empty for a whole asset."""

    chain: Chain
    namespace: str
    reference: str
    item: str = ""

    def __post_init__(self) -> None:
        _check("asset namespace", self.namespace, _NAMESPACE)
        _check("asset reference", self.reference, _ADDRESS)
        if self.item:
            _check("asset item", self.item, _ITEM)
        if self.chain.namespace == "eip155" and self.namespace in _HEX_ASSETS:
            object.__setattr__(self, "reference", _hex_address(self.reference))

    @classmethod
    def parse(cls, text: str) -> Asset:
        """Returns the asset of a CAIP-19 name such as `eip155:8453/erc20:0x…`; InvalidInput for anything else."""
        example = "eip155:8453/erc20:0x…"
        chain, rest = _split(text, "/", "asset", example)
        namespace, tail = _split(rest, ":", "asset", example)
        reference, slash, item = tail.partition("/")
        if slash and not item:
            raise InvalidInput(f"asset was {text!r}, with nothing after the last '/'", hint="name the item or drop '/'")
        return cls(Chain.parse(chain), namespace, reference, item)

    def __str__(self) -> str:
        return f"{self.chain}/{self.namespace}:{self.reference}" + (f"/{self.item}" if self.item else "")


def _check(what: str, text: str, pattern: re.Pattern[str]) -> None:
    if not pattern.fullmatch(text):
        raise InvalidInput(f"{what} was {text!r}", hint=f"expected text like {pattern.pattern}")


def _split(text: str, mark: str, what: str, example: str, *, last: bool = False) -> tuple[str, str]:
    left, found, right = text.rpartition(mark) if last else text.partition(mark)
    if not found:
        raise InvalidInput(f"{what} was {text!r}, without {mark!r}", hint=f"expected a name like {example!r}")
    return left, right


def _hex_address(text: str) -> str:
    lower = text.lower()
    if not _HEX_ADDRESS.fullmatch(lower):
        raise InvalidInput(f"eip155 address was {text!r}", hint="expected 0x and 40 hexadecimal digits")
    return lower
