"""Providers that an operator registered by their address: taken up, changed and dropped while the gateway runs."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from pathlib import Path

from mercato.compute import addresses
from mercato.compute.addresses import Address
from mercato.compute.gateway.catalogue import Pair
from mercato.compute.gateway.line import Line
from mercato.compute.gateway.upstream import Connections, HttpLine
from mercato.compute.model import ProviderId
from mercato.core.errors import ConfigError
from mercato.core.secret import Secret
from mercato.store.bare import Bare

log = logging.getLogger("mercato.compute.gateway")
_Way = tuple[str, str, bool]


class Registered:
    """One for each worker. `look` reads the store, in any thread; the rest is for the loop's. `most` octets are taken
    of an answer; who is `taken` is served by the settings already, which come first."""

    def __init__(
        self, home: Path, most: int, connections: Mapping[bool, Connections], taken: Collection[ProviderId] = ()
    ) -> None:
        self._home, self._most, self._connections, self._taken = home, most, connections, frozenset(taken)
        self._found: dict[ProviderId, tuple[Address, Secret]] = {}
        self._lines: dict[ProviderId, tuple[_Way, HttpLine]] = {}
        self._told: set[str] = set()

    def look(self, bare: Bare) -> None:
        """Reads who is registered now, with their keys; who has none that can be read is told of once and left out."""
        found = {}
        for address in addresses.listed(bare):
            if address.provider.id in self._taken:
                continue
            try:
                found[address.provider.id] = address, addresses.secret(address.key_file, self._home)
            except ConfigError as error:
                if error.message not in self._told:
                    self._told.add(error.message)
                    log.warning("%s is not asked: %s", address.provider.name, error.message)
        self._found = found

    def pairs(self) -> list[Pair]:
        """Returns who serves what."""
        return [(address.provider, offer) for address, _ in self._found.values() for offer in address.offers]

    def line(self, provider: ProviderId) -> Line | None:
        """Returns the way to a provider, another one where its address or key changed; None for who is not here."""
        if (found := self._found.get(provider)) is None:
            return None
        address, key = found
        way = address.provider.url, key.reveal(), address.private
        known = self._lines.get(provider)
        if known is None or known[0] != way:
            line = HttpLine(way[0], key, connections=self._connections[way[2]], most=self._most)
            known = self._lines[provider] = way, line
        return known[1]
