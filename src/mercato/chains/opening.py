"""Opening the chain, and the Solana cluster, that the settings name."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from mercato.chains.errors import BadAnswer, Unreachable
from mercato.chains.model import Chain, Signer
from mercato.core.errors import ConfigError

if TYPE_CHECKING:
    from mercato.chains.settings import ChainSettings
    from mercato.chains.solana.model import Cluster

#: The file of the data folder in which a running Mercato says where its chain is.
NODE = "chain.url"
SOLANA_PORT = 8899  # of every development node of Solana, and of our façade where it is free


def open_chain(settings: ChainSettings, signers: Iterable[Signer] = ()) -> Chain:
    """Returns the chain in this process, or the one at the node that `settings.rpc` names, whose chain id is checked.

    `signers`, and the one of `settings.key`, sign at a node; the chain in this process takes any sender's word. Raises
    Unreachable or BadAnswer where the node is not there or another.
    """
    if not settings.rpc:
        from mercato.chains.evm.local import LocalChain

        return LocalChain(settings.chain_id, engine=settings.engine)
    from mercato.chains.evm.endpoint import Endpoint
    from mercato.chains.evm.rpc import Rpc
    from mercato.chains.signing import Key

    keys = (Key(settings.key),) if settings.key else ()
    endpoint = Endpoint(settings.rpc, seconds=settings.seconds, octets=settings.octets)
    try:
        return Rpc(endpoint, settings.chain_id, (*signers, *keys), allow_real_chains=settings.allow_real_chains)
    except BaseException:
        endpoint.close()
        raise


def open_beside(settings: ChainSettings, home: Path, signers: Iterable[Signer] = ()) -> Chain | None:
    """Returns the chain at the node of the settings, else the one that a running Mercato serves on this machine; None
    where nobody answers there. `home` is the data folder."""
    if settings.rpc:
        return open_chain(settings, signers)
    from mercato.core.settings import Secret

    told = home / NODE
    beside = told.read_text(encoding="utf-8").strip() if told.is_file() else f"http://127.0.0.1:{settings.facade_port}"
    try:
        return open_chain(settings.model_copy(update={"rpc": Secret(beside)}), signers)
    except (Unreachable, BadAnswer):
        return None


def close_chain(chain: Chain) -> None:
    """Closes the connections of a chain at a node; a chain in this process has none."""
    from mercato.chains.evm.rpc import Rpc

    if isinstance(chain, Rpc):
        chain.close()


def open_cluster(settings: ChainSettings) -> Cluster:
    """Returns the Solana cluster in this process, or the one at the node that `settings.solana_rpc` names.

    Raises ConfigError without the extra `solana`; Unreachable or BadAnswer where the node is not there, or of another
    cluster than the settings say.
    """
    need_solders()
    if not settings.solana_rpc:
        from mercato.chains.solana.local import LocalCluster

        return LocalCluster()
    from mercato.chains.solana import clusters, rpc

    expected = clusters.PUBLIC.get(settings.solana_cluster)
    found = rpc.connect(
        settings.solana_rpc, expected, seconds=settings.seconds, octets=settings.octets,
        allow_real_chains=settings.allow_real_chains,
    )  # fmt: skip
    if expected is None and found.name in clusters.PUBLIC.values():
        found.close()
        raise BadAnswer(f"cluster of the node was {found.name}, a public one", hint="see `solana_cluster`")
    return found


def open_cluster_beside(settings: ChainSettings) -> Cluster | None:
    """Returns the cluster at the node of the settings, else the one that this machine serves at the usual port; None
    where nobody answers there. Errors as `open_cluster`."""
    if settings.solana_rpc:
        return open_cluster(settings)
    from mercato.core.settings import Secret

    beside = settings.model_copy(update={"solana_rpc": Secret(f"http://127.0.0.1:{SOLANA_PORT}")})
    try:
        return open_cluster(beside)
    except (Unreachable, BadAnswer):
        return None


def close_cluster(cluster: Cluster) -> None:
    """Closes the connections of a cluster at a node; one in this process has none."""
    from mercato.chains.solana.rpc import RemoteCluster

    if isinstance(cluster, RemoteCluster):
        cluster.close()


def need_solders(name: str = "solders") -> None:
    """Raises ConfigError where the library is missing that everything of Solana needs."""
    if find_spec(name) is None:
        raise ConfigError("extra `solana` was not installed", hint="pip install 'mercato[solana]'")
