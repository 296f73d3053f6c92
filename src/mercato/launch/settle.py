"""Settling a whole case: by the model, or by the real contract on an embedded chain with exact gas.

Each bid settles by itself: in the `evm` engine it stands on an account of its own, whoever its bidder is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mercato.core.errors import InvalidInput
from mercato.launch.case import Bid, Case
from mercato.launch.clearing import RETAIL, Clearing, Fill, aggregate, clear, settle

if TYPE_CHECKING:
    from mercato.chains import Address
    from mercato.chains.evm.local import EngineName
    from mercato.launch.stage import Stage

MOST_ON_CHAIN = 10_000


@dataclass(frozen=True, slots=True)
class Settlement:
    """How a case came out; `gas` only where the contract ran. Amounts in base units."""

    failed: bool
    k: int
    raised: int
    sold: int
    bids: tuple[tuple[Bid, Fill], ...]
    gas: dict[str, int] | None = None

    def body(self) -> dict[str, Any]:
        """Returns it as JSON values: amounts as text, levels and gas as numbers."""
        bids = [
            {"id": bid.id, "tokens": str(fill.tokens), "charge": str(fill.charge), "refund": str(fill.refund)}
            for bid, fill in self.bids
        ]
        status = "FAILED" if self.failed else "CLEARED"
        said = {"status": status, "k": self.k, "raised": str(self.raised), "sold": str(self.sold), "bids": bids}
        return said if self.gas is None else {**said, "gas": self.gas}


def by_model(case: Case) -> Settlement:
    """Returns what the executable specification says."""
    demand = aggregate((bid.level for bid in case.bids), (bid.amount for bid in case.bids), case.levels)
    found = clear(demand, case.terms)
    return _settlement(found, tuple((bid, settle(bid.level, bid.amount, found)) for bid in case.bids))


def by_contract(case: Case, engine: EngineName = "py-evm") -> Settlement:
    """Returns what the contract does; `gas` of creating, bidding, clearing and claiming, the dearest of each kind.

    Every bidder keeps one unit of quote: a refund into an empty account would cost 17,100 gas more.

    InvalidInput for more than 10,000 bids: the exact engine runs a few hundred transactions a second.
    """
    from mercato.chains.evm.local import LocalChain
    from mercato.launch.credentials import AllowList
    from mercato.launch.stage import Sale, bid, stage

    if len(case.bids) > MOST_ON_CHAIN:
        raise InvalidInput(f"bids were {len(case.bids)}, expected at most {MOST_ON_CHAIN} with --engine evm")
    names = [*Sale.__dataclass_fields__]
    sale = Sale(**{name: getattr(case, name) for name in names if name in Case.__dataclass_fields__})
    accounts = [_account(place) for place in range(len(case.bids))]
    retail = [account for account, item in zip(accounts, case.bids, strict=True) if item.level == RETAIL]
    on = stage(LocalChain(engine=engine), sale, retail=retail)
    listed = AllowList.of(retail) if retail else None
    for account, item in zip(accounts, case.bids, strict=True):
        on.fund(account, item.amount + 1)
    on.open()
    bids = [
        bid(
            on, account, item.level, item.amount, listed.credential(account) if listed and item.level == RETAIL else b""
        )
        for account, item in zip(accounts, case.bids, strict=True)
    ]
    on.over()
    cleared = on.auction.send("clear", sender=accounts[0] if accounts else _account(0)).gas_used
    fills, claims = _claimed(on, accounts, case) if accounts else ((), ())
    gas = {"deploy": on.deployed_gas, "clear": cleared}
    gas |= {"first_bid": bids[0], "bid": max(bids[1:] or bids)} if bids else {}
    gas |= _dearest(zip(map(_kind, fills), claims, strict=True))
    found = Clearing(*on.auction.read("result"))
    return _settlement(found, tuple(zip(case.bids, fills, strict=True)), gas)


def _settlement(found: Clearing, bids: tuple[tuple[Bid, Fill], ...], gas: dict[str, int] | None = None) -> Settlement:
    return Settlement(found.failed, found.k, found.raised, found.sold, bids, gas)


def _claimed(on: Stage, accounts: list[Address], case: Case) -> tuple[tuple[Fill, ...], tuple[int, ...]]:
    """Returns what each bid got and the gas of its claim."""
    fills, gas = [], []
    for account, item in zip(accounts, case.bids, strict=True):
        receipt = on.auction.send("claim", account, item.level, sender=account)
        said = next(event.values for event in on.auction.events(receipt) if event.name == "Claimed")
        fills.append(Fill(said["tokens"], said["charge"], said["refund"]))
        gas.append(receipt.gas_used)
    return tuple(fills), tuple(gas)


def _kind(fill: Fill) -> str:
    """Returns which transfers a claim makes: tokens, both, or a refund alone."""
    if fill.tokens == 0:
        return "claim_of_loser"
    return "claim_with_refund" if fill.refund else "claim"


def _dearest(costs: Iterable[tuple[str, int]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for kind, gas in costs:
        found[kind] = max(gas, found.get(kind, 0))
    return found


def _account(place: int) -> Address:
    from mercato.chains import Address, keccak

    return Address("0x" + keccak(b"bid %d" % place)[12:].hex())
