"""Signing without a transaction: what is signed is shown decoded, and counts as what whoever has it may do with it.

A permit is an allowance, an authorization is a payment: both are judged, reserved and journaled as such, although
nothing moves yet. Typed data of a kind that is not known here leaves a gap.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mercato.chains import Address, typed
from mercato.chains.addresses import address
from mercato.chains.errors import BadCall
from mercato.chains.signing import personal
from mercato.core.errors import InvalidInput
from mercato.core.events import Json
from mercato.kit.actions import Argument, Catalogue, Ground
from mercato.kit.errors import BadArgument
from mercato.kit.evm.actions.contracts import ask
from mercato.kit.evm.actions.signatures import interface
from mercato.kit.model import Effects, Grant, Message, Move, Payment, Plan

ACTIONS = Catalogue()
TOKEN = Argument("token", "address", "The token's contract.")
DEADLINE = Argument("deadline", "whole", "Until when it can be used, in Unix seconds.")
AMOUNT = Argument("amount", "units", "How much, in the token's base units.")
_TOKEN = interface(
    "name() view returns (string)", "version() view returns (string)", "nonces(address) view returns (uint256)"
)
_PERMIT = (("owner", "address"), ("spender", "address"), ("value", "uint256"), ("nonce", "uint256"),
           ("deadline", "uint256"))  # fmt: skip
_AUTHORIZATION = (("from", "address"), ("to", "address"), ("value", "uint256"), ("validAfter", "uint256"),
                  ("validBefore", "uint256"), ("nonce", "bytes32"))  # fmt: skip
_KNOWN = {
    "Permit": _PERMIT, "TransferWithAuthorization": _AUTHORIZATION, "ReceiveWithAuthorization": _AUTHORIZATION,
}  # fmt: skip


@ACTIONS.action(
    "sign-message", "Signs words as a wallet does (EIP-191), such as those of a sign-in.",
    Argument("message", "text", "The words."), effects="none on a chain: whoever has the signature can show it",
)  # fmt: skip
def sign_message(ground: Ground, message: str) -> Plan:
    """Returns the message to sign."""
    return Plan(message=Message(personal(message.encode()), {"kind": "words", "text": message}, Effects()))


@ACTIONS.action(
    "sign-typed-data", "Signs typed data (EIP-712) and shows what it says.",
    Argument("data", "object", "An object with domain, types, primaryType and message."),
    effects="those of a permit or an authorization, where it is one; otherwise nobody knows, and a rule has to say so",
)  # fmt: skip
def sign_typed_data(ground: Ground, data: Mapping[str, Any]) -> Plan:
    """Returns the message to sign."""
    try:
        digest = typed.digest(data)
    except (BadCall, KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadArgument(f"typed data was {data!r:.120}: {error!s:.120}", hint="see EIP-712") from None
    shown: dict[str, Json] = {"kind": "typed data", "data": _plain(data)}
    return Plan(message=Message(digest, shown, _meant(ground, data)))


@ACTIONS.action(
    "permit", "Signs an allowance that its spender can bring to the token (EIP-2612).",
    TOKEN, Argument("spender", "address", "Who may spend."), AMOUNT, DEADLINE,
    effects="an allowance of `spender`, once it is brought",
)  # fmt: skip
def permit(ground: Ground, token: Address, spender: Address, amount: int, deadline: int) -> Plan:
    """Returns the permit to sign, at the token's present nonce."""
    nonce = ask(ground.chain, token, _TOKEN, "nonces", ground.account)
    words = {"owner": ground.account, "spender": spender, "value": amount, "nonce": nonce, "deadline": deadline}
    return sign_typed_data(ground, _data(ground, token, "Permit", words))


@ACTIONS.action(
    "authorize-transfer", "Signs a payment that anybody can bring to the token (EIP-3009).",
    TOKEN, Argument("to", "address", "Who gets it."), AMOUNT, DEADLINE,
    Argument("nonce", "hex", "32 bytes that were not used before."),
    effects="the amount leaves for `to`, once it is brought",
)  # fmt: skip
def authorize_transfer(ground: Ground, token: Address, to: Address, amount: int, deadline: int, nonce: bytes) -> Plan:
    """Returns the authorization to sign."""
    words = {"from": ground.account, "to": to, "value": amount, "validAfter": 0, "validBefore": deadline,
             "nonce": "0x" + nonce.hex()}  # fmt: skip
    return sign_typed_data(ground, _data(ground, token, "TransferWithAuthorization", words))


def _data(ground: Ground, token: Address, primary: str, words: Mapping[str, Any]) -> dict[str, Any]:
    domain = {
        "name": ask(ground.chain, token, _TOKEN, "name"), "version": ask(ground.chain, token, _TOKEN, "version"),
        "chainId": int(ground.chain.name.reference), "verifyingContract": token,
    }  # fmt: skip
    types = {primary: [{"name": name, "type": kind} for name, kind in _KNOWN[primary]]}
    return {"domain": domain, "types": types, "primaryType": primary, "message": dict(words)}


def _meant(ground: Ground, data: Mapping[str, Any]) -> Effects:
    """Returns what the data lets others do: known where its kind, its members and its chain are."""
    primary, domain, words = data["primaryType"], data["domain"], data["message"]
    members = tuple((item["name"], item["type"]) for item in data["types"].get(primary, ()))
    unknown = Effects(gaps=("nobody here knows what this typed data lets others do",))
    if _KNOWN.get(primary) != members or domain.get("chainId") != int(ground.chain.name.reference):
        return unknown
    try:
        token = address(domain["verifyingContract"])
        asset = f"{ground.chain.name}/erc20:{token}"
        if primary == "Permit":
            return _permitted(ground, token, asset, words) or unknown
        to, units = address(words["to"]), int(words["value"])
    except (KeyError, InvalidInput, ValueError, TypeError):
        return unknown
    if address(words["from"]) != ground.account:
        return unknown
    moves = (Move(asset, -units),) if to != ground.account else ()
    return Effects(moves, (Payment(asset, to, units),) if moves else (), contracts=(token,))


def _permitted(ground: Ground, token: Address, asset: str, words: Mapping[str, Any]) -> Effects | None:
    """Returns the allowance, as if there were none: whoever has the permit uses the present one up before it is
    brought. Its deadline is for bringing it, the allowance has no end."""
    if address(words["owner"]) != ground.account:
        return None
    return Effects(grants=(Grant(asset, address(words["spender"]), 0, int(words["value"])),), contracts=(token,))


def _plain(value: Any) -> Json:
    """Returns JSON with its whole numbers as text."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value if value is None or isinstance(value, bool) else str(value)
