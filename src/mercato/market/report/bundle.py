"""A report as a folder: all formats, a CSV per grid, and a manifest that names every file by its SHA-256.

Each manifest holds the hash of the one before, so a folder cannot be changed later without the next one telling. With
a key, OpenSSH signs the manifest (ed25519, `ssh-keygen -Y sign`); anyone checks it with `ssh-keygen -Y verify`.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from mercato.core.errors import ConfigError
from mercato.core.spreadsheet import lines
from mercato.market.model import Figure, Grid
from mercato.market.report.document import document
from mercato.market.report.markdown import markdown
from mercato.market.report.model import Report
from mercato.market.report.standalone import standalone

NAMESPACE = "mercato-report"
MANIFEST = "manifest.json"


def write_bundle(report: Report, folder: Path, *, previous: Path | None = None, key: Path | None = None) -> Path:
    """Writes a report in every format and returns the manifest's path.

    `previous` is the manifest of the report before; `key` an OpenSSH private key. Files appear whole or not at all.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = bundle(report)
    for name, body in files.items():
        place(folder / name, body)
    place(folder / MANIFEST, manifest(report, files, previous))
    if key:
        sign(folder / MANIFEST, key)
    return folder / MANIFEST


def bundle(report: Report) -> dict[str, bytes]:
    """Returns the files of a report by name: JSON, Markdown, HTML and CSV."""
    texts = {
        "report.json": json.dumps(document(report), indent=1, sort_keys=True) + "\n",
        "report.md": markdown(report),
        "report.html": standalone(report),
        "figures.csv": figures_csv(report.figures),
    }
    for section in report.sections:
        for exhibit in section.exhibits:
            texts[f"{section.key}-{exhibit.grid.name}.csv"] = grid_csv(exhibit.grid)
    return {name: text.encode() for name, text in sorted(texts.items())}


def manifest(report: Report, files: Mapping[str, bytes], previous: Path | None) -> bytes:
    """Returns the manifest: what was asked, every file with its hash and size, and the hash of the one before."""
    before = hashlib.sha256(previous.read_bytes()).hexdigest() if previous and previous.exists() else None
    body = {
        "schema": "mercato.manifest/1",
        "as_of": report.as_of.isoformat(),
        "known_at": report.known_at.isoformat(),
        "universe": report.universe,
        "previous_manifest_sha256": before,
        "files": {
            name: {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
            for name, content in sorted(files.items())
        },
    }
    return json.dumps(body, indent=1, sort_keys=True).encode() + b"\n"


def grid_csv(grid: Grid) -> str:
    """Returns a grid as CSV with a heading row of `column [unit]`; unknown cells are empty, values are exact."""
    names = [f"{name} [{unit}]" if unit else name for name, unit in zip(grid.columns, grid.units, strict=True)]
    return lines([names, *grid.rows])


def figures_csv(figures: Mapping[str, Figure]) -> str:
    """Returns figures as CSV, one per row, ordered by metric, name and dimensions."""
    rows = [
        [item.id, item.metric, item.name, json.dumps(dict(item.dims), sort_keys=True), item.value, item.unit,
         item.as_of.isoformat(), item.definition, item.coverage or "", " ".join(item.flags), item.inputs]
        for item in figures.values()
    ]  # fmt: skip
    heading = ["id", "metric", "name", "dims", "value", "unit", "as_of", "definition", "coverage", "flags", "inputs"]
    return lines([heading, *sorted(rows, key=lambda row: row[1:4])])


def place(path: Path, body: bytes) -> None:
    """Writes a file so that a reader sees the old one or the whole new one."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_bytes(body)
    draft.replace(path)


def sign(path: Path, key: Path) -> Path:
    """Returns the path of the detached OpenSSH signature of a file; ConfigError where the key cannot sign."""
    tool = shutil.which("ssh-keygen")
    if tool is None:
        raise ConfigError("no ssh-keygen was found", hint="install OpenSSH, or unset market.report_key")
    signature = path.with_name(path.name + ".sig")
    signature.unlink(missing_ok=True)
    done = subprocess.run(  # noqa: S603 - no shell; both paths are files of the operator
        [tool, "-Y", "sign", "-f", str(key), "-n", NAMESPACE, str(path)],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20, check=False,
    )  # fmt: skip
    if done.returncode != 0 or not signature.exists():
        raise ConfigError(
            f"report key was {str(key)!r}, with which ssh-keygen refused to sign: {done.stderr.strip()[:200]}",
            hint="give an unencrypted ed25519 key made by: ssh-keygen -t ed25519 -N '' -f FILE",
        )
    return signature
