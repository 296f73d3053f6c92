"""A line is what the kit acts through on the chain of the settings: its rail, its actions, and its wallet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from mercato.core.settings import Secret
from mercato.kit.actions import Catalogue
from mercato.kit.rail import End, Holder, Rail

Place = TypeVar("Place", bound=str)
Purse = TypeVar("Purse", bound=Holder)


@dataclass(frozen=True)
class Line(Generic[Place, Purse, End]):
    """A rail that is open until `close`. `unlock` opens a keystore's file, `key` takes a secret; `account` reads an
    address, and raises ConfigError for one of another kind of chain."""

    rail: Rail[Place, Purse, End]
    actions: Catalogue
    unlock: Callable[[Path, Secret], Purse]
    key: Callable[[Secret], Purse]
    account: Callable[[str], Place]
    close: Callable[[], None]
