"""What is installed from a wheel can bring a database to its shape, without the source tree."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
VERSIONS = ROOT / "src" / "mercato" / "store" / "migrations" / "versions"
SCRIPT = """
import sys, mercato
from mercato.store import Store, migrate
from mercato.store.history import head
assert mercato.__file__.startswith(sys.argv[1]), mercato.__file__
store = Store(f"sqlite:///{sys.argv[1]}/data/mercato.db")
migrate(store)
print(head())
"""


def test_a_wheel_carries_the_migrations(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True, env={**os.environ, "MERCATO_SKIP_WEB": "1"})
    (wheel,) = tmp_path.glob("*.whl")
    there = tmp_path / "installed"
    zipfile.ZipFile(wheel).extractall(there)

    environment = {**os.environ, "PYTHONPATH": str(there)}
    ran = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(there)], cwd=tmp_path, env=environment, capture_output=True, text=True
    )

    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.strip() == max(
        path.name[1:5] for path in ROOT.glob("src/mercato/store/migrations/versions/r*.py")
    )
