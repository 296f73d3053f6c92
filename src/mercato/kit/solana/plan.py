"""What an intent comes to on Solana: transactions of instructions, before anything is signed.

    plan("Send SOL", transfer_lamports(ground.account, to, amount))

A transaction is tried and sent as a whole. The rail puts the compute budget in front: as many units as the dry run used
and a little more, at the plan's price or the rail's. Lookup tables go by their addresses; the rail reads from the chain
what is in them, since whoever names a table may be wrong about it. `signers` hold keys that sign once and are not kept,
such as a new mint's; an account that `create_account_with_seed` makes of the acting account and `Ground.seed` needs
none. Several transactions are tried in their order where the cluster can do it, and refused as unclear at a node.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from mercato.chains.solana.model import Address, Cluster, Instruction, Signer
from mercato.core.events import Json
from mercato.kit.model import Plan, Trade


@dataclass(frozen=True, slots=True)
class Ground:
    """Where an action happens: a cluster, and the account that acts. `seed` is the intent's id, "" where it reads."""

    cluster: Cluster
    account: Address
    seed: str = ""


@dataclass(frozen=True, slots=True)
class Transaction:
    """One transaction before it is signed: its instructions without a compute budget, lookup tables, further keys."""

    title: str
    instructions: tuple[Instruction, ...]
    signers: tuple[Signer, ...] = field(default=(), repr=False)
    tables: tuple[Address, ...] = ()

    def body(self) -> dict[str, Json]:
        """Returns the transaction as JSON."""
        return {
            "title": self.title,
            "instructions": [
                {
                    "program": one.program,
                    "accounts": [
                        {"address": meta.address, "signer": meta.signer, "writable": meta.writable}
                        for meta in one.accounts
                    ],
                    "data": "0x" + one.data.hex(),
                }
                for one in self.instructions
            ],
            "signers": [signer.address for signer in self.signers],
            "tables": list(self.tables),
        }


@dataclass(frozen=True, slots=True)
class SolanaPlan(Plan):
    """A plan for a Solana cluster. `price` is micro-lamports for each unit of computing; None leaves it to the rail."""

    transactions: tuple[Transaction, ...] = ()
    price: int | None = None

    def body(self) -> dict[str, Json]:
        """Returns the plan as JSON."""
        return {
            "steps": [one.body() for one in self.transactions],
            **({"message": dict(self.message.shown)} if self.message else {}),
        }


def plan(
    title: str,
    *instructions: Instruction,
    signers: tuple[Signer, ...] = (),
    tables: tuple[Address, ...] = (),
    price: int | None = None,
    trade: Trade | None = None,
) -> SolanaPlan:
    """Returns the plan of one transaction."""
    return SolanaPlan(trade=trade, transactions=(Transaction(title, instructions, signers, tables),), price=price)
