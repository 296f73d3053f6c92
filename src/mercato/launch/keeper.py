"""Carries an approved launch over the chain: schedules it, does what is due, and mirrors the auction's state.

The chain decides; the database only remembers what was last seen, so that launches can be listed. Each verb may be
repeated at any time, by any number of processes: what the chain has is looked at first, and a mirror that another
process moved meanwhile is left alone.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta

from mercato.chains import Receipt
from mercato.chains.errors import Unreachable
from mercato.core.clock import Clock
from mercato.core.errors import Conflict, MercatoError
from mercato.launch import tables
from mercato.launch.auctions import Auctions
from mercato.launch.curator import Curator
from mercato.launch.model import Change, Check, Contracts, DemandChanged, Launch, LaunchChanged
from mercato.launch.states import ENDED, ON_CHAIN, TRANSITIONS, State, Step, move, path
from mercato.store import Store, Transaction, emit

#: Ended launches are looked at for this long, because a chain may still take a block back.
UNSETTLED = timedelta(hours=1)
#: How long a declined applicant may appeal before the deposit goes back.
APPEAL_TIME = timedelta(days=14)
log = logging.getLogger("mercato.launch")


class Keeper:
    """Moves launches along on one chain. `curator` says who acts there, Conflict before anything is deployed."""

    def __init__(self, store: Store, clock: Clock, auctions: Auctions, curator: Callable[[], Curator]) -> None:
        self._store, self._clock, self._auctions, self._curator = store, clock, auctions, curator

    def schedule(self, id: str, opens: int) -> Launch:
        """Creates an approved launch on the chain and remembers where; goes on where a killed run stopped."""
        launch = self._launch(id)
        move(launch.state, Step.SCHEDULE)
        made = self._curator().create(launch, opens)
        verified = Check("bytecode", True, "token and auction are of the code that was built, on the terms approved")
        with self._store.transaction() as tx:
            before = [item for item in tables.checks_of(tx, id) if item.name != verified.name]
            tables.save_checks(tx, id, [*before, verified])
            self._step(tx, launch, Step.SCHEDULE, made.block, contracts=tables.contracts_body(made))
        return self.sync(id)

    def abort(self, id: str) -> Launch:
        """Calls a scheduled launch off; Conflict where it is not scheduled, Reverted where the auction has opened."""
        launch = self._launch(id)
        move(launch.state, Step.ABORT)
        self._curator().abort(launch)
        return self.sync(id)

    def keep(self, id: str) -> Receipt | None:
        """Clears, graduates or expires an auction where that is due, and mirrors it; None where nothing was due."""
        launch = self._launch(id)
        if launch.state not in ON_CHAIN:
            return None
        receipt = self._curator().keep(launch)
        self.sync(id)
        return receipt

    def keep_all(self) -> int:
        """Does what is due for every launch on the chain; returns how many transactions that took.

        One launch's fault is logged and does not keep the others waiting; an unreachable chain is raised.
        """
        return self._each(self._under_way(), self.keep)

    def settle_deposits(self) -> int:
        """Gives back the deposits of launches that were scheduled, or declined without an appeal in time."""
        late = self._clock.now() - APPEAL_TIME
        with self._store.read() as session:
            held = tables.listing(session, [State.DECLINED, *ON_CHAIN], held=True)
        wanted = [item.id for item in held if item.state is not State.DECLINED or item.changed_at <= late]
        return self._each(wanted, self.settle_deposit)

    def settle_deposit(self, id: str, *, forfeit: bool = False) -> Receipt | None:
        """Gives a deposit back, or sends it to the treasury; None where none is held."""
        launch = self._launch(id)
        if forfeit and launch.state is not State.DECLINED:
            raise Conflict(f"launch was {launch.state.value!r}", hint="only the deposit of a declined one is forfeited")
        receipt = self._curator().settle_deposit(launch.application, forfeit=forfeit)
        with self._store.transaction() as tx:
            tables.change(tx, id, deposit_settled=True)
        return receipt

    def sync(self, id: str) -> Launch:
        """Mirrors what the chain says of a launch, with an event for every step that it took; returns the launch."""
        launch = self._launch(id)
        if launch.contracts is None:
            return launch
        block = self._auctions.block()
        seen, total = self._auctions.state(launch), self._auctions.total(launch)
        held = self._seen(launch, launch.contracts, seen)
        try:
            with self._store.transaction() as tx:
                self._walk(tx, launch, held, seen, block)
                if tables.demand_of(tx, id) != total:
                    tables.change(tx, id, demand=total)
                    emit(tx, DemandChanged(time=self._clock.now(), launch=id, total=str(total), block=block))
        except Conflict as error:  # another process mirrored it first
            log.info("launch %s was moved by another: %s", id, error)
        return self._launch(id)

    def sync_all(self) -> int:
        """Mirrors every launch on the chain that is not long ended; returns how many there are."""
        return self._each(self._under_way(), self.sync)

    def _each(self, ids: Sequence[str], verb: Callable[[str], object]) -> int:
        """Does something for each launch, logs what fails for one, and returns for how many it had a result."""
        done = 0
        for id in ids:
            try:
                done += verb(id) is not None
            except Unreachable:
                raise
            except MercatoError as error:
                log.warning("launch %s was left for later: %s", id, error)
        return done

    def _under_way(self) -> list[str]:
        since = self._clock.now() - UNSETTLED
        with self._store.read() as session:
            held = tables.listing(session, ON_CHAIN)
        return [item.id for item in held if item.state not in ENDED or item.changed_at >= since]

    def _seen(self, launch: Launch, held: Contracts, seen: State) -> Contracts:
        """Returns the launch's places and times as the chain has them now."""
        pool = held.pool if seen is State.LIVE else None
        if seen is State.LIVE and pool is None:
            pool = self._auctions.pool(launch)
        ends = held.ends if seen is State.ABORTED else self._auctions.ends(launch)
        return replace(held, pool=pool, ends=ends)

    def _walk(self, tx: Transaction, launch: Launch, held: Contracts, seen: State, block: int) -> None:
        """Takes the steps between what was remembered and what is there."""
        places = tables.contracts_body(held)
        if launch.state is seen:
            if held != launch.contracts:
                tables.change(tx, launch.id, contracts=places)
            return
        outcome = self._auctions.outcome(launch)
        values = {"contracts": places, "outcome": tables.outcome_body(outcome) if outcome else None}
        for step in path(launch.state, seen):
            self._step(tx, launch, step, block, **values)
            launch = replace(launch, state=TRANSITIONS[launch.state, step])

    def _step(self, tx: Transaction, launch: Launch, step: Step, block: int, **values: object) -> None:
        now = self._clock.now()
        change = Change(step, launch.state, move(launch.state, step), now, block)
        tables.move(tx, launch.id, change, **values)
        emit(tx, LaunchChanged(time=now, launch=launch.id, step=step, before=change.before, after=change.after))

    def _launch(self, id: str) -> Launch:
        with self._store.read() as session:
            return tables.get(session, id)
