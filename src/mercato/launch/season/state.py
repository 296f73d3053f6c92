"""What is remembered of a local economy beside its chain: `economy/season.json` in the data folder.

While `stage` is `living`, the season is not whole: whoever starts then begins it anew. `none` is a chain without one.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, get_args

from mercato.core.errors import InvalidInput

Stage = Literal["none", "living", "live"]


@dataclass(frozen=True, slots=True)
class Kept:
    """The seed of a season, the second at which it ends, its size, and how far it is."""

    seed: int
    end: int
    size: str
    stage: Stage


def read(path: Path) -> Kept | None:
    """Returns what is kept; None where nothing is, InvalidInput where the file is no such thing."""
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
        kept = Kept(int(body["seed"]), int(body["end"]), str(body["size"]), body["stage"])
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise InvalidInput(f"{path.name} was not readable: {error}", hint=f"remove the folder {path.parent}") from None
    if kept.stage not in get_args(Stage):
        raise InvalidInput(f"stage in {path.name} was {kept.stage!r}", hint=f"remove the folder {path.parent}")
    return kept


def write(path: Path, kept: Kept) -> None:
    """Replaces what is kept, in one step."""
    fresh = path.with_suffix(".tmp")
    with fresh.open("w", encoding="utf-8") as file:
        json.dump(asdict(kept), file)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
