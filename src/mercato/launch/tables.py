"""The launch room's tables and every query on them. What the chain decides is only mirrored here, to be listed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from mercato.core.errors import Conflict, NotFound
from mercato.launch.application import Application
from mercato.launch.model import Change, Check, Contracts, Launch, LaunchId, Outcome, Phase, Review, Seat
from mercato.launch.scorecard import Scorecard, Verdict
from mercato.launch.states import State, Step
from mercato.store import JSON, U256, Instant, Read, Transaction, metadata

#: A draft does not hold its symbol, or whoever writes drafts could keep all of them; what is over gives it back.
FREE = (State.DRAFT, State.DECLINED, State.ABORTED, State.FAILED)
_HELD = sa.column("state", sa.String).not_in([state.value for state in FREE])

launches = sa.Table(
    "launch_launch",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("state", sa.String(20), nullable=False, index=True),
    sa.Column("symbol", sa.String(20), nullable=False, index=True),
    sa.Column("hash", sa.String(66), nullable=False, unique=True),
    sa.Column("application", JSON, nullable=False),
    sa.Column("simulated", sa.Boolean, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("checks", JSON, nullable=False),
    sa.Column("floor", U256),
    sa.Column("contracts", JSON),
    sa.Column("outcome", JSON),
    sa.Column("demand", U256),
    sa.Column("deposit_settled", sa.Boolean, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("changed_at", Instant, nullable=False),
    sa.Index("uq_launch_launch_held_symbol", "symbol", unique=True, sqlite_where=_HELD, postgresql_where=_HELD),
)

changes = sa.Table(
    "launch_change",
    metadata,
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("launch", sa.String(40), nullable=False, index=True),
    sa.Column("step", sa.String(20), nullable=False),
    sa.Column("before", sa.String(20), nullable=False),
    sa.Column("after", sa.String(20), nullable=False),
    sa.Column("at", Instant, nullable=False),
    sa.Column("block", sa.BigInteger),
)

reviews = sa.Table(
    "launch_review",
    metadata,
    sa.Column("launch", sa.String(40), primary_key=True),
    sa.Column("round", sa.Integer, primary_key=True),
    sa.Column("phase", sa.String(10), nullable=False),
    sa.Column("commit_by", Instant, nullable=False),
    sa.Column("reveal_by", Instant, nullable=False),
    sa.Column("verdict", JSON),
)

seats = sa.Table(
    "launch_seat",
    metadata,
    sa.Column("launch", sa.String(40), primary_key=True),
    sa.Column("round", sa.Integer, primary_key=True),
    sa.Column("reviewer", sa.String(42), primary_key=True),
    sa.Column("commitment", sa.String(64), nullable=False),
    sa.Column("card", JSON),
)


def add(tx: Transaction, launch: Launch) -> None:
    """Writes a new launch; Conflict where the same application is there already."""
    application = launch.application
    if same := tx.execute(sa.select(launches.c.id).where(launches.c.hash == application.hash)).scalar():
        raise Conflict(f"application was handed in before, as {same!r}", hint="change it, or go on with that launch")
    row = {
        "id": launch.id,
        "state": launch.state,
        "symbol": application.symbol,
        "hash": application.hash,
        "application": application.body(),
        "simulated": launch.simulated,
        "reason": launch.reason,
        "checks": [],
        "deposit_settled": False,
        "created_at": launch.created_at,
        "changed_at": launch.changed_at,
    }
    try:
        tx.execute(sa.insert(launches).values(row))
    except sa.exc.IntegrityError:  # somebody handed it in at the same moment
        raise Conflict("application was handed in before", hint="go on with that launch") from None


def hold(tx: Transaction, id: str) -> None:
    """Keeps others from changing a launch or its reviews until the transaction ends; NotFound for an unknown id."""
    if tx.execute(sa.select(launches.c.id).where(launches.c.id == id).with_for_update()).first() is None:
        get(tx, id)


def forget_drafts(tx: Transaction, before: datetime) -> int:
    """Removes drafts that nobody touched since a time; returns how many."""
    old = (launches.c.state == State.DRAFT) & (launches.c.changed_at < before)
    return tx.execute(sa.delete(launches).where(old)).rowcount


def get(session: Read, id: str) -> Launch:
    """Returns a launch by its id; NotFound for any other text."""
    row = session.execute(sa.select(launches).where(launches.c.id == id)).mappings().first()
    if row is None:
        raise NotFound(f"launch was {id!r}, which does not exist", hint="`mercato launch list` names them")
    return _launch(row)


def listing(session: Read, states: Iterable[State] = (), limit: int = 500, *, held: bool = False) -> list[Launch]:
    """Returns the newest launches first, in some states where any are named; `held`: whose deposit was not settled."""
    query = sa.select(launches).order_by(launches.c.created_at.desc(), launches.c.id.desc()).limit(limit)
    if held:
        query = query.where(sa.not_(launches.c.deposit_settled))
    if wanted := list(states):
        query = query.where(launches.c.state.in_(wanted))
    return [_launch(row) for row in session.execute(query).mappings()]


def forget(tx: Transaction) -> int:
    """Removes every simulated launch with all that belongs to it; returns how many there were."""
    gone = sa.select(launches.c.id).where(launches.c.simulated)
    for table in (changes, reviews, seats):
        tx.execute(sa.delete(table).where(table.c.launch.in_(gone)))
    return tx.execute(sa.delete(launches).where(launches.c.simulated)).rowcount


def symbols(session: Read, but: str) -> frozenset[str]:
    """Returns the symbols that launches hold: all but those of one launch, of drafts, and of what is over."""
    query = sa.select(launches.c.symbol).where(launches.c.id != but, launches.c.state.not_in(FREE))
    return frozenset(session.execute(query).scalars())


def move(tx: Transaction, id: str, change: Change, **values: object) -> None:
    """Takes a step in the state that it starts from, with what it brings; Conflict where the launch has left that."""
    row = {"state": change.after, "changed_at": change.at, **values}
    where = sa.update(launches).where(launches.c.id == id, launches.c.state == change.before)
    try:
        moved = tx.execute(where.values(row)).rowcount
    except sa.exc.IntegrityError:
        raise Conflict("symbol was taken by another launch meanwhile", hint="apply with another one") from None
    if not moved:
        raise Conflict(f"launch {id!r} was no longer {change.before.value!r}", hint="look at it again", launch=id)
    tx.execute(sa.insert(changes).values(
        launch=id, step=change.step, before=change.before, after=change.after, at=change.at, block=change.block,
    ))  # fmt: skip


def change(tx: Transaction, id: str, **values: object) -> None:
    """Writes columns of a launch without a step."""
    tx.execute(sa.update(launches).where(launches.c.id == id).values(values))


def history(session: Read, id: str) -> list[Change]:
    """Returns the steps that a launch took, oldest first."""
    query = sa.select(changes).where(changes.c.launch == id).order_by(changes.c.seq)
    return [
        Change(Step(row.step), State(row.before), State(row.after), row.at, row.block) for row in session.execute(query)
    ]


def save_checks(tx: Transaction, id: str, results: Sequence[Check]) -> None:
    """Writes the results of the automatic checks."""
    change(tx, id, checks=[asdict(item) for item in results])


def checks_of(session: Read, id: str) -> tuple[Check, ...]:
    """Returns the results of the last automatic checks; nothing where they were never run."""
    found = session.execute(sa.select(launches.c.checks).where(launches.c.id == id)).scalar()
    return tuple(Check(item["name"], item["passed"], item["reason"]) for item in found or ())


def demand_of(session: Read, id: str) -> int | None:
    """Returns the total demand that was last seen, in quote base units."""
    found: int | None = session.execute(sa.select(launches.c.demand).where(launches.c.id == id)).scalar()
    return found


def add_review(tx: Transaction, id: str, review: Review) -> None:
    """Writes a new round with its empty seats."""
    tx.execute(sa.insert(reviews).values(
        launch=id, round=review.round, phase=review.phase, commit_by=review.commit_by, reveal_by=review.reveal_by,
    ))  # fmt: skip
    rows = [{"launch": id, "round": review.round, "reviewer": item.reviewer, "commitment": ""} for item in review.seats]
    tx.execute(sa.insert(seats), rows)


def rounds(session: Read, id: str) -> tuple[Review, ...]:
    """Returns the rounds of review, oldest first, each with its seats by reviewer."""
    taken = session.execute(sa.select(seats).where(seats.c.launch == id).order_by(seats.c.reviewer)).all()
    by_round: dict[int, list[Seat]] = {}
    for row in taken:
        card = Scorecard.of(row.card) if row.card else None
        by_round.setdefault(row.round, []).append(Seat(row.reviewer, row.commitment, card))
    query = sa.select(reviews).where(reviews.c.launch == id).order_by(reviews.c.round)
    return tuple(
        Review(row.round, Phase(row.phase), row.commit_by, row.reveal_by, tuple(by_round[row.round]),
               _verdict(row.verdict))
        for row in session.execute(query)
    )  # fmt: skip


def due(session: Read, now: datetime) -> list[LaunchId]:
    """Returns the launches in review whose present phase has run out."""
    late = sa.case((reviews.c.phase == Phase.COMMIT, reviews.c.commit_by), else_=reviews.c.reveal_by) <= now
    query = sa.select(reviews.c.launch).where(reviews.c.phase != Phase.DECIDED, late).order_by(reviews.c.launch)
    return [LaunchId(found) for found in session.execute(query).scalars()]


def commit(tx: Transaction, id: str, round: int, reviewer: str, commitment: str) -> None:
    """Writes a seal, once: Conflict where the reviewer has no seat, or sealed another card already."""
    where = (seats.c.launch == id) & (seats.c.round == round) & (seats.c.reviewer == reviewer)
    _seat(tx, where, seats.c.commitment == "", reviewer, commitment=commitment)


def reveal(tx: Transaction, id: str, round: int, reviewer: str, card: Scorecard) -> None:
    """Writes an opened card, once; Conflict where the reviewer sealed none or opened it already."""
    where = (seats.c.launch == id) & (seats.c.round == round) & (seats.c.reviewer == reviewer)
    _seat(tx, where, (seats.c.commitment != "") & seats.c.card.is_(None), reviewer, card=card.body())


def _seat(
    tx: Transaction, where: sa.ColumnElement[bool], ready: sa.ColumnElement[bool], reviewer: str, **values: object
) -> None:
    if not tx.execute(sa.update(seats).where(where, ready).values(values)).rowcount:
        seated = tx.execute(sa.select(seats.c.commitment).where(where)).scalar()
        was = "has no seat" if seated is None else "has done that already" if seated else "has sealed no card"
        raise Conflict(f"reviewer was {reviewer!r}, who {was}", hint="each member of the panel seals and opens once")


def set_phase(tx: Transaction, id: str, round: int, phase: Phase, verdict: Verdict | None = None) -> None:
    """Writes where a round stands, and its verdict once there is one."""
    where = (reviews.c.launch == id) & (reviews.c.round == round)
    values: dict[str, object] = {"phase": phase}
    if verdict is not None:
        body = asdict(verdict) | {"floor_low": str(verdict.floor_low), "floor_high": str(verdict.floor_high)}
        values["verdict"] = body | {"medians": dict(verdict.medians)}
    tx.execute(sa.update(reviews).where(where).values(values))


def put_off(tx: Transaction, id: str, round: int, commit_by: datetime, reveal_by: datetime) -> None:
    """Writes until when a round takes seals and cards."""
    where = (reviews.c.launch == id) & (reviews.c.round == round)
    tx.execute(sa.update(reviews).where(where).values(commit_by=commit_by, reveal_by=reveal_by))


def contracts_body(item: Contracts) -> dict[str, Any]:
    """Returns the contracts of a launch as JSON values."""
    return asdict(item)


def outcome_body(item: Outcome) -> dict[str, str]:
    """Returns an outcome as JSON values; amounts as text."""
    return {name: str(value) for name, value in asdict(item).items()}


def _launch(row: Mapping[Any, Any]) -> Launch:
    outcome, contracts = row["outcome"], row["contracts"]
    return Launch(
        id=LaunchId(row["id"]),
        state=State(row["state"]),
        application=Application.of(row["application"]),
        created_at=row["created_at"],
        changed_at=row["changed_at"],
        simulated=row["simulated"],
        reason=row["reason"],
        floor=row["floor"],
        contracts=Contracts(**contracts) if contracts else None,
        outcome=Outcome(**{name: int(value) for name, value in outcome.items()}) if outcome else None,
    )


def _verdict(body: Mapping[str, Any] | None) -> Verdict | None:
    if body is None:
        return None
    return Verdict(**{**body, "floor_low": int(body["floor_low"]), "floor_high": int(body["floor_high"])})
