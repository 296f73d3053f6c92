"""What this installation has: its database, brought to the present shape, and the key that signs its receipts."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from mercato.compute.books import Signer
from mercato.compute.settings import ComputeSettings
from mercato.core.errors import ConfigError
from mercato.core.settings import Settings, load
from mercato.store.bare import Bare
from mercato.store.settings import StoreSettings

SECTIONS = (ComputeSettings, StoreSettings)
KEY_FILE = "compute.key"
MIGRATIONS = Path(__file__).parents[1] / "store" / "migrations" / "versions"
_MIGRATE = "from mercato.compute.installation import migrate_now; migrate_now()"


def signer(home: Path) -> Signer:
    """Returns the gateway's signing key, from a file of the data folder that only its owner reads; made if missing."""
    path = home / KEY_FILE
    home.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        part = home / f"{KEY_FILE}.{os.getpid()}.part"
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(os.urandom(32).hex())
        with suppress(FileExistsError):  # another worker was first, and its key is everyone's
            os.link(part, path)
        part.unlink()
    if path.stat().st_mode & 0o077:
        raise ConfigError(f"signing key {path} was open to others", hint="chmod 600 it")
    try:
        return Signer(bytes.fromhex(path.read_text().strip()))
    except (ValueError, OSError):
        raise ConfigError(f"signing key {path} was not readable", hint="restore it, or move it away") from None


def migrate_now() -> None:
    """Brings the database of the settings to the present shape."""
    from mercato.store import Store, migrate

    settings = load(*SECTIONS, partial=True)
    store = Store(settings.of(StoreSettings).address(settings.home))
    migrate(store)
    store.close()


def prepared(settings: Settings) -> str:
    """Returns the database's URL, its shape the present one. Migrations run in a process of their own: what they
    import would stay in ours."""
    settings.home.mkdir(parents=True, exist_ok=True)
    url = settings.of(StoreSettings).address(settings.home)
    newest = max(path.stem.partition("_")[0].lstrip("r") for path in MIGRATIONS.glob("r*.py"))
    if _present(url) != newest:
        done = subprocess.run([sys.executable, "-c", _MIGRATE], stderr=subprocess.PIPE, text=True, check=False)  # noqa: S603  # our own interpreter and words
        if done.returncode:
            raise ConfigError(f"database was not brought to its present shape: {done.stderr[-300:]}", hint="see above")
    return url


def _present(url: str) -> str:
    with Bare(url) as bare:
        try:
            return str(bare.run("SELECT version_num FROM store_version")[0][0])
        except Exception:  # the database differs in what it raises where there is no such table yet
            return ""
