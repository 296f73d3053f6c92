"""Keys of Solana at rest: the seed is encrypted as keys of EVM chains are, beside the name of its curve.

save(path, seed, Secret("a long password"))          unlock(path, Secret("a long password"))
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mercato.chains.solana.keys import SolanaKey
from mercato.chains.solana.model import Address
from mercato.core.errors import ConfigError
from mercato.core.settings import Hidden, Secret
from mercato.kit import keystore

CURVE = "ed25519"


def sealed(seed: bytes, password: Secret, *, n: int = keystore.N) -> keystore.Json:
    """Returns a 32-byte seed encrypted, as JSON; ConfigError for a password that is too short."""
    seed = Hidden(seed)
    return {**keystore.encrypted(seed, password, n=n), "curve": CURVE, "address": SolanaKey(seed).address}


def opened(stored: Mapping[str, Any], password: Secret) -> SolanaKey:
    """Returns the key in JSON of that format; ConfigError where it is none, or the password is wrong."""
    if stored.get("curve") != CURVE:
        raise ConfigError(f"keystore was of the curve {stored.get('curve')!r:.40}", hint=f"Solana wants {CURVE}")
    return SolanaKey(keystore.decrypted(stored, password))


def save(path: Path, seed: bytes, password: Secret, *, n: int = keystore.N) -> Address:
    """Writes a seed to a new file that only this user may read; returns its address. ConfigError where there is one."""
    seed = Hidden(seed)
    stored = sealed(seed, password, n=n)
    keystore.write(path, stored)
    return Address(str(stored["address"]))


def unlock(path: Path, password: Secret) -> SolanaKey:
    """Returns the key in a file; ConfigError where there is none, or the password is wrong."""
    return opened(keystore.read(path), password)
