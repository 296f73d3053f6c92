"""The compute room's tables. Their statements stand beside what runs them, as plain SQL over `store.bare`.

A worker of the gateway imports none of this: SQLAlchemy would be a third of its memory. Times are microseconds since
1970 and money is micro-dollars, both whole numbers, so that a row is written as it is.
"""

from __future__ import annotations

import sqlalchemy as sa

from mercato.store import metadata

# Where a table has no row ids, rows lie in the order of their keys on SQLite: a commit writes half as many pages.
_NAMED = sa.text("idem <> '' AND state <> 'released'")

lanes = sa.Table(
    "compute_lane",
    metadata,
    sa.Column("lane", sa.String(40), primary_key=True),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("head", sa.String(64), nullable=False),
    # Until when nobody may take the lane's open requests for abandoned; NULL for the lane of commands and jobs.
    sa.Column("due_us", sa.BigInteger),
    sa.Column("closed", sa.Boolean, nullable=False),
    # Requests that were reserved in it and are open: an index of them would be written twice by each.
    sa.Column("open", sa.BigInteger, nullable=False, server_default=sa.text("0")),
    sqlite_with_rowid=False,
)

entries = sa.Table(
    "compute_entry",
    metadata,
    sa.Column("lane", sa.String(40), primary_key=True),
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("kind", sa.String(10), nullable=False),
    # Text, not JSON: what was hashed stays as it was written.
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("hash", sa.String(64), nullable=False),
    sqlite_with_rowid=False,
)

balances = sa.Table(
    "compute_balance",
    metadata,
    sa.Column("account", sa.String(160), primary_key=True),
    sa.Column(
        "micro", sa.BigInteger, sa.CheckConstraint("micro >= 0 OR account = 'outside'", "covered"), nullable=False
    ),
    sqlite_with_rowid=False,
)

moves = sa.Table(
    "compute_move",
    metadata,
    sa.Column("name", sa.String(200), primary_key=True),
    sa.Column("lane", sa.String(40), nullable=False),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

requests = sa.Table(
    "compute_request",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("key", sa.String(40), nullable=False),
    sa.Column("account", sa.String(120), nullable=False),
    sa.Column("need", sa.String(64), nullable=False),
    sa.Column("idem", sa.String(200), nullable=False),
    sa.Column("lane", sa.String(40), nullable=False),
    sa.Column("at_us", sa.BigInteger, nullable=False),
    sa.Column("bound", sa.BigInteger, nullable=False),
    # Which window of the key's limit the reserve counts in.
    sa.Column("slot", sa.BigInteger, nullable=False),
    sa.Column("state", sa.String(10), nullable=False),
    sa.Column("ended_us", sa.BigInteger),
    sa.Column("attempts", sa.Text, nullable=False),
    sa.Index("uq_compute_request_idem", "key", "idem", unique=True, sqlite_where=_NAMED, postgresql_where=_NAMED),
    sqlite_with_rowid=False,
)

receipts = sa.Table(
    "compute_receipt",
    metadata,
    sa.Column("request", sa.String(40), primary_key=True),
    sa.Column("lane", sa.String(40), nullable=False),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("at_us", sa.BigInteger, nullable=False),
    sa.Column("key", sa.String(40), nullable=False),
    sa.Column("account", sa.String(120), nullable=False),
    sa.Column("provider", sa.String(80), nullable=False),
    sa.Column("model", sa.String(200), nullable=False),
    sa.Column("ending", sa.String(16), nullable=False),
    sa.Column("charged", sa.BigInteger, nullable=False),
    sa.Column("earned", sa.BigInteger, nullable=False),
    # 0 until the epoch that it belongs to is closed.
    sa.Column("epoch", sa.BigInteger, nullable=False),
    sa.Column("signature", sa.String(128), nullable=False),
    sa.Column("countersigned", sa.String(128), nullable=False),
    sa.Index("ix_compute_receipt_epoch", "epoch", "provider"),
    sqlite_with_rowid=False,
)

answers = sa.Table(
    "compute_answer",
    metadata,
    sa.Column("request", sa.String(40), primary_key=True),
    sa.Column("kind", sa.String(100), nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Column("until_us", sa.BigInteger, nullable=False, index=True),
)

keys = sa.Table(
    "compute_key",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("hash", sa.String(64), nullable=False, unique=True),
    sa.Column("account", sa.String(120), nullable=False, index=True),
    sa.Column("name", sa.String(120), nullable=False),
    sa.Column("made_us", sa.BigInteger, nullable=False),
    sa.Column("expires_us", sa.BigInteger),
    sa.Column("revoked_us", sa.BigInteger),
    sa.Column("scope", sa.Text, nullable=False),
    sa.Column("cap", sa.BigInteger),
    sa.Column("spent", sa.BigInteger, nullable=False),
    sa.Column("reserved", sa.BigInteger, nullable=False),
    sa.Column("window_cap", sa.BigInteger),
    sa.Column("window_seconds", sa.BigInteger),
    sa.Column("slot", sa.BigInteger, nullable=False),
    sa.Column("slot_used", sa.BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

switches = sa.Table(
    "compute_switch",
    metadata,
    sa.Column("scope", sa.String(160), primary_key=True),
    sa.Column("stopped", sa.Boolean, nullable=False),
    sa.Column("generation", sa.BigInteger, nullable=False),
    sa.Column("at_us", sa.BigInteger, nullable=False),
    sa.Column("turned_by", sa.String(120), nullable=False),
    sa.Column("why", sa.Text, nullable=False),
)

epochs = sa.Table(
    "compute_epoch",
    metadata,
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("closed_us", sa.BigInteger, nullable=False),
    sa.Column("root", sa.String(64), nullable=False),
    sa.Column("receipts", sa.BigInteger, nullable=False),
)

secrets = sa.Table(
    "compute_secret",
    metadata,
    sa.Column("epoch", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("commitment", sa.String(64), nullable=False),
    sa.Column("secret", sa.String(64), nullable=False),
    sa.Column("revealed_us", sa.BigInteger),
)

settlements = sa.Table(
    "compute_settlement",
    metadata,
    sa.Column("epoch", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("provider", sa.String(80), primary_key=True),
    sa.Column("earned", sa.BigInteger, nullable=False),
    sa.Column("state", sa.String(10), nullable=False, index=True),
    sa.Column("release_us", sa.BigInteger, nullable=False),
    # What stopped it, "" for nothing.
    sa.Column("dispute", sa.String(40), nullable=False),
)

disputes = sa.Table(
    "compute_dispute",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("provider", sa.String(80), nullable=False, index=True),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("state", sa.String(10), nullable=False),
    sa.Column("opened_us", sa.BigInteger, nullable=False),
    sa.Column("decided_us", sa.BigInteger),
    sa.Column("amount", sa.BigInteger, nullable=False),
    sa.Column("evidence", sa.Text, nullable=False),
    sa.Column("why", sa.Text, nullable=False),
)

audits = sa.Table(
    "compute_audit",
    metadata,
    sa.Column("request", sa.String(40), primary_key=True),
    sa.Column("provider", sa.String(80), nullable=False),
    sa.Column("model", sa.String(200), nullable=False),
    sa.Column("at_us", sa.BigInteger, nullable=False),
    sa.Column("state", sa.String(10), nullable=False),
    sa.Column("due_us", sa.BigInteger, nullable=False),
    # What was asked and answered, until it was judged.
    sa.Column("evidence", sa.LargeBinary),
    sa.Column("id", sa.String(40), nullable=False),
    sa.Column("method", sa.String(40), nullable=False),
    sa.Column("statistic", sa.Text, nullable=False),
    sa.Column("verdict", sa.String(16), nullable=False),
    sa.Column("checker", sa.String(120), nullable=False),
    sa.Column("judged_us", sa.BigInteger),
    sa.Index("ix_compute_audit_state", "state", "due_us"),
    sa.Index("ix_compute_audit_provider", "provider", "at_us"),
)

providers = sa.Table(
    "compute_provider",
    metadata,
    sa.Column("id", sa.String(80), primary_key=True),
    sa.Column("name", sa.String(120), nullable=False),
    sa.Column("standing", sa.String(12), nullable=False),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("key", sa.String(64), nullable=False, index=True),
    sa.Column("region", sa.String(60), nullable=False),
    sa.Column("zdr", sa.Boolean, nullable=False),
    sa.Column("seen_us", sa.BigInteger, nullable=False),
)

addresses = sa.Table(
    "compute_address",
    metadata,
    sa.Column("provider", sa.String(80), primary_key=True),
    # Which file of the data folder holds its key, "" for none: the key itself is never here.
    sa.Column("key_file", sa.Text, nullable=False),
    sa.Column("private", sa.Boolean, nullable=False),
)

standings = sa.Table(
    "compute_standing",
    metadata,
    sa.Column("provider", sa.String(80), primary_key=True),
    sa.Column("turn", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("standing", sa.String(12), nullable=False),
    sa.Column("at_us", sa.BigInteger, nullable=False),
    sa.Column("why", sa.Text, nullable=False),
)

offers = sa.Table(
    "compute_offer",
    metadata,
    sa.Column("provider", sa.String(80), primary_key=True),
    sa.Column("model", sa.String(200), primary_key=True),
    sa.Column("price_prompt", sa.BigInteger, nullable=False),
    sa.Column("price_completion", sa.BigInteger, nullable=False),
    sa.Column("price_cached", sa.BigInteger),
    sa.Column("context", sa.BigInteger, nullable=False),
    sa.Column("upstream", sa.String(200), nullable=False),
    sa.Column("features", sa.Text, nullable=False),
    sa.Column("quant", sa.String(40), nullable=False),
    sa.Column("weights", sa.String(64), nullable=False),
    sa.Column("concurrency", sa.BigInteger, nullable=False),
    sa.Column("until_us", sa.BigInteger),
    sa.Column("signature", sa.String(256), nullable=False),
    sa.Column("tokenizer", sa.String(64), nullable=False, server_default=sa.text("''")),
    sa.Column("template", sa.String(64), nullable=False, server_default=sa.text("''")),
    sa.Column("engine", sa.Text, nullable=False, server_default="{}"),
)

attestations = sa.Table(
    "compute_attestation",
    metadata,
    sa.Column("provider", sa.String(80), primary_key=True),
    sa.Column("model", sa.String(200), primary_key=True),
    sa.Column("at_us", sa.BigInteger, primary_key=True, autoincrement=False),
    # When it is over; one that follows ends those before it.
    sa.Column("until_us", sa.BigInteger, nullable=False, index=True),
    sa.Column("level", sa.String(10), nullable=False),
    sa.Column("why", sa.Text, nullable=False),
    sa.Column("nonce", sa.String(64), nullable=False),
    sa.Column("software", sa.String(120), nullable=False),
    sa.Column("status", sa.String(40), nullable=False),
    sa.Column("gpu", sa.Text, nullable=False),
    sa.Column("signers", sa.Text, nullable=False),
    # What was shown, as packed JSON, for whoever wants to check it again.
    sa.Column("evidence", sa.LargeBinary, nullable=False),
)

challenges = sa.Table(
    "compute_challenge",
    metadata,
    sa.Column("provider", sa.String(80), primary_key=True),
    sa.Column("model", sa.String(200), primary_key=True),
    sa.Column("upstream", sa.String(200), nullable=False),
    sa.Column("nonce", sa.String(64), nullable=False),
    sa.Column("asked_us", sa.BigInteger, nullable=False),
    # What the node's upstream answered; NULL until a worker that the node dialled has brought it.
    sa.Column("report", sa.LargeBinary),
)

health = sa.Table(
    "compute_health",
    metadata,
    sa.Column("provider", sa.String(80), primary_key=True),
    # One row for each worker of the gateway: each writes its own, and reads them all.
    sa.Column("worker", sa.String(40), primary_key=True),
    sa.Column("at_us", sa.BigInteger, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
)
