"""The kit's tables: books, their journals, acts, reserves, and places taken by transactions. `sheet` writes them."""

from __future__ import annotations

import sqlalchemy as sa

from mercato.store import JSON, U256, Instant, metadata

books = sa.Table(
    "kit_book",
    metadata,
    sa.Column("id", sa.String(60), primary_key=True),
    sa.Column("policy", JSON, nullable=False),
    sa.Column("policy_hash", sa.String(64), nullable=False),
    # Locked by whoever appends: one book's entries, budgets and places change one after the other.
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("head", sa.String(64), nullable=False),
    sa.Column("frozen", sa.Boolean, nullable=False),
)

entries = sa.Table(
    "kit_entry",
    metadata,
    sa.Column("book", sa.String(60), primary_key=True),
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("at", Instant, nullable=False),
    sa.Column("act", sa.String(40), nullable=False, index=True),
    sa.Column("arrow", sa.String(12), nullable=False),
    # Text, not JSON: what was hashed stays as it was written, whatever the database makes of objects.
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("hash", sa.String(64), nullable=False),
)

acts = sa.Table(
    "kit_act",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("book", sa.String(60), nullable=False),
    sa.Column("account", sa.String(180), nullable=False),
    sa.Column("state", sa.String(10), nullable=False),
    sa.Column("intent", JSON, nullable=False),
    sa.Column("effects", JSON, nullable=False),
    sa.Column("decision", JSON, nullable=False),
    sa.Column("signed", JSON, nullable=False),
    # Who works on it, and until when nobody else may take it over.
    sa.Column("owner", sa.String(40), nullable=False),
    sa.Column("due", Instant),
    sa.Index("ix_kit_act_book", "book", "state", "id"),
)

reserves = sa.Table(
    "kit_reserve",
    metadata,
    sa.Column("act", sa.String(40), primary_key=True),
    sa.Column("budget", sa.String(120), primary_key=True),
    sa.Column("scope", sa.String(180), primary_key=True),
    sa.Column("book", sa.String(60), nullable=False),
    sa.Column("asset", sa.String(200), nullable=False),
    sa.Column("units", U256, nullable=False),
    sa.Column("at", Instant, nullable=False),
    sa.Index("ix_kit_reserve_window", "book", "budget", "scope", "at"),
)

places = sa.Table(
    "kit_place",
    metadata,
    sa.Column("account", sa.String(180), primary_key=True),
    sa.Column("place", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("act", sa.String(40), nullable=False, index=True),
)

accounts = sa.Table(
    "kit_account",
    metadata,
    sa.Column("account", sa.String(180), primary_key=True),
    sa.Column("book", sa.String(60), nullable=False),
    # Every place below it is used up on the chain.
    sa.Column("floor", sa.BigInteger, nullable=False),
)
