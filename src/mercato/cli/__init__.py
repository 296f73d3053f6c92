"""The command line: `mercato`. Rooms attach their commands lazily, so that `mercato --help` stays quick."""

from mercato.cli.root import main

__all__ = ["main"]
