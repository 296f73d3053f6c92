"""Providers that are a plain address, as an operator registered them: where they are, and what they offer.

The store holds which file of the data folder has a provider's key, never the key. Functions that write are called
within a `transaction()` of the connection.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from mercato.compute import guarded, roster
from mercato.compute.model import Offer, Provider, ProviderId, Standing
from mercato.core.errors import ConfigError, Conflict, NotFound
from mercato.core.secret import Secret
from mercato.store.bare import Bare

_LISTED = "SELECT provider, key_file, private FROM compute_address ORDER BY provider"
_SAVE = "ON CONFLICT (provider) DO UPDATE SET key_file = excluded.key_file, private = excluded.private"


@dataclass(frozen=True, slots=True)
class Address:
    """A registered provider with what it offers. `key_file` holds its key, "" for none, and is relative to the data
    folder; `private` allows an address that is not public."""

    provider: Provider
    offers: tuple[Offer, ...]
    key_file: str = ""
    private: bool = False


def register(bare: Bare, address: Address, now: datetime) -> Provider:
    """Writes a provider down, its offers beside those of other models that it has; returns it as it stands.

    A known one keeps its standing. Conflict where it was ejected.
    """
    provider = address.provider
    known = roster.one(bare, provider.id)
    if known is not None and known.standing is Standing.EJECTED:
        raise Conflict(f"provider {provider.name!r} was ejected", hint="it cannot come back under this name")
    saved = roster.save(bare, provider, now, "registered")
    new = {offer.model for offer in address.offers}
    kept = [offer for offer in roster.offers(bare, provider.id) if offer.model not in new]
    roster.offer(bare, provider.id, [*kept, *address.offers])
    head = "INSERT INTO compute_address (provider, key_file, private)"
    bare.many(head, [(provider.id, address.key_file, address.private)], _SAVE)
    return saved


def withdraw(bare: Bare, id: ProviderId, model: str) -> int:
    """Takes back a provider's offer of a model, or of all for ""; returns how many it still has. With the last one it
    is asked no more, and is paid what is due all the same. NotFound where it has no such offer."""
    found = [offer for offer in roster.offers(bare, id) if not model or offer.model == model]
    if not bare.run("SELECT 1 FROM compute_address WHERE provider = ?", (id,)) or not found:
        raise NotFound(f"offer was of {model or 'any model'!r:.80}, which is not registered",
                       hint="see `mercato compute providers`")  # fmt: skip
    kept = [offer for offer in roster.offers(bare, id) if offer not in found]
    roster.offer(bare, id, kept)
    if not kept:
        bare.run("DELETE FROM compute_address WHERE provider = ?", (id,))
    return len(kept)


def listed(bare: Bare) -> list[Address]:
    """Returns all that are registered."""
    found = bare.run(_LISTED)
    if not found:
        return []
    known = {each.id: each for each in roster.everyone(bare)}
    return [
        Address(known[name], tuple(roster.offers(bare, name)), key_file, bool(private))
        for name, key_file, private in found
        if name in known
    ]


def secret(key_file: str, home: Path) -> Secret:
    """Returns the key in a file of the data folder, "" for no file; ConfigError where it is not there, or is open to
    others."""
    if not key_file:
        return Secret("")
    path = home / key_file
    try:
        return Secret(guarded.read(path, "key file").decode().strip())
    except (FileNotFoundError, UnicodeDecodeError):
        raise ConfigError(
            f"key file {path} was not readable", hint="write the key there, or register another"
        ) from None
