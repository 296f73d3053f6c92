"""A node's Ed25519 key (RFC 8032) and the file that keeps it: PKCS #8 in PEM, readable by its owner only.

The file has no password, since a node starts by itself after a power cut; whoever can read it can offer in its name.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from mercato.compute import guarded
from mercato.core.errors import ConfigError

if TYPE_CHECKING:
    from mercato.compute.books.receipts import Signer

_PUBLIC, _SIGNATURE = re.compile(r"[0-9a-f]{64}"), re.compile(r"[0-9a-f]{128}")


class NodeKey:
    """The key that a node signs with. It is not printed, pickled or copied; `public` names it to others."""

    __slots__ = ("_key", "public")

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.public: str = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()

    @classmethod
    def new(cls) -> NodeKey:
        """Returns a key that nobody else has."""
        return cls(Ed25519PrivateKey.generate())

    def sign(self, purpose: str, message: bytes) -> str:
        """Returns the signature as 128 letters of hexadecimal; one made for a purpose is worth nothing for another."""
        return self._key.sign(_framed(purpose, message)).hex()

    def signer(self) -> Signer:
        """Returns what signs receipts with this key, as the gateway's own key signs them."""
        from mercato.compute.books.receipts import Signer

        return Signer(self._key.private_bytes_raw())

    def pem(self) -> bytes:
        """Returns the secret key as PEM, for the one file that keeps it."""
        return self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    def __repr__(self) -> str:
        return f"NodeKey({self.public[:12]}…)"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a node's key is not pickled; hand over the path of its file instead")


def verifies(public: str, purpose: str, message: bytes, signature: str) -> bool:
    """Returns whether the key made the signature; False for text that is no key or no signature."""
    if not _PUBLIC.fullmatch(public) or not _SIGNATURE.fullmatch(signature):
        return False
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public))
        key.verify(bytes.fromhex(signature), _framed(purpose, message))
    except (InvalidSignature, ValueError):
        return False
    return True


def opened(path: Path) -> NodeKey:
    """Returns the key in a file, made now where there is none.

    ConfigError where others may read it, or where it is no Ed25519 key: a node does not go on under another name.
    """
    try:
        text = guarded.read(path, "key file", links=False)
    except FileNotFoundError:
        return _made(path)
    try:
        key = load_pem_private_key(text, password=None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise ConfigError(f"key file {str(path)!r} held no Ed25519 key", hint="restore it, or move it away")
    return NodeKey(key)


def _made(path: Path) -> NodeKey:
    key = NodeKey.new()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(key.pem())
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(part, path)  # unlike a rename, this fails where another process was first
    except FileExistsError:
        return opened(path)
    finally:
        part.unlink()
    return key


def _framed(purpose: str, message: bytes) -> bytes:
    return b"mercato " + purpose.encode() + b" v1\n" + message
