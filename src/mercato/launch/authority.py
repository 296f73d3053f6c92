"""Who may ask for what over the API: the account concerned signs one plain text that names the act and its object.

The text holds all that matters, and the step that the launch is at, so a copy of it does what was signed and nothing
else: once the launch has moved on, or the day is over, it is void. Contracts sign by ERC-1271.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from mercato.chains import Address
from mercato.chains.messages import signed
from mercato.core.errors import InvalidInput, MercatoError, Refused, Terminal

if TYPE_CHECKING:
    from mercato.launch.service import Launches

ACTIONS = ("apply", "submit", "appeal", "commit", "reveal", "schedule", "abort", "refund", "forfeit")
LASTS = timedelta(days=1)  # long enough for the owners of a contract account to sign one after another


class NotSigned(MercatoError, Refused, Terminal):
    """The statement was not signed by the account that may make it."""

    code = "not-signed"
    status = 403


@dataclass(frozen=True, slots=True)
class Statement:
    """An action about a launch, or about an application's hash, void from `expires` on (Unix seconds).

    `detail` is what else the action takes: a round and a seal, or the second of an opening.
    """

    action: str
    about: str
    expires: int
    detail: str = ""

    def text(self, room: Launches) -> str:
        """Returns the text to sign (EIP-191) as the launch stands now; NotFound without that launch."""
        if self.action not in ACTIONS:
            raise InvalidInput(f"action was {self.action!r}", hint=f"known: {', '.join(ACTIONS)}")
        lines = ["Mercato launch", "", f"Action: {self.action}", f"About: {self.about}"]
        if self.action != "apply":
            lines += [f"State: {room.launch(self.about).state.value}, after {len(room.history(self.about))} steps"]
        lines += [f"Detail: {self.detail}"] if self.detail else []
        until = datetime.fromtimestamp(self.expires, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        lines += [f"Chain: {room.chain.name}", f"Void from: {until}"]
        return "\n".join([*lines, "", "Signing this costs nothing and moves nothing."])


def expiry(room: Launches) -> int:
    """Returns when a statement that is asked for now becomes void, in Unix seconds."""
    return int((room.clock.now() + LASTS).timestamp())


def require(room: Launches, account: str, statement: Statement, signature: str) -> None:
    """Raises NotSigned unless the account signed the statement as it reads now; `signature` is 0x and hexadecimal.

    InvalidInput where the statement is void, or would hold for longer than a day.
    """
    now = int(room.clock.now().timestamp())
    if not now < statement.expires <= expiry(room):
        hint = f"ask for the statement again; it holds until {expiry(room)} at most"
        raise InvalidInput(f"expires was {statement.expires}, now is {now}", hint=hint)
    try:
        octets = bytes.fromhex(signature.removeprefix("0x"))
    except ValueError:
        raise InvalidInput(f"signature was {signature[:80]!r}", hint="expected 0x and hexadecimal digits") from None
    if not signed(room.chain, Address(account.lower()), statement.text(room), octets):
        hint = "sign the statement with that account; when the launch has moved on, ask for the statement again"
        raise NotSigned(f"signature was not that of {account} for this step", hint=hint)
