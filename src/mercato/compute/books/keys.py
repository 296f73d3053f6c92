"""API keys: shown once, kept as SHA-256, with what they are for and what they may spend.

A key is 256 random bits, so its hash needs no salt, and looking a hash up tells nothing about other keys' secrets.
"""

from __future__ import annotations

import json
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from mercato.compute.books.receipts import digest
from mercato.compute.books.words import micros, moment
from mercato.compute.model import KEYS, KeyId, Surface
from mercato.core.clock import Clock
from mercato.core.errors import InvalidInput, NotFound
from mercato.store.bare import Bare

PREFIX = "mk_"
LETTERS = 43  # 256 bits as URL-safe base 64
AGE_SECONDS = 1
REMEMBERED = 4096
_COLUMNS = """id, account, name, made_us, expires_us, revoked_us, scope, cap, spent, reserved, window_cap,
    window_seconds"""


@dataclass(frozen=True, slots=True)
class Scope:
    """What a key may ask for; empty sets allow everything."""

    models: frozenset[str] = frozenset()
    surfaces: frozenset[Surface] = frozenset()
    providers: frozenset[str] = frozenset()

    def allows(self, model: str, surface: Surface) -> bool:
        """Returns whether a request for a model by a surface is within it."""
        return (not self.models or model in self.models) and (not self.surfaces or surface in self.surfaces)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a key may spend: ever, and within each window of so many seconds; None for no limit. In micro-dollars."""

    ever: int | None = None
    window: int | None = None
    seconds: int | None = None

    def __post_init__(self) -> None:
        if (self.window is None) != (self.seconds is None) or (self.seconds is not None and self.seconds < 1):
            raise InvalidInput(f"limit was {self.window!r} in {self.seconds!r} seconds", hint="give both, or none")
        if any(limit is not None and limit < 0 for limit in (self.ever, self.window)):
            raise InvalidInput("limit was below nought", hint="give whole micro-dollars")


@dataclass(frozen=True, slots=True)
class Key:
    """A key as the books know it. `spent` and `reserved` are in micro-dollars."""

    id: KeyId
    account: str
    name: str
    made: datetime
    scope: Scope = field(default_factory=Scope)
    limits: Limits = field(default_factory=Limits)
    expires: datetime | None = None
    revoked: datetime | None = None
    spent: int = 0
    reserved: int = 0

    def holds(self, now: datetime) -> bool:
        """Returns whether it may be used: not revoked, and its time not over."""
        return self.revoked is None and (self.expires is None or now < self.expires)

    @property
    def left(self) -> int | None:
        """Returns what it may still spend, in micro-dollars; None without a limit."""
        return None if self.limits.ever is None else max(self.limits.ever - self.spent - self.reserved, 0)


def make(
    bare: Bare,
    clock: Clock,
    account: str,
    name: str = "",
    *,
    scope: Scope | None = None,
    limits: Limits | None = None,
    expires: datetime | None = None,
) -> tuple[Key, str]:
    """Makes a key for an account; returns it with its secret text, which is kept nowhere."""
    if not 0 < len(account) <= 120 or len(name) > 120 or not (account + name).isprintable():
        raise InvalidInput(f"account was {account!r:.130}, the name {name!r:.130}", hint="at most 120 letters each")
    secret = PREFIX + secrets.token_urlsafe(32)
    scope, limits = scope or Scope(), limits or Limits()
    made = Key(KEYS.new(), account, name, clock.now(), scope, limits, expires)
    row = (
        made.id, digest(secret.encode()), account, name, micros(made.made), expires and micros(expires), _scope(scope),
        limits.ever, 0, 0, limits.window, limits.seconds, 0, 0,
    )  # fmt: skip
    head = """INSERT INTO compute_key (id, hash, account, name, made_us, expires_us, scope, cap, spent, reserved,
        window_cap, window_seconds, slot, slot_used)"""
    with bare.transaction():
        bare.many(head, [row])
    return made, secret


def revoke(bare: Bare, clock: Clock, id: str) -> None:
    """Ends a key; NotFound where there is none of that id. Gateways learn of it within a second."""
    sql = "UPDATE compute_key SET revoked_us = COALESCE(revoked_us, ?) WHERE id = ? RETURNING id"
    with bare.transaction():
        if not bare.run(sql, (micros(clock.now()), id)):
            raise NotFound(f"key was {id!r:.80}, which does not exist", hint="see `mercato compute keys`")


def listed(bare: Bare, account: str = "") -> list[Key]:
    """Returns the keys of an account, or all, oldest first."""
    where, values = (" WHERE account = ?", (account,)) if account else ("", ())
    with bare.read():
        rows = bare.run(f"SELECT {_COLUMNS} FROM compute_key{where} ORDER BY id", values)  # noqa: S608  # our own names
    return [_key(row) for row in rows]


def found(bare: Bare, secret: str) -> Key | None:
    """Returns the key of a secret text; None where there is none."""
    if len(secret) != len(PREFIX) + LETTERS or not secret.startswith(PREFIX) or not secret.isascii():
        return None
    rows = bare.run(f"SELECT {_COLUMNS} FROM compute_key WHERE hash = ?", (digest(secret.encode()),))  # noqa: S608  # our own names
    return _key(rows[0]) if rows else None


class Ring:
    """Keys that were looked up, for a second each: a revoked one is refused at most so much later, and nothing is
    spent by it even then, as the books look at the key again in every reserve. Not safe to share between threads."""

    def __init__(self, tick: Callable[[], float] = time.monotonic) -> None:
        self._tick = tick
        self._known: OrderedDict[str, tuple[float, Key | None]] = OrderedDict()

    def get(self, secret: str) -> tuple[bool, Key | None]:
        """Returns whether the secret was looked up a moment ago, and its key."""
        at, key = self._known.get(digest(secret.encode()), (-2.0 * AGE_SECONDS, None))
        return self._tick() - at < AGE_SECONDS, key

    def put(self, secret: str, key: Key | None) -> None:
        """Remembers what was found for a secret; what was found first goes where there are too many."""
        name = digest(secret.encode())
        self._known[name] = (self._tick(), key)
        self._known.move_to_end(name)
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)


def _scope(scope: Scope) -> str:
    parts = {"models": scope.models, "surfaces": scope.surfaces, "providers": scope.providers}
    return json.dumps({name: sorted(part) for name, part in parts.items() if part})


def _key(row: tuple[Any, ...]) -> Key:
    parts = json.loads(row[6])
    scope = Scope(
        frozenset(parts.get("models", ())), frozenset(Surface(item) for item in parts.get("surfaces", ())),
        frozenset(parts.get("providers", ())),
    )  # fmt: skip
    expires, revoked = (None if us is None else moment(us) for us in row[4:6])
    limits = Limits(row[7], row[10], row[11])
    return Key(KeyId(row[0]), row[1], row[2], moment(row[3]), scope, limits, expires, revoked, row[8], row[9])
