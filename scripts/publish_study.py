"""Ships what a study found: python scripts/publish_study.py DIR, of `mercato lab run --out DIR`.

The results go into the package, for the page /lab of every installation, and the report with its plots into the docs.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from mercato.lab.archive import Archive
from mercato.lab.report import MARKDOWN, PLOTS, write
from mercato.lab.results import results
from mercato.lab.service import REGISTERED

ROOT = Path(__file__).parents[1]
ABOUT = """[The launch lab](lab.md) made this page from the registered study; `mercato lab run --out study --search` and
`mercato lab report study` make the same figures again, and the page `/lab` of every installation shows them.
[The study](lab-study.md) says how it is set up, [its limits](../decisions/lab-calibration.md) what it does not say.
"""
PAGE, IMAGES = ROOT / "docs" / "rooms" / "lab-results.md", ROOT / "docs" / "images" / "lab"


def publish(folder: Path) -> None:
    """Writes the results, the page and the plots of a study's folder into the repository."""
    archive = Archive(folder)
    found = results(archive.records(), archive.manifest()["config_hash"])
    REGISTERED.write_text(json.dumps(found, sort_keys=True, separators=(",", ":")) + "\n", encoding="utf-8")
    with TemporaryDirectory() as made:
        write(found, Path(made))
        shutil.rmtree(IMAGES, ignore_errors=True)
        shutil.copytree(Path(made) / PLOTS, IMAGES)
        text = (Path(made) / MARKDOWN).read_text(encoding="utf-8")
    title, rest = text.replace(f"]({PLOTS}/", "](../images/lab/").split("\n", 1)
    PAGE.write_text(f"{title}\n\n{ABOUT}\n{rest}", encoding="utf-8")


if __name__ == "__main__":
    publish(Path(sys.argv[1]))
