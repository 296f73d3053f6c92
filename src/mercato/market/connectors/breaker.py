"""A circuit breaker: after too many failures in a row a source is left alone, then tried with one probe.

    state      event      next state
    closed     success    closed       the count of failures starts anew
    closed     failure    closed       counted
    closed     tripped    open         the count reached the threshold
    open       cooled     half-open    the cool-down is over: exactly one call is let through
    half-open  success    closed
    half-open  failure    open         the cool-down doubles, up to an hour

Every other pair is impossible and raises: an open breaker lets no call through, so none can succeed or fail.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from mercato.core.clock import Clock
from mercato.market.connectors.errors import Postponed
from mercato.market.connectors.state import Notebook

State = Literal["closed", "open", "half-open"]
Event = Literal["success", "failure", "tripped", "cooled"]

TRANSITIONS: dict[tuple[State, Event], State] = {
    ("closed", "success"): "closed",
    ("closed", "failure"): "closed",
    ("closed", "tripped"): "open",
    ("open", "cooled"): "half-open",
    ("half-open", "success"): "closed",
    ("half-open", "failure"): "open",
}
LONGEST_COOL_DOWN = 3600.0


@dataclass(frozen=True, slots=True)
class Circuit:
    """Where a breaker stands: failures in a row, and until when it stays open (ISO time)."""

    state: State = "closed"
    failures: int = 0
    open_until: str = ""
    cool_down: float = 0.0


class Breaker:
    """The breaker of one account, kept between runs."""

    def __init__(
        self, account: str, state: Notebook, clock: Clock, *, threshold: int = 5, cool_down: float = 60.0
    ) -> None:
        self.account, self.threshold, self.cool_down = account, threshold, cool_down
        self._state, self._clock = state, clock

    def read(self) -> Circuit:
        """Returns where the breaker stands."""
        kept: dict[str, Any] = dict(self._state.load(f"account:{self.account}").get("breaker", {}))
        return Circuit(**kept)

    def allow(self) -> None:
        """Lets one call through, or raises Postponed with the time of the next probe."""
        circuit = self.read()
        if circuit.state != "open":
            return
        until = datetime.fromisoformat(circuit.open_until)
        if self._clock.now() < until:
            raise Postponed(
                f"{self.account!r} failed {circuit.failures} times in a row and is left alone",
                hint=f"one probe is let through after {circuit.open_until}",
                why="circuit-open",
                account=self.account,
                retry_at=circuit.open_until,
            )
        self._move(circuit, "cooled")

    def succeeded(self) -> None:
        """Records an answer: the circuit closes."""
        circuit = self.read()
        if circuit != Circuit():
            self._move(replace(circuit, failures=0, open_until="", cool_down=0.0), "success")

    def failed(self) -> None:
        """Records a failure; opens the circuit at the threshold, or at once where it was the probe."""
        circuit = self.read()
        circuit = replace(circuit, failures=circuit.failures + 1)
        if circuit.state == "half-open":
            self._open(circuit, "failure")
        elif circuit.failures >= self.threshold:
            self._open(circuit, "tripped")
        else:
            self._move(circuit, "failure")

    def _open(self, circuit: Circuit, event: Event) -> None:
        cool_down = min(LONGEST_COOL_DOWN, 2 * circuit.cool_down or self.cool_down)
        until = self._clock.now() + timedelta(seconds=cool_down)
        self._move(replace(circuit, cool_down=cool_down, open_until=until.isoformat()), event)

    def _move(self, circuit: Circuit, event: Event) -> None:
        name = f"account:{self.account}"
        moved = replace(circuit, state=TRANSITIONS[circuit.state, event])
        self._state.save(name, {**self._state.load(name), "breaker": asdict(moved)})
