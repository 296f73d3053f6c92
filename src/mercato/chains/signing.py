"""Keys of one's own, digests that wallets sign, and who signed: EIP-155, 2930 and 1559, EIP-191, EIP-712 by `typed`.

key = Key.new()
raw = key.transaction({"chainId": 31337, "nonce": 0, "gas": 21000, "maxFeePerGas": 0, "to": ..., "value": 1})
signed_by(personal(b"hello"), key.digest(personal(b"hello")))          key.address
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn

from mercato.chains import rlp
from mercato.chains.addresses import address, keccak
from mercato.chains.errors import BadCall
from mercato.chains.model import Address, Signer
from mercato.chains.transactions import ORDER, recover
from mercato.core.settings import Hidden, Secret

_FIELDS = {
    "type", "chainId", "nonce", "from", "to", "value", "data", "input", "gas", "gasPrice", "maxFeePerGas",
    "maxPriorityFeePerGas", "accessList",
}  # fmt: skip


class Key(Signer):
    """A secp256k1 key in this process's memory. It is never printed, compared by its value, copied out or pickled."""

    __slots__ = ("_key", "address")

    def __init__(self, secret: bytes | Secret) -> None:
        from coincurve import PrivateKey

        number = secret = Hidden(secret if isinstance(secret, bytes) else _unhidden(secret))
        if len(number) != 32 or not 0 < int.from_bytes(number, "big") < ORDER:
            raise BadCall("key was not a number of secp256k1", hint="expected 32 bytes, or 64 hexadecimal digits")
        self._key = PrivateKey(number)
        public = self._key.public_key.format(compressed=False)
        self.address: Address = Address("0x" + keccak(public[1:])[12:].hex())

    @classmethod
    def new(cls) -> Key:
        """Returns a fresh key from the system's randomness."""
        return cls((secrets.randbelow(ORDER - 1) + 1).to_bytes(32, "big"))

    def transaction(self, fields: Mapping[str, object]) -> bytes:
        """Returns a transaction signed and serialised (EIP-2718), its fields named as in JSON-RPC.

        Numbers may be int or 0x text. The type is 2 where nothing else follows from the fields: 0 or 1 with
        `gasPrice`. BadCall where a field is missing, unknown or does not fit.
        """
        kind, body = _serial(fields, self.address)
        chain_id = _number(fields, "chainId")
        prefix = bytes([kind]) if kind else b""
        closing: list[Any] = [] if kind else [chain_id, 0, 0]
        r, s, parity = self._sign(keccak(prefix + rlp.encode([*body, *closing])))
        v = parity if kind else chain_id * 2 + 35 + parity
        return prefix + rlp.encode([*body, v, r, s])

    def digest(self, digest: bytes) -> bytes:
        """Returns the 65-byte signature (r, s, v with v 27 or 28) of a 32-byte digest."""
        r, s, parity = self._sign(digest)
        return r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes([27 + parity])

    def _sign(self, digest: bytes) -> tuple[int, int, int]:
        if len(digest) != 32:
            raise BadCall(f"digest was {len(digest)} bytes long", hint="expected 32; hash the message first")
        made = self._key.sign_recoverable(digest, hasher=None)  # deterministic by RFC 6979, with a low s
        return int.from_bytes(made[:32], "big"), int.from_bytes(made[32:64], "big"), made[64]

    def __repr__(self) -> str:
        return f"Key(of {getattr(self, 'address', 'nobody: it is not made yet')})"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a key is not pickled; hand over the name of its setting instead")


def personal(message: bytes) -> bytes:
    """Returns the digest that a wallet signs for a message that people read (EIP-191, version 0x45)."""
    return keccak(b"\x19Ethereum Signed Message:\n" + str(len(message)).encode() + message)


def signed_by(digest: bytes, signature: bytes) -> Address:
    """Returns who signed a digest; BadCall where the signature is not 65 bytes, or nobody's, or a malleable one."""
    if len(signature) != 65 or signature[64] not in (0, 1, 27, 28):
        raise BadCall(f"signature was 0x{signature[:66].hex()}", hint="expected r, s and v, 65 bytes with v 27 or 28")
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big")
    return recover(digest, signature[64] % 27, r, s)


def unsigned(fields: Mapping[str, object], sender: Address) -> bytes:
    """Returns a transaction serialised without a signature, as a device or another program signs it (EIP-2718).

    BadCall as `Key.transaction`.
    """
    kind, body = _serial(fields, sender)
    return (bytes([kind]) if kind else b"") + rlp.encode(body if kind else [*body, _number(fields, "chainId"), 0, 0])


def _unhidden(secret: Secret) -> bytes:
    try:
        return bytes.fromhex(secret.reveal().removeprefix("0x"))
    except ValueError:
        return b""  # refused by its length, without showing it


def _serial(fields: Mapping[str, object], signer: Address) -> tuple[int, list[Any]]:
    """Returns a transaction's type and its fields in their order, unsigned."""
    if unknown := set(fields) - _FIELDS:
        raise BadCall(
            f"fields of the transaction were {sorted(unknown)!r}", hint=f"known: {', '.join(sorted(_FIELDS))}"
        )
    if fields.get("from") and address(str(fields["from"])) != signer:
        raise BadCall(f"sender was {fields['from']!r}", hint=f"this key signs for {signer}")
    kind = _number(fields, "type") if "type" in fields else _kind(fields)
    to = fields.get("to")
    accesses = fields.get("accessList") or ()
    middle = [_number(fields, "gas"), bytes.fromhex(address(str(to))[2:]) if to else b"", _number(fields, "value", 0)]
    middle.append(_data(fields))
    nonce, chain = _number(fields, "nonce"), _number(fields, "chainId")
    if kind == 0:
        return 0, [nonce, _number(fields, "gasPrice"), *middle]
    if kind == 1:
        return 1, [chain, nonce, _number(fields, "gasPrice"), *middle, _accesses(accesses)]
    if kind == 2:
        tip = _number(fields, "maxPriorityFeePerGas", 0)
        return 2, [chain, nonce, tip, _number(fields, "maxFeePerGas"), *middle, _accesses(accesses)]
    raise BadCall(f"type of the transaction was {kind}", hint="known: 0, 1 and 2")


def _kind(fields: Mapping[str, object]) -> int:
    if "gasPrice" not in fields:
        return 2
    return 1 if "accessList" in fields else 0


def _number(fields: Mapping[str, object], name: str, default: int | None = None) -> int:
    value = fields.get(name, default)
    try:
        number = int(value, 16) if isinstance(value, str) and value.startswith("0x") else value
    except ValueError:
        number = None
    if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number < 2**256:
        raise BadCall(f"{name} of the transaction was {value!r}", hint="expected a whole number, or one as 0x text")
    return number


def _data(fields: Mapping[str, object]) -> bytes:
    value = fields.get("data", fields.get("input", b""))
    try:
        return bytes.fromhex(value.removeprefix("0x")) if isinstance(value, str) else bytes(value)  # type: ignore[call-overload]  # whatever else it is, the next line says so
    except (TypeError, ValueError):
        raise BadCall(f"data of the transaction was {value!r}", hint="expected bytes or 0x text") from None


def _accesses(entries: object) -> list[Any]:
    found = []
    for entry in entries if isinstance(entries, Iterable) else ():
        who, slots = (entry["address"], entry["storageKeys"]) if isinstance(entry, Mapping) else entry
        words = [int(slot, 16) if isinstance(slot, str) else slot for slot in slots]
        found.append([bytes.fromhex(address(who)[2:]), [word.to_bytes(32, "big") for word in words]])
    return found
