"""The thread in which a local economy lives: its season first, then what was missed while off, then the present."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Protocol

from mercato.core.errors import MercatoError
from mercato.launch.season.chatter import posts
from mercato.launch.season.economy import Economy
from mercato.launch.season.plan import DAY, HOUR
from mercato.launch.season.progress import Board, Progress
from mercato.launch.season.world import Event, Pace
from mercato.market.model import RawDocument

#: Base units of the dollar: the middle trade of a busy second and of a sleepy half minute.
BUSY_LOT, SLEEPY_LOT = 4 * 10**6, 150 * 10**6
SLEEPY = Pace(30, 300, SLEEPY_LOT)
IDLE = 15  # seconds after which an empty block keeps the chain's time going
log = logging.getLogger("mercato.launch.season")


class Market(Protocol):
    """What the life needs of the market: bring in what the chain has by now, and take a lost season's figures back.

    `source` is what everything is said to be from.
    """

    source: str

    def follow(self) -> None:
        """Brings the pools' logs into the market."""

    def take(self, raw: RawDocument) -> None:
        """Brings in a document that is not from the chain."""

    def forget(self) -> None:
        """Takes back what an earlier season said."""


class Ended(Exception):
    """Someone asked the life to end; raised between two events."""


class Life:
    """Runs an economy in a thread. `looks` says whether somebody looks, so that the street is awake."""

    def __init__(
        self,
        economy: Economy,
        market: Market,
        board: Board,
        *,
        a_second: int = 1000,
        looks: Callable[[], bool] = lambda: True,
        seconds: float = 1.0,
        present: Callable[[], None] = lambda: None,
    ) -> None:
        """`present` is called once, when the season and what was missed are over."""
        self._economy, self._market, self.board = economy, market, board
        self._busy, self._looks, self._seconds = Pace(1, a_second, BUSY_LOT), looks, seconds
        self._stopping = threading.Event()
        self._present, self._followed = present, 0
        self._thread = threading.Thread(target=self._live, name="mercato-season", daemon=True)

    def start(self) -> None:
        """Starts the thread; returns at once."""
        self._thread.start()

    def stop(self, timeout: float = 15.0) -> None:
        """Ends it after the event that is under way."""
        self._stopping.set()
        self._thread.join(timeout)

    def _live(self) -> None:
        try:
            if self._economy.kept.stage == "living":
                self.season()
            self.catch_up()
            self._present()
            while not self._stopping.wait(self._seconds):
                self._turn()
        except Ended:
            return
        except Exception:  # whatever it was, the pages of Mercato outlive its simulation
            log.exception("the local economy stopped")
            self.board.post(Progress("failed", doing="the local economy stopped; see the log"))

    def season(self) -> None:
        """Lives through the season and measures it. Ended where it was asked to end."""
        economy, plan = self._economy, self._economy.plan
        self._market.forget()
        economy.world.begin()
        economy.world.advance(plan.end, Pace(plan.step, plan.profile.trades, plan.profile.lot), self._tell)
        economy.world.settle()
        self.board.post(Progress("measuring", plan.profile.days, plan.profile.days, "the market is measured", 1000))
        self._market.take(posts(plan, self._market.source))
        self._market.follow()
        self._followed = int(time.time()) // HOUR
        economy.is_whole()

    def catch_up(self) -> None:
        """Lives through what was missed while Mercato was off, then lets the clock go."""
        economy, plan = self._economy, self._economy.plan
        if economy.kept.stage == "live":
            economy.world.advance(int(time.time()), Pace(plan.step, plan.profile.trades, plan.profile.lot), self._check)
        economy.clock.go()
        self.board.post(Progress("live"))

    def _turn(self) -> None:
        now, economy = int(time.time()), self._economy
        try:
            if economy.kept.stage == "live":
                economy.world.advance(now, self._busy if self._looks() else SLEEPY, self._check, live=True)
                economy.office.welcome()
            if economy.chain.time() < now - IDLE:
                economy.chain.batch(())
            if now // HOUR != self._followed:
                self._followed = now // HOUR
                self._market.follow()
        except MercatoError as error:  # one bad turn is no reason to stand still for ever
            log.warning("the local economy stumbled: %s", error)

    def _check(self, event: Event) -> None:
        if self._stopping.is_set():
            raise Ended

    def _tell(self, event: Event) -> None:
        self._check(event)
        plan = self._economy.plan
        day, length = (event.at - plan.began) // DAY + 1, plan.end - plan.began
        done = (event.at - plan.began) * 1000 // length
        self.board.post(Progress("living", day, plan.profile.days, event.doing, done))
