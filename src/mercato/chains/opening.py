"""Opening the chain that the settings name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from mercato.chains.model import Chain, Signer

if TYPE_CHECKING:
    from mercato.chains.settings import ChainSettings


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


def close_chain(chain: Chain) -> None:
    """Closes the connections of a chain at a node; a chain in this process has none."""
    from mercato.chains.evm.rpc import Rpc

    if isinstance(chain, Rpc):
        chain.close()
