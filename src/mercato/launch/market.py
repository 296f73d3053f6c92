"""What became of a token after its auction, read off the chain: its pool, every trade, its holders, what was burnt.

Everything is as of one block, and every trade carries its own, so that whoever doubts a number can look there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from mercato.chains import Address, Chain, Deployed, Hash, Log, LogQuery
from mercato.chains.model import ZERO
from mercato.contracts import load
from mercato.core.errors import Conflict
from mercato.launch.contracts import at
from mercato.launch.model import Launch
from mercato.launch.pool import Pool

_PROXY = (bytes.fromhex("363d3d373d3d3d363d73"), bytes.fromhex("5af43d82803e903d91602b57fd5bf3"))  # EIP-1167


@dataclass(frozen=True, slots=True)
class Swap:
    """A trade: amounts in base units as the trader gave and got them, the fee in quote, and the reserves after it."""

    buys: bool
    given: int
    received: int
    fee: int
    token: int
    quote: int
    trader: Address
    block: int
    time: int
    transaction: Hash

    @property
    def turnover(self) -> int:
        """Returns what was traded, in quote base units, fee included."""
        return self.given if self.buys else self.received + self.fee


@dataclass(frozen=True, slots=True)
class Market:
    """A pool and its token as of a block. `first` is the pool as it opened, `holders` every balance above nothing.

    `behind` is the code that the pool's proxy runs; `ours` says whether it is the pool that this release compiled.
    """

    pool: Address
    first: Pool
    now: Pool
    locker: Address
    swaps: tuple[Swap, ...]
    holders: tuple[tuple[Address, int], ...]
    supply: int
    burnt: int
    owed: tuple[int, int]
    behind: Address
    ours: bool
    opened_in: Hash
    block: int
    time: int


def market(chain: Chain, launch: Launch) -> Market:
    """Returns the market of a live launch; Conflict where it has none."""
    held = launch.contracts
    if held is None or held.pool is None:
        raise Conflict(
            f"launch was {launch.state.value!r}, without a pool", hint="a pool opens when the price is found"
        )
    pool, token = at(chain, "pool", held.pool), at(chain, "agent_token", held.token)
    head = chain.block()
    (opening,) = _logs(chain, pool, "Opened", held.block, head.number)
    first = _words(opening)
    times: dict[int, int] = {}
    swaps = tuple(_swap(chain, log, times) for log in _logs(chain, pool, "Swapped", held.block, head.number))
    opened = pool.read("opened_at")
    reserves = pool.read("reserves")
    balances, burnt = _balances(_logs(chain, token, "Transfer", held.block, head.number))
    behind, ours = runs_ours(chain, held.pool)
    return Market(
        pool=held.pool,
        first=Pool(first[0], first[1], opened),
        now=Pool(reserves[0], reserves[1], opened),
        locker=pool.read("locker"),
        swaps=swaps,
        holders=tuple(sorted(balances.items(), key=lambda item: (-item[1], item[0]))),
        supply=sum(balances.values()),
        burnt=burnt,
        owed=pool.read("owed"),
        behind=behind,
        ours=ours,
        opened_in=opening.transaction,
        block=head.number,
        time=head.time,
    )


def _logs(chain: Chain, contract: Deployed, event: str, first: int, last: int) -> Sequence[Log]:
    topic = frozenset({contract.interface.topic(event)})
    return chain.logs(LogQuery(first, last, frozenset({contract.address}), (topic,)))


def _words(log: Log) -> list[int]:
    """Returns the fields of a log that are not indexed; of the three events read here each is one word.

    A pool has thousands of trades, and a general decoder takes a hundred times as long for them.
    """
    return [int.from_bytes(log.data[at : at + 32], "big") for at in range(0, len(log.data), 32)]


def _account(topic: bytes) -> Address:
    return Address("0x" + topic[12:].hex())


def _swap(chain: Chain, log: Log, times: dict[int, int]) -> Swap:
    if log.block not in times:
        times[log.block] = chain.block(log.block).time
    buys, given, received, fee, token, quote = _words(log)
    trader = _account(log.topics[1])
    return Swap(bool(buys), given, received, fee, token, quote, trader, log.block, times[log.block], log.transaction)


def _balances(logs: Sequence[Log]) -> tuple[dict[Address, int], int]:
    """Returns every balance that is not nothing, and what was burnt: the sum of what left to nobody."""
    held: Counter[Address] = Counter()
    burnt = 0
    for log in logs:
        sender, receiver, (amount,) = _account(log.topics[1]), _account(log.topics[2]), _words(log)
        held[sender] -= amount
        held[receiver] += amount
        burnt += amount if receiver == ZERO else 0
    return {account: amount for account, amount in held.items() if amount > 0 and account != ZERO}, burnt


def runs_ours(chain: Chain, pool: Address) -> tuple[Address, bool]:
    """Returns which contract's code a pool runs, and whether that is the pool of this release, immutables aside."""
    code = chain.code(pool)
    before, after = _PROXY
    if not (code.startswith(before) and code.endswith(after) and len(code) == len(before) + 20 + len(after)):
        return pool, code.startswith(load("pool").runtime)
    behind = Address("0x" + code[len(before) : len(before) + 20].hex())
    return behind, chain.code(behind).startswith(load("pool").runtime)
