"""Opens the EVM chain of the settings, for the kit."""

from __future__ import annotations

from mercato.chains import Address, Signer
from mercato.chains.addresses import address
from mercato.chains.model import Receipt
from mercato.chains.opening import close_chain, open_beside
from mercato.chains.settings import ChainSettings
from mercato.chains.signing import Key
from mercato.core.clock import Clock
from mercato.core.errors import ConfigError, InvalidInput
from mercato.core.settings import Settings
from mercato.kit.evm.actions import catalogue
from mercato.kit.evm.rail import Rail
from mercato.kit.keystore import unlock
from mercato.kit.line import Line
from mercato.kit.settings import KitSettings


def line(settings: Settings, clock: Clock) -> Line[Address, Signer, Receipt]:
    """Returns the line to the chain of the settings, or to the one beside; ConfigError where none answers."""
    chain = open_beside(settings.of(ChainSettings), settings.home)
    if chain is None:
        raise ConfigError("no chain answers", hint="start `mercato up`, or set MERCATO_CHAINS_RPC to a node")
    rail = Rail(chain, clock, tip=settings.of(KitSettings).tip_wei)
    return Line(rail, catalogue(), unlock, Key, account, lambda: close_chain(chain))


def account(text: str) -> Address:
    """Returns an address; ConfigError for one of Solana."""
    try:
        return address(text)
    except InvalidInput:
        raise ConfigError(f"account was {text!r}", hint="expected 0x and 40 hexadecimal digits on this chain") from None
