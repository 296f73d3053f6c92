"""Writes the next migration from what the rooms' tables.py say: python scripts/migration.py "add market segments".

Read what it wrote before you commit it; Alembic cannot see renames, and data moves are yours to write.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from alembic import command

from mercato.store import Store, migrate
from mercato.store.history import config
from mercato.store.testing import load_tables


def main() -> None:
    """Writes one file into src/mercato/store/migrations/versions."""
    message = sys.argv[1]
    load_tables()
    versions = Path(config().get_main_option("script_location") or "") / "versions"
    steps = len(list(versions.glob("r*.py")))
    with tempfile.TemporaryDirectory() as folder:
        store = Store(f"sqlite:///{folder}/empty.db")
        if steps:
            migrate(store)
        with store.transaction() as tx:
            made = config(tx)
            made.set_main_option("file_template", "r%%(rev)s_%%(slug)s")
            made.set_main_option("truncate_slug_length", "30")
            command.revision(made, message, autogenerate=True, rev_id=f"{steps + 1:04d}")


if __name__ == "__main__":
    main()
