"""The same study on a real Ray cluster of two nodes and in one process: the same files, to the byte."""

import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from mercato.core.errors import ConfigError
from mercato.lab.cluster import cluster
from tests.lab.small import content

NODES = Path(__file__).with_name("two_nodes.py")


@pytest.fixture
def address() -> Iterator[str]:
    """Where a cluster of two nodes listens."""
    quiet = {**os.environ, "RAY_USAGE_STATS_ENABLED": "0", "RAY_DEDUP_LOGS": "0"}
    with subprocess.Popen([sys.executable, str(NODES)], env=quiet, text=True, stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as started:  # fmt: skip
        assert started.stdin is not None
        assert started.stdout is not None
        yield next(line.split()[1] for line in started.stdout if line.startswith("address "))
        started.stdin.close()


def run(out: Path, config: Path, *more: str) -> dict[str, bytes]:
    """Runs a study by the command; returns its files."""
    command = [str(Path(sys.executable).with_name("mercato")), "lab", "run", "--config", str(config), "--out", str(out),
               "--seeds", "10:13", *more]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True, timeout=240)
    return {str(path.relative_to(out)): path.read_bytes() for path in out.rglob("*") if path.is_file()}


@pytest.mark.skipif(find_spec("ray") is None, reason="the extra `ray` is not installed")
def test_two_nodes_write_the_same_bytes_as_one_process(tmp_path: Path, address: str) -> None:
    config = tmp_path / "small.toml"
    config.write_bytes(content())
    alone = run(tmp_path / "alone", config, "--workers", "1")

    assert len([name for name in alone if name.endswith(".jsonl")]) == 20
    assert run(tmp_path / "cluster", config, "--ray", address) == alone


def test_a_cluster_that_is_not_there_is_named() -> None:
    with pytest.raises(ConfigError, match=r"127\.0\.0\.1:1"), cluster("127.0.0.1:1"):
        pytest.fail("nothing listens on port 1")
