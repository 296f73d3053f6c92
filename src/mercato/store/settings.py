"""Where the database is."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from mercato.core.settings import Secret, Section


class StoreSettings(Section):
    """`url` is empty for the SQLite file in the data folder, or such as postgresql://user:password@host/name."""

    name: ClassVar[str] = "store"
    url: Secret = Secret("")

    def address(self, home: Path) -> str:
        """Returns the database's URL, which may hold a password."""
        return self.url.reveal() or f"sqlite:///{home / 'mercato.db'}"
