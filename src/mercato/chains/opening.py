"""Opening the chain that the settings name."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from mercato.chains.errors import BadAnswer, Unreachable
from mercato.chains.model import Chain, Signer
from mercato.core.settings import Secret

if TYPE_CHECKING:
    from mercato.chains.settings import ChainSettings

#: The file of the data folder in which a running Mercato says where its chain is.
NODE = "chain.url"


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
