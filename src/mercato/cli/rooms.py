"""Rooms on the command line: named here, imported only when one of their commands runs."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from typer.core import TyperGroup
from typer.main import get_command

#: Room -> the line that `mercato --help` shows. Its commands are `mercato.<room>.commands:app`.
ROOMS = {
    "launch": "Launch an agent's token through a fair auction.",
    "lab": "Test launch mechanisms against the bots that attack them.",
    "kit": "Let an agent act on a chain: tried, judged, journaled.",
    "compute": "Serve open models from anyone, verified and metered.",
    "chains": "Serve the embedded chain to wallets and scripts.",
    "market": "Measure tokenized open-source AI, with every figure traced.",
}


class Room(TyperGroup):
    """Stands for a room's commands until one of them is asked for."""

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """Returns the context of the room's real commands, importing them now."""
        commands = import_module(f"mercato.{self.name}.commands")
        commands.app.rich_markup_mode = None  # as the root: plain help, quickly
        return get_command(commands.app).make_context(info_name, args, parent=parent, **extra)


class Root(TyperGroup):
    """The root's own commands, and after them the rooms."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Returns the names of all commands, rooms last."""
        return [*super().list_commands(ctx), *ROOMS]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Returns a command of the root, or a room that is not imported yet."""
        if cmd_name in ROOMS:
            return Room(name=cmd_name, help=ROOMS[cmd_name])
        return super().get_command(ctx, cmd_name)
