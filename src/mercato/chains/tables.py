"""The room's tables and every query on them: what is watched, heads of blocks, logs.

Heads are kept for every block near the tip, to find where a fork began, and further back only where logs are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from mercato.chains.model import Address, Block, Hash, Log, LogQuery, Watch
from mercato.store import JSON, Read, Transaction, metadata

TOPICS = 4

watch = sa.Table(
    "chains_watch",
    metadata,
    sa.Column("chain", sa.String(48), primary_key=True),
    sa.Column("name", sa.String(120), primary_key=True),
    sa.Column("first", sa.BigInteger, nullable=False),
    sa.Column("addresses", JSON, nullable=False),
    sa.Column("topics", JSON, nullable=False),
    # The first block that was not read yet; a worker that finds another value than it read has lost its turn.
    sa.Column("next", sa.BigInteger, nullable=False),
)

block = sa.Table(
    "chains_block",
    metadata,
    sa.Column("chain", sa.String(48), primary_key=True),
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("hash", sa.LargeBinary(32), nullable=False),
    sa.Column("parent", sa.LargeBinary(32), nullable=False),
    sa.Column("time", sa.BigInteger, nullable=False),
)

log = sa.Table(
    "chains_log",
    metadata,
    sa.Column("chain", sa.String(48), primary_key=True),
    sa.Column("block", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("place", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("tx", sa.LargeBinary(32), nullable=False),
    sa.Column("address", sa.String(42), nullable=False),
    *(sa.Column(f"topic{number}", sa.LargeBinary(32)) for number in range(TOPICS)),
    sa.Column("data", sa.LargeBinary, nullable=False),
)
sa.Index("ix_chains_log_address", log.c.chain, log.c.address, log.c.topic0, log.c.block)
sa.Index("ix_chains_log_topic", log.c.chain, log.c.topic0, log.c.block)


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a block that was read: enough to know it again, and when it was made."""

    number: int
    hash: Hash
    parent: Hash
    time: int


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a chain was read: each watch with its next block, and the newest block that is kept."""

    cursors: tuple[tuple[Watch, int], ...]
    newest: Head | None


def put_watch(tx: Transaction, chain: str, wanted: Watch) -> bool:
    """Writes a watch down, to be read from its first block; returns False where the same one is there already."""
    found = next((kept for kept, _ in progress(tx, chain, lock=True).cursors if kept.name == wanted.name), None)
    if found == wanted:
        return False
    drop_watch(tx, chain, wanted.name)
    row = {
        "addresses": sorted(wanted.addresses),
        "topics": [sorted(topic.hex() for topic in accepted) for accepted in wanted.topics],
        "chain": chain, "name": wanted.name, "first": wanted.first, "next": wanted.first,
    }  # fmt: skip
    tx.execute(sa.insert(watch).values(row))
    return True


def drop_watch(tx: Transaction, chain: str, name: str) -> None:
    """Forgets a watch; the logs that it brought stay."""
    tx.execute(sa.delete(watch).where(watch.c.chain == chain, watch.c.name == name))


def progress(session: Read, chain: str, *, lock: bool = False) -> Progress:
    """Returns how far a chain was read; with `lock` nobody else moves its watches until the transaction ends."""
    query = sa.select(watch).where(watch.c.chain == chain).order_by(watch.c.name)
    rows = session.execute(query.with_for_update() if lock else query).mappings()
    cursors = tuple((_watch(row), row["next"]) for row in rows)
    return Progress(cursors, next(iter(heads(session, chain, 1)), None))


def advance(tx: Transaction, chain: str, names: Iterable[str], to: int) -> None:
    """Says that watches were read up to the block before `to`."""
    of = sa.and_(watch.c.chain == chain, watch.c.name.in_(list(names)))
    tx.execute(sa.update(watch).where(of).values(next=to))


def heads(session: Read, chain: str, limit: int, below: int | None = None) -> list[Head]:
    """Returns the newest heads that are kept, newest first; only of blocks `below` a number where one is named."""
    query = sa.select(block).where(block.c.chain == chain).order_by(block.c.number.desc()).limit(limit)
    if below is not None:
        query = query.where(block.c.number < below)
    return [_head(row) for row in session.execute(query).mappings()]


def head(session: Read, chain: str, number: int) -> Head | None:
    """Returns the head of one block, None where it is not kept."""
    query = sa.select(block).where(block.c.chain == chain, block.c.number == number)
    row = session.execute(query).mappings().first()
    return None if row is None else _head(row)


def add(tx: Transaction, chain: str, found: Sequence[Block], logs: Sequence[Log]) -> None:
    """Writes heads and logs down; what is there already stays."""
    made = [
        {"chain": chain, "number": one.number, "hash": _bytes(one.hash), "parent": _bytes(one.parent), "time": one.time}
        for one in found
    ]
    rows = [_row(chain, one) for one in logs]
    for table, values in ((block, made), (log, rows)):
        if values:
            tx.execute(_insert(tx, table), values)


def cut(tx: Transaction, chain: str, kept: int) -> int:
    """Deletes everything above the block `kept` and lets its watches read on from there; returns how many logs went."""
    tx.execute(sa.delete(block).where(block.c.chain == chain, block.c.number > kept))
    again = sa.case((watch.c.first > kept + 1, watch.c.first), else_=kept + 1)
    tx.execute(sa.update(watch).where(watch.c.chain == chain, watch.c.next > kept + 1).values(next=again))
    return tx.execute(sa.delete(log).where(log.c.chain == chain, log.c.block > kept)).rowcount


def thin(tx: Transaction, chain: str, first: int, last: int) -> None:
    """Forgets heads of the blocks `first` to `last` that have no logs."""
    has_logs = sa.exists().where(log.c.chain == chain, log.c.block == block.c.number)
    within = sa.and_(block.c.chain == chain, block.c.number.between(first, last))
    tx.execute(sa.delete(block).where(within, ~has_logs))


def logs(session: Read, chain: str, query: LogQuery, after: tuple[int, int], limit: int) -> list[Log]:
    """Returns kept logs in the order of the chain, those behind the place `after` (block and index) only."""
    joined = sa.and_(block.c.chain == log.c.chain, block.c.number == log.c.block)
    wanted = [log.c.chain == chain, log.c.block.between(query.first, query.last)]
    # Written out, since both databases walk the primary key for it, and not for a comparison of rows.
    wanted.append(sa.or_(log.c.block > after[0], sa.and_(log.c.block == after[0], log.c.place > after[1])))
    if query.addresses:
        wanted.append(log.c.address.in_(sorted(query.addresses)))
    for number, accepted in enumerate(query.topics):
        if accepted:
            wanted.append(log.c[f"topic{number}"].in_(sorted(accepted)))
    found = sa.select(log, block.c.hash).join_from(log, block, joined).where(*wanted)
    rows = session.execute(found.order_by(log.c.block, log.c.place).limit(limit)).mappings()
    return [_log(row) for row in rows]


def _insert(tx: Transaction, table: sa.Table) -> sa.Insert:
    insert = postgresql.insert if tx.dialect == "postgresql" else sqlite.insert
    return insert(table).on_conflict_do_nothing()


def _row(chain: str, one: Log) -> dict[str, Any]:
    topics = {f"topic{number}": topic for number, topic in enumerate([*one.topics, *[None] * TOPICS][:TOPICS])}
    place = {"chain": chain, "block": one.block, "place": one.index, "tx": _bytes(one.transaction)}
    return {**place, "address": one.address, "data": one.data, **topics}


def _log(row: sa.RowMapping) -> Log:
    found = [row[f"topic{number}"] for number in range(TOPICS)]
    return Log(
        address=Address(row["address"]),
        topics=tuple(bytes(topic) for topic in found if topic is not None),
        data=bytes(row["data"]),
        block=row["block"],
        block_hash=_hash(row["hash"]),
        transaction=_hash(row["tx"]),
        index=row["place"],
    )


def _head(row: sa.RowMapping) -> Head:
    return Head(row["number"], _hash(row["hash"]), _hash(row["parent"]), row["time"])


def _watch(row: sa.RowMapping) -> Watch:
    return Watch(
        name=row["name"],
        first=row["first"],
        addresses=frozenset(Address(text) for text in row["addresses"]),
        topics=tuple(frozenset(bytes.fromhex(topic) for topic in accepted) for accepted in row["topics"]),
    )


def _bytes(text: Hash) -> bytes:
    return bytes.fromhex(text[2:])


def _hash(value: bytes) -> Hash:
    return Hash("0x" + bytes(value).hex())
