"""Signing in by wallet (ERC-4361): the server writes the message, the wallet signs it, a session begins.

A nonce is good once and for ten minutes. A session is a random token in a cookie that no script can read; the
database keeps its hash, so that a stolen copy of the database opens no session.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from mercato.api import siwe, tables
from mercato.core.clock import Clock
from mercato.core.errors import InvalidInput, MercatoError, Refused, Terminal
from mercato.core.settings import Secret
from mercato.store import Store

PATIENCE = timedelta(minutes=10)  # between asking for a message and signing it
LIFETIME = timedelta(hours=12)
WAITING = 10_000  # nonces at once; the oldest are forgotten
STATEMENT = "Sign in to Mercato. This signature costs nothing and moves nothing."


class Wallets(Protocol):
    """What signing in needs of a chain: its number, the case of an address, and whether an account signed a text."""

    @property
    def chain_id(self) -> int:
        """The chain's EIP-155 number."""

    def checksummed(self, address: str) -> str:
        """Returns an address in its ERC-55 case; InvalidInput for another text."""

    def signed(self, address: str, text: str, signature: bytes) -> bool:
        """Says whether the account signed the text."""


class SignInRefused(MercatoError, Refused, Terminal):
    """The signature is not that of the account, or the message was signed before."""

    code = "sign-in-refused"
    status = 401


class SignInClosed(MercatoError, Refused, Terminal):
    """This server does not know its own name, so it cannot tell for which site a message was signed."""

    code = "sign-in-closed"
    status = 403


@dataclass(frozen=True, slots=True)
class Session:
    """A session that has just begun: the token for the cookie, whose it is, and when it ends."""

    token: Secret
    account: str
    expires_at: datetime


class SignIn:
    """Begins, finds and ends sessions. `account` is always the lower-case address."""

    def __init__(
        self, store: Store, clock: Clock, wallets: Wallets, random: Callable[[int], str] | None = None
    ) -> None:
        self.store, self.clock, self.wallets = store, clock, wallets
        self._random = random or secrets.token_hex

    def challenge(self, account: str, *, domain: str, uri: str) -> str:
        """Returns the message that the account is to sign; its nonce is remembered for ten minutes."""
        now = self.clock.now().replace(microsecond=0)
        message = siwe.SignInMessage(
            domain=domain,
            address=self.wallets.checksummed(account),
            uri=uri,
            chain_id=self.wallets.chain_id,
            nonce=self._random(16),
            issued_at=_written(now),
            statement=STATEMENT,
            expires_at=_written(now + PATIENCE),
        )
        with self.store.transaction() as tx:
            tables.sweep(tx, now)
            tables.add_nonce(tx, message.nonce, now + PATIENCE)
            tables.forget_nonces(tx, WAITING)
        return str(message)

    def begin(self, text: str, signature: bytes, *, domain: str) -> Session:
        """Returns a new session; InvalidInput for a message that is not for here and now, SignInRefused else."""
        message, now = siwe.parse(text, self.wallets.checksummed), self.clock.now()
        siwe.check(message, domain=domain, nonce=message.nonce, now=now)
        if message.chain_id != self.wallets.chain_id:
            hint = f"choose the network with the chain id {self.wallets.chain_id} in the wallet"
            raise InvalidInput(f"chain id was {message.chain_id}", hint=hint)
        account = message.address.lower()
        if not self.wallets.signed(account, text, signature):
            raise SignInRefused(f"signature was not that of {message.address}", hint="sign with the account you chose")
        session = Session(Secret(self._random(32)), account, now + LIFETIME)
        with self.store.transaction() as tx:
            if not tables.take_nonce(tx, message.nonce, now):
                raise SignInRefused(f"nonce was {message.nonce!r}, used or never given out", hint="sign in once more")
            tables.add_session(tx, tables.Held(_hash(session.token), account, session.expires_at))
        return session

    def account(self, token: Secret) -> str | None:
        """Returns whose session a token is; None where it is nobody's."""
        with self.store.read() as session:
            held = tables.session_of(session, _hash(token), self.clock.now())
        return held.account if held else None

    def end(self, token: Secret) -> None:
        """Ends a session; there may be none."""
        with self.store.transaction() as tx:
            tables.end_session(tx, _hash(token))


def _hash(token: Secret) -> str:
    return hashlib.sha256(token.reveal().encode()).hexdigest()


def _written(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
