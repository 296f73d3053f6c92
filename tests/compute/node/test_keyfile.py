"""A node's key is in one file that nobody else reads, and signs for one purpose at a time."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from mercato.compute.node.keyfile import NodeKey, opened, verifies
from mercato.core.errors import ConfigError


def test_a_key_is_made_once_and_found_again(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "node.pem"

    first, second = opened(path), opened(path)

    assert first.public == second.public
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_a_key_that_others_can_read_is_not_used(tmp_path: Path) -> None:
    path = tmp_path / "node.pem"
    opened(path)
    path.chmod(0o640)

    with pytest.raises(ConfigError, match="open to others, mode 640"):
        opened(path)


@pytest.mark.parametrize("content", [b"", b"no key", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"])
def test_a_damaged_key_file_is_refused_and_left_as_it_is(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "node.pem"
    path.write_bytes(content)
    path.chmod(0o600)

    with pytest.raises(ConfigError, match="no Ed25519 key"):
        opened(path)
    assert path.read_bytes() == content


def test_a_link_in_the_place_of_the_key_is_not_followed(tmp_path: Path) -> None:
    opened(tmp_path / "node.pem")
    (tmp_path / "link.pem").symlink_to(tmp_path / "node.pem")

    with pytest.raises(ConfigError, match="not readable"):
        opened(tmp_path / "link.pem")


def test_a_signature_holds_for_its_purpose_message_and_key_only() -> None:
    key, other = NodeKey.new(), NodeKey.new()
    made = key.sign("offers", b"hello")

    assert verifies(key.public, "offers", b"hello", made)
    assert not verifies(key.public, "tunnel", b"hello", made)
    assert not verifies(key.public, "offers", b"hellO", made)
    assert not verifies(other.public, "offers", b"hello", made)
    assert not verifies("zz", "offers", b"hello", made)
    assert not verifies(key.public, "offers", b"hello", made[:-1])


def test_a_key_does_not_show_itself() -> None:
    key = NodeKey.new()
    secret = key.pem().decode().splitlines()[1]

    assert secret not in f"{key!r} {key} {vars(type(key))}"
    with pytest.raises(TypeError):
        pickle.dumps(key)
