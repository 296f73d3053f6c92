"""Opens the Solana cluster of the settings, for the kit."""

from __future__ import annotations

from mercato.chains.opening import close_cluster, open_cluster_beside
from mercato.chains.settings import ChainSettings
from mercato.chains.solana import base58
from mercato.chains.solana.keys import SolanaKey
from mercato.chains.solana.model import Address, Receipt, Signer
from mercato.core.clock import Clock
from mercato.core.errors import ConfigError, InvalidInput
from mercato.core.settings import Settings
from mercato.kit.line import Line
from mercato.kit.settings import KitSettings
from mercato.kit.solana.actions import catalogue
from mercato.kit.solana.jupiter import Jupiter
from mercato.kit.solana.keystore import unlock
from mercato.kit.solana.rail import Rail


def line(settings: Settings, clock: Clock) -> Line[Address, Signer, Receipt]:
    """Returns the line to the cluster of the settings, or to the one that this machine serves; ConfigError where none
    answers, or the extra `solana` is missing."""
    cluster = open_cluster_beside(settings.of(ChainSettings))
    if cluster is None:
        raise ConfigError(
            "no cluster answers", hint="start `mercato chains serve-solana`, or set MERCATO_CHAINS_SOLANA_RPC to a node"
        )
    wanted = settings.of(KitSettings)
    rail = Rail(cluster, clock, price=wanted.unit_price)
    router = Jupiter(clock, wanted.jupiter_url, wanted.jupiter_key)
    return Line(rail, catalogue(router), unlock, SolanaKey, account, lambda: close_cluster(cluster))


def account(text: str) -> Address:
    """Returns an address; ConfigError for one of an EVM chain."""
    try:
        return Address(base58.encode(base58.decode(text, 32)))
    except InvalidInput:
        raise ConfigError(f"account was {text!r}", hint="expected 32 bytes in base 58 on this chain") from None
