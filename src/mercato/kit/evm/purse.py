"""What accounts hold on an EVM chain, for the desk."""

from __future__ import annotations

from mercato.chains import Address, Chain
from mercato.core.chain import Asset
from mercato.kit.errors import BadArgument
from mercato.kit.evm.actions.contracts import ERC20, ask
from mercato.kit.evm.rehearsal import NATIVE


class Purse:
    """Reads balances of the chain's own money and of ERC-20 tokens."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain

    @property
    def name(self) -> str:
        """The chain's CAIP-2 name."""
        return str(self._chain.name)

    @property
    def coin(self) -> str:
        """The CAIP-19 name of the chain's own money."""
        return f"{self._chain.name}/{NATIVE}"

    def balance(self, address: str, asset: str) -> int | None:
        """Returns the base units of an asset; None for items of collections, and where a token does not tell."""
        if asset == self.coin:
            return self._chain.balance(Address(address))
        found = self._ask(asset, "balanceOf", Address(address))
        return found if isinstance(found, int) else None

    def says(self, asset: str) -> str:
        """Returns the symbol that a token gives itself; "" where it gives none."""
        found = self._ask(asset, "symbol")
        return found if isinstance(found, str) else ""

    def _ask(self, asset: str, function: str, *args: object) -> object:
        named = Asset.parse(asset)
        if named.namespace != "erc20":
            return None
        try:
            found: object = ask(self._chain, Address(named.reference), ERC20, function, *args)
        except BadArgument:
            return None
        return found
