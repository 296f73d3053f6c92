"""Bids by signature alone: the bidder signs a transfer to the auction (ERC-3009), anybody brings it and pays the gas.

The transfer's nonce is the hash of the auction, the bidder and the level, so that whoever brings it can bid nothing
else with it. The quote token names itself in the signed data (EIP-712): a wallet shows sum, recipient and last moment.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

from mercato.chains import Address, Chain, Deployed
from mercato.core.errors import InvalidInput

WORD = {"type": "uint256"}
DOMAIN = [
    {"name": "name", "type": "string"},
    {"name": "version", "type": "string"},
    {"name": "chainId", **WORD},
    {"name": "verifyingContract", "type": "address"},
]
TRANSFER = [
    {"name": "from", "type": "address"},
    {"name": "to", "type": "address"},
    {"name": "value", **WORD},
    {"name": "validAfter", **WORD},
    {"name": "validBefore", **WORD},
    {"name": "nonce", "type": "bytes32"},
]


@dataclass(frozen=True, slots=True)
class Authorization:
    """What a bidder signs with `eth_signTypedData_v4`: `typed` is for the wallet, the rest is brought with the bid.

    `valid_before` is the second of chain time at which the signature ends, `salt` 32 bytes.
    """

    bidder: Address
    level: int
    amount: int
    salt: bytes
    valid_before: int
    typed: dict[str, Any]


def authorization(
    chain: Chain, auction: Deployed, quote: Deployed, bidder: Address, level: int, amount: int, valid_before: int
) -> Authorization:
    """Returns the transfer to sign for a bid; a fresh salt lets a bidder bid on the same level again."""
    salt = secrets.token_bytes(32)
    nonce = auction.read("authorization_nonce", bidder, level, salt)
    typed = {
        "domain": {
            "name": quote.read("name"),
            "version": quote.read("version"),
            "chainId": int(chain.name.reference),
            "verifyingContract": quote.address,
        },
        "types": {"EIP712Domain": DOMAIN, "ReceiveWithAuthorization": TRANSFER},
        "primaryType": "ReceiveWithAuthorization",
        "message": {
            "from": bidder,
            "to": auction.address,
            "value": str(amount),
            "validAfter": "0",
            "validBefore": str(valid_before),
            "nonce": "0x" + nonce.hex(),
        },
    }
    return Authorization(bidder, level, amount, salt, valid_before, typed)


def parts(signature: bytes) -> tuple[int, bytes, bytes]:
    """Returns v, r and s of a 65-byte signature; InvalidInput for another length."""
    if len(signature) != 65:
        raise InvalidInput(f"signature was {len(signature)} bytes long", hint="expected 65: r, s and v")
    v = signature[64]
    return (v + 27 if v < 27 else v), signature[:32], signature[32:64]
