"""What accounts hold on a Solana cluster, for the desk."""

from __future__ import annotations

from mercato.chains.solana.model import Address, Cluster
from mercato.chains.solana.tokens import token_account
from mercato.core.chain import Asset
from mercato.kit.errors import BadArgument
from mercato.kit.solana.actions.holdings import Token, token_of
from mercato.kit.solana.changes import NATIVE


class Purse:
    """Reads SOL, and what an owner keeps of a token where owners do by convention, of both token programs."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    @property
    def name(self) -> str:
        """The cluster's CAIP-2 name."""
        return str(self._cluster.name)

    @property
    def coin(self) -> str:
        """The CAIP-19 name of SOL there."""
        return f"{self._cluster.name}/{NATIVE}"

    def balance(self, address: str, asset: str) -> int | None:
        """Returns the base units of an asset; None where there is no such token."""
        owner = Address(address)
        if asset == self.coin:
            return self._cluster.balance(owner)
        token = self._token(asset)
        if token is None:
            return None
        held = token_account(self._cluster.accounts([token.kept_by(owner)])[0])
        return held.amount if held and held.owner == owner else 0

    def says(self, asset: str) -> str:
        """Returns the symbol that a token of Token-2022 gives itself; "" where it gives none."""
        token = self._token(asset)
        return token.rules.metadata.symbol if token and token.rules.metadata else ""

    def _token(self, asset: str) -> Token | None:
        named = Asset.parse(asset)
        if named.namespace != "token":
            return None
        try:
            return token_of(self._cluster, Address(named.reference))
        except BadArgument:
            return None
