"""Who is connected to a façade, and what each connection is sent."""

from __future__ import annotations

import json
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from mercato.chains.facade.limits import Limits


class Listener(Protocol):
    """A connection that may have subscribed to something."""

    @property
    def listens(self) -> bool:
        """Whether it did."""


One = TypeVar("One", bound=Listener)


class Audience(ABC, Generic[One]):
    """The connections of a gateway, at most as many as its limits say."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._sessions: set[One] = set()
        self._lock = threading.RLock()

    @abstractmethod
    def session(self, send: Callable[[str], None]) -> One:
        """Returns a new session whose messages go to `send`."""

    def open(self, send: Callable[[str], None]) -> One | None:
        """Returns a session whose messages go to `send`; None where there are as many as there may be."""
        with self._lock:
            if len(self._sessions) >= self.limits.sockets:
                return None
            session = self.session(send)
            self._sessions.add(session)
            return session

    def close(self, session: One) -> None:
        """Forgets a session."""
        with self._lock:
            self._sessions.discard(session)

    @property
    def heard(self) -> bool:
        """Returns whether anybody subscribed to anything."""
        return any(session.listens for session in tuple(self._sessions))


class Outgoing:
    """What one connection is sent, in order. Hold `lock` while telling.

    While a text is answered news are held back, so that a client knows a subscription's id before its first message.
    """

    def __init__(self, send: Callable[[str], None]) -> None:
        self.lock = threading.RLock()
        self._send = send
        self._held: list[str] | None = None

    def tell(self, news: object) -> None:
        """Sends news as JSON, or holds them back."""
        text = json.dumps(news, separators=(",", ":"))
        if self._held is None:
            self._send(text)
        else:
            self._held.append(text)

    def answer(self, make: Callable[[], str | None]) -> None:
        """Sends the answer that `make` gives, if any, then what was held back meanwhile."""
        with self.lock:
            self._held = []
        answered = make()
        with self.lock:
            held, self._held = self._held or [], None
            for message in ([] if answered is None else [answered]) + held:
                self._send(message)
