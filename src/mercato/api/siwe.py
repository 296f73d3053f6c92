"""The message that a wallet signs to sign in (ERC-4361): its text, read strictly, and what must hold of it.

    service.org wants you to sign in with your Ethereum account:
    0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2

    Read the terms: https://service.org/tos

    URI: https://service.org/login
    Version: 1
    Chain ID: 1
    Nonce: 32891757
    Issued At: 2021-09-30T16:25:24.000Z

What is not exactly of this form is refused: a message that two readers may read in two ways is a message to two sites.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mercato.core.errors import InvalidInput

LONGEST = 4000  # characters; a message of ours has about 300
INVITATION = " wants you to sign in with your Ethereum account:"
_HOST = r"(?:\[[0-9A-Fa-f:.]+\]|(?:[A-Za-z0-9._~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+)"
_AUTHORITY = rf"(?:(?:[A-Za-z0-9._~!$&'()*+,;=:-]|%[0-9A-Fa-f]{{2}})*@)?{_HOST}(?::[0-9]{{1,5}})?"
_URI = r"[A-Za-z][A-Za-z0-9+.-]*:(?:[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+"
_TIME = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?(?:Z|[+-][0-9]{2}:[0-9]{2})"
_FORM = re.compile(
    rf"(?:(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://)?(?P<domain>{_AUTHORITY}){re.escape(INVITATION)}\n"
    r"(?P<address>0x[0-9a-fA-F]{40})\n\n"
    r"(?:(?P<statement>[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;= -]+)\n)?\n"
    rf"URI: (?P<uri>{_URI})\n"
    r"Version: (?P<version>1)\n"
    r"Chain ID: (?P<chain_id>[0-9]{1,20})\n"
    r"Nonce: (?P<nonce>[A-Za-z0-9]{8,128})\n"
    rf"Issued At: (?P<issued_at>{_TIME})"
    rf"(?:\nExpiration Time: (?P<expires_at>{_TIME}))?"
    rf"(?:\nNot Before: (?P<not_before>{_TIME}))?"
    r"(?:\nRequest ID: (?P<request_id>(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})*))?"
    rf"(?:\nResources:(?P<resources>(?:\n- {_URI})*))?"
)


@dataclass(frozen=True, slots=True)
class SignInMessage:
    """What an account agrees to by signing. Times are kept as they were written; `address` has its ERC-55 case."""

    domain: str
    address: str
    uri: str
    chain_id: int
    nonce: str
    issued_at: str
    statement: str | None = None
    expires_at: str | None = None
    not_before: str | None = None
    request_id: str | None = None
    resources: tuple[str, ...] | None = None
    scheme: str | None = None

    def __str__(self) -> str:
        origin = f"{self.scheme}://{self.domain}" if self.scheme else self.domain
        said = "" if self.statement is None else f"{self.statement}\n"
        lines = [
            f"{origin}{INVITATION}\n{self.address}\n\n{said}\nURI: {self.uri}\nVersion: 1\nChain ID: {self.chain_id}",
            f"Nonce: {self.nonce}\nIssued At: {self.issued_at}",
        ]
        named = {"Expiration Time": self.expires_at, "Not Before": self.not_before, "Request ID": self.request_id}
        lines += [f"{name}: {value}" for name, value in named.items() if value is not None]
        if self.resources is not None:
            lines.append("\n- ".join(("Resources:", *self.resources)))
        return "\n".join(lines)


def parse(text: str, checksummed: Callable[[str], str]) -> SignInMessage:
    """Returns the message that a text is; InvalidInput for any other text. `checksummed` gives an address its case."""
    if len(text) > LONGEST:
        raise InvalidInput(f"message had {len(text)} characters", hint=f"a message has at most {LONGEST}")
    found = _FORM.fullmatch(text)
    if found is None:
        raise InvalidInput("message was not of the form of ERC-4361", hint="sign the text exactly as it was given")
    parts: dict[str, Any] = found.groupdict()
    if checksummed(parts["address"]) != parts["address"]:
        raise InvalidInput(f"address was {parts['address']!r}", hint="write it with the mixed case of ERC-55")
    for name in ("issued_at", "expires_at", "not_before"):
        if parts[name] is not None:
            moment(parts[name])
    listed = parts["resources"]
    parts |= {"chain_id": int(parts["chain_id"]), "resources": None if listed is None else _items(listed)}
    parts.pop("version")
    return SignInMessage(**parts)


def _items(listed: str) -> tuple[str, ...]:
    return tuple(line.removeprefix("- ") for line in listed.split("\n")[1:])


def moment(text: str) -> datetime:
    """Returns the moment that a time of RFC 3339 names; InvalidInput where there is no such day or hour."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInput(f"time was {text!r}", hint="write it as 2026-01-31T12:00:00Z") from None


def check(message: SignInMessage, *, domain: str, nonce: str, now: datetime) -> None:
    """Raises InvalidInput unless the message is for this site, carries this nonce and is valid now."""
    if message.domain != domain:
        raise InvalidInput(f"message was for {message.domain!r}", hint=f"this is {domain!r}; sign in there instead")
    if message.nonce != nonce:
        raise InvalidInput(f"nonce was {message.nonce!r}", hint="ask for a new message and sign that")
    if message.expires_at is not None and moment(message.expires_at) <= now:
        raise InvalidInput(f"message ended at {message.expires_at}", hint="ask for a new message and sign that")
    if message.not_before is not None and now < moment(message.not_before):
        raise InvalidInput(f"message begins at {message.not_before}", hint="wait, or sign one that begins now")
