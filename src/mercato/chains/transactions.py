"""Transactions of the types 0 (EIP-155), 1 (EIP-2930) and 2 (EIP-1559): as fields, as bytes, with their sender."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from mercato.chains import rlp
from mercato.chains.addresses import keccak
from mercato.chains.errors import BadCall
from mercato.chains.model import Address, Call, Hash

LIMIT = 131_072  # bytes; what nodes take
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141  # of secp256k1
Accesses = tuple[tuple[Address, tuple[int, ...]], ...]


@dataclass(frozen=True, slots=True)
class Transaction:
    """A transaction with its sender. `max_fee` and `max_tip` are wei per gas; in types 0 and 1 both are the gas price.

    `v`, `r` and `s` are its signature as it was sent, all 0 and `raw` empty where the embedded chain took a sender's
    word. In type 2 and 1 `v` is the parity 0 or 1.
    """

    hash: Hash
    kind: int
    chain_id: int | None
    sender: Address
    nonce: int
    to: Address | None
    value: int
    data: bytes
    gas: int
    max_fee: int
    max_tip: int
    accesses: Accesses = ()
    v: int = 0
    r: int = 0
    s: int = 0
    raw: bytes = b""

    def price(self, base_fee: int) -> int:
        """Returns the wei per gas that it pays in a block of that base fee."""
        return min(self.max_fee, base_fee + self.max_tip)


def unsigned(call: Call, chain_id: int, nonce: int, gas: int) -> Transaction:
    """Returns the transaction of a call whose sender is taken at its word; it pays no fee."""
    to = b"\1" + bytes.fromhex(call.to[2:]) if call.to else b"\0"
    numbers = (number.to_bytes(32, "big") for number in (chain_id, nonce, call.value, gas))
    digest = sha256(b"unsigned" + bytes.fromhex(call.sender[2:]) + b"".join(numbers) + to + call.data)
    return Transaction(
        Hash("0x" + digest.hexdigest()), 2, chain_id, call.sender, nonce, call.to, call.value, call.data, gas, 0, 0
    )


def decode(raw: bytes) -> Transaction:
    """Returns a signed transaction (EIP-2718) with its recovered sender; BadCall where it is not one of the types."""
    if len(raw) > LIMIT:
        raise BadCall(f"transaction was {len(raw)} bytes long", hint=f"at most {LIMIT}")
    kind = raw[0] if raw and raw[0] < 0xC0 else 0
    fields = rlp.decode(raw if kind == 0 else raw[1:])
    count = {0: 9, 1: 11, 2: 12}.get(kind)
    if not raw or count is None or not isinstance(fields, list) or len(fields) != count:
        raise BadCall(f"transaction was 0x{raw[:16].hex()}…", hint="signed ones of the types 0, 1 and 2 are taken")
    return _legacy(raw, fields) if kind == 0 else _typed(raw, kind, fields)


def _legacy(raw: bytes, fields: list[Any]) -> Transaction:
    nonce, price, gas, to, value, data, v, r, s = fields
    mark = _number(v)
    chain_id, parity = ((mark - 35) // 2, (mark - 35) % 2) if mark >= 35 else (None, mark - 27)
    signed = fields[:6] if chain_id is None else [*fields[:6], chain_id, 0, 0]
    sender = recover(keccak(rlp.encode(signed)), parity, _number(r), _number(s))
    return Transaction(
        Hash("0x" + keccak(raw).hex()), 0, chain_id, sender, _number(nonce), _address(to), _number(value), _bytes(data),
        _number(gas), _number(price), _number(price), (), mark, _number(r), _number(s), raw,
    )  # fmt: skip


def _typed(raw: bytes, kind: int, fields: list[Any]) -> Transaction:
    chain_id, nonce, *fees = fields[: kind + 2]
    gas, to, value, data, accesses, v, r, s = fields[kind + 2 :]
    parity = _number(v)
    sender = recover(keccak(bytes([kind]) + rlp.encode(fields[:-3])), parity, _number(r), _number(s))
    return Transaction(
        Hash("0x" + keccak(raw).hex()), kind, _number(chain_id), sender, _number(nonce), _address(to), _number(value),
        _bytes(data), _number(gas), _number(fees[-1]), _number(fees[0]), _accesses(accesses), parity, _number(r),
        _number(s), raw,
    )  # fmt: skip


def recover(digest: bytes, parity: int, r: int, s: int) -> Address:
    """Returns who signed a 32-byte digest; BadCall where the numbers are no signature, or the malleable one (EIP-2)."""
    from coincurve import PublicKey

    if parity not in (0, 1) or not 0 < r < ORDER or not 0 < s <= ORDER // 2:
        raise BadCall(f"signature was (parity {parity}, r {r:#x}, s {s:#x})", hint="expected 0 or 1, r and a low s")
    signature = r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes([parity])
    try:
        key = PublicKey.from_signature_and_message(signature, digest, hasher=None)
    except Exception as error:  # coincurve raises nothing narrower where no key fits
        raise BadCall(f"signature was 0x{signature.hex()}: {error}", hint="nobody can have signed that") from None
    return Address("0x" + keccak(key.format(compressed=False)[1:])[12:].hex())


def _bytes(item: object) -> bytes:
    if not isinstance(item, bytes):
        raise BadCall(f"a field of the transaction was {item!r}", hint="expected bytes, not a list")
    return item


def _number(item: object) -> int:
    data = _bytes(item)
    if len(data) > 32 or data[:1] == b"\0":
        raise BadCall(f"a number of the transaction was 0x{data[:40].hex()}", hint="at most 32 bytes, no leading zero")
    return int.from_bytes(data, "big")


def _address(item: object) -> Address | None:
    data = _bytes(item)
    if len(data) not in (0, 20):
        raise BadCall(f"receiver of the transaction was 0x{data[:40].hex()}", hint="expected 20 bytes or none")
    return Address("0x" + data.hex()) if data else None


def _accesses(item: object) -> Accesses:
    entries = item if isinstance(item, list) else [item]
    found = []
    for entry in entries:
        if not (isinstance(entry, list) and len(entry) == 2 and isinstance(entry[1], list)):
            raise BadCall("access list of the transaction was not a list of pairs", hint="see EIP-2930")
        who = _address(entry[0])
        if who is None:
            raise BadCall("access list of the transaction names no address", hint="see EIP-2930")
        found.append((who, tuple(int.from_bytes(_bytes(slot), "big") for slot in entry[1])))
    return tuple(found)
