"""A bundle: a TOML list that says which files of a folder are read with which mapping, as which source.

[[file]]
glob = "prices_*.csv.gz"
source = "bybit"
mapping = "bybit.toml"         # beside the bundle; without one, the file holds canonical rows
optional = true                # a folder without such a file is fine

[[file]]
package = "examples/shares.csv"   # in place of glob: a file that ships with Mercato
source = "sec-filings"
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from mercato.core.errors import InvalidInput

KEYS = {"glob", "package", "source", "mapping", "optional"}


@dataclass(frozen=True, slots=True)
class Item:
    """One file to import, as which source and with which mapping (its text and name; empty for canonical rows)."""

    path: Path
    source: str
    mapping: str
    mapping_file: str


def shipped() -> list[str]:
    """Returns the names of the bundles that come with the package."""
    folder = files("mercato.market").joinpath("mappings")
    return sorted(item.name.removesuffix(".bundle.toml") for item in folder.iterdir() if ".bundle." in item.name)


def read_bundle(name: str, folder: Path) -> list[Item]:
    """Returns the files of a folder that a bundle names, in its order; `name` is a shipped bundle or a path."""
    if not folder.is_dir():
        raise InvalidInput(f"folder was {str(folder)!r}, which does not exist", hint="check the path")
    beside = Path(name).parent if name.endswith(".toml") else None
    shelf = files("mercato.market").joinpath("mappings")
    if beside is None and name not in shipped():
        raise InvalidInput(f"bundle was {name!r}", hint=f"give a .toml file or one of: {', '.join(shipped())}")
    try:
        text = Path(name).read_text("utf-8") if beside else shelf.joinpath(f"{name}.bundle.toml").read_text("utf-8")
        body = tomllib.loads(text)
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise InvalidInput(f"bundle {name!r} was not readable: {error}") from None
    found: list[Item] = []
    for place, entry in enumerate(body.get("file", []), 1):
        if set(entry) - KEYS or "source" not in entry or ("glob" in entry) == ("package" in entry):
            raise InvalidInput(
                f"bundle {name!r}: file {place} has {sorted(entry)!r}", hint="source, and glob or package, are needed"
            )
        mapping = entry.get("mapping", "")
        words = (beside / mapping if beside else shelf.joinpath(mapping)).read_text("utf-8") if mapping else ""
        found += [Item(path, entry["source"], words, mapping) for path in _paths(entry, folder)]
    return found


def _paths(entry: Mapping[str, Any], folder: Path) -> list[Path]:
    """Returns the files of one entry: those of the folder that match, or the one that ships with Mercato."""
    if "package" in entry:
        shipped_one = Path(str(files("mercato.market").joinpath(entry["package"])))
        if not shipped_one.is_file():
            raise InvalidInput(f"package was {entry['package']!r}, which does not ship", hint="see mercato/market")
        return [shipped_one]
    paths = sorted(folder.glob(entry["glob"]))
    if not paths and not entry.get("optional", False):
        raise InvalidInput(f"folder {str(folder)!r} has no file {entry['glob']!r}", hint="is it the right folder?")
    return paths
