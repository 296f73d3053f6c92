"""The reader of pages itself: it must be able to fail."""

from __future__ import annotations

from tests.docs.pages import blocks, commands, matches

PAGE = """\
Text.

<!-- not run: it needs the network -->
```sh
curl
```

```console
$ echo one
one
$ echo two
```
"""


def test_blocks_know_their_language_and_whether_they_are_excused() -> None:
    found = [(block.language, block.excused) for block in blocks(PAGE)]

    assert found == [("sh", True), ("console", False)]


def test_a_console_block_is_pairs_of_command_and_output() -> None:
    assert commands(blocks(PAGE)[1].text) == [("echo one", "one"), ("echo two", "")]


def test_output_must_match_except_where_the_page_says_dots() -> None:
    assert matches("a ... c", "a b\nx c\n")
    assert not matches("a ... c", "a b")
    assert not matches("1.0", "1x0")
