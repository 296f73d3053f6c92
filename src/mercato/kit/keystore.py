"""Keys at rest: the Web3 Secret Storage format, version 3 (scrypt, AES-128-CTR, Keccak-256 as its checksum).

    save(path, key, Secret("a long password"))          unlock(path, Secret("a long password"))

A key is in this process's memory from `unlock` on, and nowhere else: not in the journal, a log, an error or a reply.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

from mercato.chains import Address, keccak
from mercato.chains.signing import Key
from mercato.core.errors import ConfigError
from mercato.core.settings import Hidden, Secret

N, R, P = 2**18, 8, 1  # what Geth writes: a quarter of a GiB, about a second
MOST_N = 2**20
OCTETS = 10_000
LETTERS = 8  # of a password, at least
CURVE = "secp256k1"  # of keys on EVM chains; files of other programs do not name it
Json = dict[str, Any]


def sealed(key: bytes, password: Secret, *, n: int = N) -> Json:
    """Returns a key of secp256k1 encrypted, as JSON; ConfigError for a password that is too short."""
    key = Hidden(key)
    return {**encrypted(key, password, n=n), "address": Key(key).address[2:]}


def opened(stored: Mapping[str, Any], password: Secret) -> Key:
    """Returns the key in JSON of that format; ConfigError where it is none, or the password is wrong."""
    if stored.get("curve", CURVE) != CURVE:
        raise ConfigError(f"keystore was of the curve {stored['curve']!r:.40}", hint=f"EVM chains want {CURVE}")
    return Key(decrypted(stored, password))


def save(path: Path, key: bytes, password: Secret, *, n: int = N) -> Address:
    """Writes a key to a new file that only this user may read; returns its address. ConfigError where there is one."""
    key = Hidden(key)
    stored = sealed(key, password, n=n)
    write(path, stored)
    return Address("0x" + stored["address"])


def unlock(path: Path, password: Secret) -> Key:
    """Returns the key in a file; ConfigError where there is none, or the password is wrong."""
    return opened(read(path), password)


def encrypted(secret: bytes, password: Secret, *, n: int = N) -> Json:
    """Returns 32 secret bytes encrypted, without an address; ConfigError for a password that is too short."""
    secret = Hidden(secret)
    if len(password.reveal()) < LETTERS:
        raise ConfigError("password was too short", hint=f"at least {LETTERS} letters")
    salt, start = secrets.token_bytes(32), secrets.token_bytes(16)
    derived = _derived(password, salt, n, R, P)
    text = _crypted(derived, start, secret)
    return {
        "version": 3,
        "id": str(uuid4()),
        "crypto": {
            "cipher": "aes-128-ctr",
            "cipherparams": {"iv": start.hex()},
            "ciphertext": text.hex(),
            "kdf": "scrypt",
            "kdfparams": {"n": n, "r": R, "p": P, "dklen": 32, "salt": salt.hex()},
            "mac": keccak(derived[16:32] + text).hex(),
        },
    }


def decrypted(stored: Mapping[str, Any], password: Secret) -> bytes:
    """Returns the secret bytes in JSON of that format; ConfigError where it is none, or the password is wrong."""
    try:
        crypto = stored["crypto"]
        terms = crypto["kdfparams"]
        kinds = (stored["version"], crypto["kdf"], crypto["cipher"], terms["dklen"])
        salt, start = bytes.fromhex(terms["salt"]), bytes.fromhex(crypto["cipherparams"]["iv"])
        text, mac = bytes.fromhex(crypto["ciphertext"]), bytes.fromhex(crypto["mac"])
        n, r, p = (int(terms[name]) for name in "nrp")
    except (KeyError, TypeError, ValueError):
        raise ConfigError("keystore was not readable", hint="expected JSON of Web3 Secret Storage version 3") from None
    sound = len(start) == 16 and len(text) == 32 and 1 < n <= MOST_N and n & (n - 1) == 0 and 0 < r * p <= 64
    if kinds != (3, "scrypt", "aes-128-ctr", 32) or not sound:
        raise ConfigError(f"keystore was of the kind {kinds!r:.80}", hint="expected version 3, scrypt and aes-128-ctr")
    derived = _derived(password, salt, n, r, p)
    if not secrets.compare_digest(keccak(derived[16:32] + text), mac):
        raise ConfigError("keystore did not open", hint="the password is wrong, or the file is damaged")
    return _crypted(derived, start, text)


def write(path: Path, stored: Json) -> None:
    """Writes a keystore to a new file that only this user may read; ConfigError where there is one."""
    try:
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
            json.dump(stored, out, indent=2)
    except FileExistsError:
        raise ConfigError(f"keystore {str(path)!r} is there already", hint="choose another name") from None


def read(path: Path) -> Mapping[str, Any]:
    """Returns what a keystore's file says; ConfigError where there is none."""
    try:
        with path.open("rb") as file:
            stored = json.loads(file.read(OCTETS))
    except (OSError, ValueError):
        raise ConfigError(f"keystore {str(path)!r} was not readable", hint="expected a JSON file") from None
    return stored if isinstance(stored, Mapping) else {}


def _derived(password: Secret, salt: bytes, n: int, r: int, p: int) -> bytes:
    most = 256 * n * r + 2**20
    return Hidden(hashlib.scrypt(password.reveal().encode(), salt=salt, n=n, r=r, p=p, maxmem=most, dklen=32))


def _crypted(derived: bytes, start: bytes, text: bytes) -> bytes:
    from Crypto.Cipher import AES

    cipher = AES.new(derived[:16], AES.MODE_CTR, nonce=b"", initial_value=start)
    return Hidden(cipher.encrypt(text))
