"""What tests of any room need from the store."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import mercato
from mercato.store.engine import Store
from mercato.store.history import migrate


def sqlite_store(folder: Path) -> Store:
    """Returns a migrated store on a fresh SQLite file in a folder."""
    store = Store(f"sqlite:///{folder / 'mercato.db'}")
    migrate(store)
    return store


def load_tables() -> list[str]:
    """Imports every room's tables, so that the shared metadata is whole; returns the modules' names."""
    root = Path(mercato.__path__[0])
    names = [".".join(("mercato", *path.relative_to(root).with_suffix("").parts)) for path in root.rglob("tables.py")]
    for name in sorted(names):
        import_module(name)
    return sorted(names)
