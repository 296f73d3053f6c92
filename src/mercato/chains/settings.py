"""The chains room's settings."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from mercato.core.settings import Secret, Section


class ChainSettings(Section):
    """Without `rpc` the chain lives in this process, with `engine`; with it, such as http://127.0.0.1:8545, at a node.
    The address is a secret, because providers put their keys into it.

    `chain_id` is what the node must answer with. Nothing is sent to a chain where money may be real unless
    `allow_real_chains` is true. `key`, 64 hexadecimal digits, signs what Mercato itself sends to a node; without one
    the node signs for the accounts that it holds. `seconds` and `octets` bound one answer of the node. The embedded
    chain speaks JSON-RPC on `facade_port`, or on a free port where that one is taken.

    Solana is beside it: without `solana_rpc` its cluster lives in this process, with it, such as http://127.0.0.1:8899,
    at a node, which must be of `solana_cluster`. Bounds and fuse are the same.
    """

    name: ClassVar[str] = "chains"
    rpc: Secret = Secret("")
    chain_id: int = Field(31337, gt=0)
    engine: Literal["pyrevm", "py-evm"] = "pyrevm"
    key: Secret = Secret("")
    allow_real_chains: bool = False
    seconds: float = Field(10.0, gt=0, le=600)
    octets: int = Field(32_000_000, gt=0)
    facade_port: int = Field(8545, ge=0, le=65535)
    solana_rpc: Secret = Secret("")
    solana_cluster: Literal["local", "devnet", "testnet", "mainnet"] = "local"
