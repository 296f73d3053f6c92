"""Whatever holds a secret is read by one rule: nobody but its owner may."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mercato.compute.addresses import secret
from mercato.compute.guarded import read
from mercato.compute.node.keyfile import opened
from mercato.compute.signing import KEY_FILE, signer
from mercato.core.errors import ConfigError

READERS = [
    opened, lambda path: read(path, "it"), lambda path: signer(path.parent), lambda path: secret(path.name, path.parent)
]  # fmt: skip


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o601])
@pytest.mark.parametrize("reader", READERS)
def test_a_file_that_others_may_touch_is_not_read(tmp_path: Path, reader: Callable[[Path], object], mode: int) -> None:
    path = tmp_path / KEY_FILE
    path.write_text("ab" * 32)
    path.chmod(mode)

    with pytest.raises(ConfigError, match=f"open to others, mode {mode:o}"):
        reader(path)


def test_links_are_followed_unless_they_must_not_be(tmp_path: Path) -> None:
    """Whoever mounts secrets into a container does so by links."""
    (tmp_path / "there").write_text("word")
    (tmp_path / "there").chmod(0o600)
    (tmp_path / "link").symlink_to(tmp_path / "there")

    assert read(tmp_path / "link", "it") == b"word"
    with pytest.raises(ConfigError, match="not readable"):
        read(tmp_path / "link", "it", links=False)
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "nothing", "it")
