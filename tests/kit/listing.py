"""The page of the actions: which rows it has under a heading, and which an action ought to have."""

from __future__ import annotations

from pathlib import Path

from mercato.kit.actions import Action

PAGE = Path(__file__).parents[2] / "docs/rooms/kit-actions.md"


def listed(heading: str) -> list[str]:
    """Returns the rows of the table under a heading of the page."""
    part = PAGE.read_text().split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return [line for line in part.splitlines() if line.startswith("| `")]


def row(action: Action) -> str:
    """Returns the row that an action ought to have."""
    arguments = ", ".join(f"`{item.name}`" + "?" * item.optional for item in action.arguments)
    return f"| `{action.name}` | {action.says} | {arguments} | {action.effects} |"
