"""Which author names and emails are one person: a union of keys, with manual overrides (M13)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

NOREPLY = re.compile(r"^(?:\d+\+)?(?P<login>[^@+]+)@users\.noreply\.github\.com$")
SHORTEST_NAME = 4
_GENERIC = (
    "root user users admin administrator ubuntu debian developer dev test tester github unknown anonymous runner build "
    "builder docker vagrant bot agent author local localhost none noreply no-reply null name your-name guest home mac "
    "macbook windows pc system deploy deployer ci cd git gituser git-user john-doe"
)
#: Names that many people share, so they say nothing about who it is.
GENERIC = frozenset(_GENERIC.split())


def keys(name: str, email: str) -> tuple[str, ...]:
    """Returns the keys by which an author is known: email, noreply login, and the name unless short or generic."""
    mail, plain = email.strip().lower(), " ".join(name.split()).lower()
    found = [f"email:{mail}"] if mail else []
    if match := NOREPLY.match(mail):
        found.append(f"login:{match['login']}")
    if len(plain) >= SHORTEST_NAME and plain.replace(" ", "-") not in GENERIC:
        found.append(f"name:{plain}")
    return tuple(found) or (f"raw:{name}",)


def union(authors: Iterable[tuple[str, str]], overrides: Mapping[str, str] | None = None) -> dict[tuple[str, str], str]:
    """Returns the identity of each (name, email); authors sharing a key share it.

    `overrides` maps an email to the email of the same person. The identity is the smallest key of its group, so the
    answer does not depend on order.
    """
    parent: dict[str, str] = {}

    def find(key: str) -> str:
        parent.setdefault(key, key)
        while parent[key] != key:
            parent[key] = parent[parent[key]]
            key = parent[key]
        return key

    def join(left: str, right: str) -> None:
        low, high = sorted((find(left), find(right)))
        parent[high] = low

    known = {author: keys(*author) for author in authors}
    for group in known.values():
        for other in group[1:]:
            join(group[0], other)
    for left, right in (overrides or {}).items():
        join(f"email:{left.strip().lower()}", f"email:{right.strip().lower()}")
    return {author: find(group[0]) for author, group in known.items()}
