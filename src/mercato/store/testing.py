"""What tests of any room need from the store."""

from __future__ import annotations

import pkgutil
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
    rooms = [item.name for item in pkgutil.iter_modules(mercato.__path__) if item.ispkg]
    names = [
        f"mercato.{room}.tables"
        for room in rooms
        if any(item.name == "tables" for item in pkgutil.iter_modules([f"{mercato.__path__[0]}/{room}"]))
    ]
    for name in names:
        import_module(name)
    return names
