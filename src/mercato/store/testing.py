"""What tests of any room need from the store."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory

import mercato
from mercato.store.engine import Store
from mercato.store.history import migrate


def sqlite_store(folder: Path) -> Store:
    """Returns a migrated store on a SQLite file in a folder: the one that is there, or a fresh one."""
    path = folder / "mercato.db"
    if path.exists():
        store = Store(f"sqlite:///{path}")
        migrate(store)
        return store
    path.write_bytes(_blank())
    return Store(f"sqlite:///{path}")


@cache
def _blank() -> bytes:
    """Returns a migrated, empty SQLite file, made once a process: to migrate takes far longer than to write it."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "blank.db"
        store = Store(f"sqlite:///{path}")
        migrate(store)
        store.close()
        return path.read_bytes()


def load_tables() -> list[str]:
    """Imports every room's tables, so that the shared metadata is whole; returns the modules' names."""
    root = Path(mercato.__path__[0])
    names = [".".join(("mercato", *path.relative_to(root).with_suffix("").parts)) for path in root.rglob("tables.py")]
    for name in sorted(names):
        import_module(name)
    return sorted(names)
