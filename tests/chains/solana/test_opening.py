"""Settings open the cluster that they name, and `mercato chains serve-solana` is a node until it is stopped."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from mercato.chains.errors import BadAnswer
from mercato.chains.opening import close_cluster, need_solders, open_cluster
from mercato.chains.settings import ChainSettings
from mercato.chains.solana import clusters
from mercato.chains.solana.facade import SolanaFacade
from mercato.chains.solana.local import LocalCluster
from mercato.chains.solana.testing import keys
from mercato.core.errors import ConfigError
from mercato.core.settings import Secret
from tests.chains.node import Node

PROGRAM = [str(Path(sys.executable).with_name("mercato")), "chains", "serve-solana"]
BEN = keys()[1].address
MAINNET_GENESIS = "5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d"


@pytest.fixture
def node() -> Iterator[Node]:
    made = Node()
    made.results = {"getGenesisHash": MAINNET_GENESIS}
    yield made
    made.server.shutdown()
    made.server.server_close()


def test_without_a_node_the_cluster_is_in_this_process() -> None:
    found = open_cluster(ChainSettings())

    assert isinstance(found, LocalCluster)
    close_cluster(found)
    assert found.height() == 0


def test_a_node_is_reached_where_one_is_named(facade: SolanaFacade) -> None:
    found = open_cluster(ChainSettings(solana_rpc=Secret(facade.url)))

    assert (found.name, found.height()) == (clusters.EMBEDDED, 0)
    close_cluster(found)


def test_a_public_cluster_must_be_meant(node: Node) -> None:
    with pytest.raises(BadAnswer, match="a public one"):
        open_cluster(ChainSettings(solana_rpc=Secret(node.url)))
    with pytest.raises(BadAnswer, match="expected solana:EtWTRABZ"):
        open_cluster(ChainSettings(solana_rpc=Secret(node.url), solana_cluster="devnet"))
    found = open_cluster(ChainSettings(solana_rpc=Secret(node.url), solana_cluster="mainnet"))
    assert found.name == clusters.MAINNET
    close_cluster(found)


def test_a_missing_extra_is_named() -> None:
    with pytest.raises(ConfigError, match=r"mercato\[solana\]"):
        need_solders("no_such_library")


def test_a_fresh_cluster_is_served_until_a_signal_ends_it() -> None:
    with subprocess.Popen([*PROGRAM, "--port", "0"], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            first = process.stdout.readline()
            (url,) = re.findall(r"http://127\.0\.0\.1:\d+", first)
            answers = [
                httpx.post(url, json={"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).json()["result"]
                for method, params in (("requestAirdrop", [BEN, 10**9]), ("getGenesisHash", []), ("getSlot", []))
            ]
        finally:
            process.send_signal(signal.SIGINT)
        rest = process.stdout.read()

    assert f"Simulated cluster {clusters.EMBEDDED}" in first
    assert "requestAirdrop" in rest
    assert answers[1:] == [clusters.GENESIS, 1]
    assert process.returncode == 0


def test_a_port_that_is_taken_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ran = subprocess.run([*PROGRAM, "--port", port], capture_output=True, text=True, timeout=60)

    assert ran.returncode == 2
    assert "choose another port" in ran.stderr
