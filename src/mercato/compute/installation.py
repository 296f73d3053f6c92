"""What this installation has: its database, brought to the present shape, and the key that signs its receipts."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from mercato.compute.settings import ComputeSettings
from mercato.core.errors import ConfigError
from mercato.core.settings import Settings, load
from mercato.store.bare import Bare
from mercato.store.settings import StoreSettings

SECTIONS = (ComputeSettings, StoreSettings)
MIGRATIONS = Path(__file__).parents[1] / "store" / "migrations" / "versions"
_MIGRATE = "from mercato.compute.installation import migrate_now; migrate_now()"


def migrate_now() -> None:
    """Brings the database of the settings to the present shape."""
    from mercato.store import Store, migrate

    settings = load(*SECTIONS, partial=True)
    store = Store(settings.of(StoreSettings).address(settings.home))
    try:
        migrate(store)
    except Exception as error:  # each database raises its own; the first line says what was wrong
        sys.exit(str(error).partition("\n")[0])
    store.close()


def prepared(settings: Settings) -> str:
    """Returns the database's URL, its shape the present one. Migrations run in a process of their own: what they
    import would stay in ours."""
    settings.home.mkdir(parents=True, exist_ok=True)
    url = settings.of(StoreSettings).address(settings.home)
    newest = max(path.stem.partition("_")[0].lstrip("r") for path in MIGRATIONS.glob("r*.py"))
    if (present := _present(url)) > newest:
        raise ConfigError(f"database has shape {present}, and the newest known here is {newest}", hint="update Mercato")
    if present != newest:
        done = subprocess.run([sys.executable, "-c", _MIGRATE], stderr=subprocess.PIPE, text=True, check=False)  # noqa: S603  # our own interpreter and words
        if done.returncode:
            why = done.stderr.strip()[-300:]
            raise ConfigError(
                f"database was not brought to its present shape: {why}",
                hint="see store.url, and that it can be reached",
            )
    return url


def _present(url: str) -> str:
    with Bare(url) as bare:
        try:
            return str(bare.run("SELECT version_num FROM store_version")[0][0])
        except Exception:  # the database differs in what it raises where there is no such table yet
            return ""
