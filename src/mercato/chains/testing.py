"""Doubles for tests and examples: a chain in this process, with ten rich accounts whose keys everybody knows.

`Interrupted` is another chain with something happening before each of its answers, such as `faults`.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from mercato.chains.errors import BadAnswer, Unreachable
from mercato.chains.evm.local import START, EngineName, LocalChain
from mercato.chains.model import Address, Block, Call, Chain, Fees, Hash, Log, LogQuery, Outcome, Receipt
from mercato.core import chain as names

# The accounts of the mnemonic "test test test test test test test test test test test junk", which development nodes
# share (BIP-39, path m/44'/60'/0'/0/n). Their keys are public: money sent to them on a real chain is lost.
KEYS = tuple(
    bytes.fromhex(key)
    for key in (
        "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
        "59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
        "5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a",
        "7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6",
        "47e179ec197488593b187f80a00eb0da91f1b9d0b13f8733639f19c30a34926a",
        "8b3a350cf5c34c9194ca85829a2df0ec3153be0318b5e2d3348e872092edffba",
        "92db14e403b83dfe3df233f83dfa3a0d7096f21ca9b0d6d6b8d88b2b4ec1564e",
        "4bbbf85ce3377467afe5d46f804f221813b2bb87f24d81f60f1fcdbf7cbf4356",
        "dbda1821b80551c9d65939329250298aa3472ba22feea921c0cf5d620ea67b97",
        "2a871d0798f97d79848a013d4936a73bf4cc922c825d33c1cf7073dff6d409c6",
    )
)
ACCOUNTS = tuple(
    Address(address)
    for address in (
        "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266",
        "0x70997970c51812dc3a010c7d01b50e0d17dc79c8",
        "0x3c44cdddb6a900fa2b585dd299e03d12fa4293bc",
        "0x90f79bf6eb2c4f870365e785982e1f101e93b906",
        "0x15d34aaf54267db7d7c367839aaf71a00a2c6a65",
        "0x9965507d1a55bcc2695c58ba16fb37d819b0a4dc",
        "0x976ea74026e726554db657fa54763abd0c3a0aa9",
        "0x14dc79964da2c08b23698b3d3cc7ca32193d9955",
        "0x23618e81e3f5cdf7f54c3d65f7fbc0abf5b21e8f",
        "0xa0ee7a142d267c1f36714e4a8f75612f20a79720",
    )
)
ETHER = 10**18


def local(engine: EngineName = "pyrevm", *, automine: bool = True, start: int = START) -> LocalChain:
    """Returns an embedded chain on which each of ACCOUNTS has 10,000 ether."""
    chain = LocalChain(start=start, engine=engine, automine=automine)
    for account in ACCOUNTS:
        chain.fund(account, 10_000 * ETHER)
    return chain


class Interrupted(Chain):
    """The answers of another chain; `before` is called with the name of each question first, and may raise."""

    def __init__(self, chain: Chain, before: Callable[[str], None]) -> None:
        self._chain, self._before = chain, before

    @property
    def name(self) -> names.Chain:
        """The other chain's name; never interrupted."""
        return self._chain.name

    def send(self, call: Call) -> Hash:
        """Sends a transaction."""
        self._before("send")
        return self._chain.send(call)

    def send_raw(self, signed: bytes) -> Hash:
        """Sends a signed transaction."""
        self._before("send_raw")
        return self._chain.send_raw(signed)

    def receipt(self, transaction: Hash) -> Receipt | None:
        """Returns a receipt."""
        self._before("receipt")
        return self._chain.receipt(transaction)

    def wait(self, transaction: Hash, seconds: int = 60) -> Receipt:
        """Returns a receipt once there is one."""
        self._before("wait")
        return self._chain.wait(transaction, seconds)

    def call(self, call: Call, at: int | None = None) -> bytes:
        """Returns what a call gives back."""
        self._before("call")
        return self._chain.call(call, at)

    def simulate(self, calls: Sequence[Call]) -> tuple[Outcome, ...]:
        """Returns what calls would do."""
        self._before("simulate")
        return self._chain.simulate(calls)

    def storage(self, address: Address, slot: int) -> int:
        """Returns a word of storage."""
        self._before("storage")
        return self._chain.storage(address, slot)

    def fees(self, blocks: int = 20) -> Fees:
        """Returns what gas costs."""
        self._before("fees")
        return self._chain.fees(blocks)

    def logs(self, query: LogQuery) -> tuple[Log, ...]:
        """Returns logs."""
        self._before("logs")
        return self._chain.logs(query)

    def balance(self, address: Address) -> int:
        """Returns wei."""
        self._before("balance")
        return self._chain.balance(address)

    def nonce(self, address: Address) -> int:
        """Returns the next transaction's number."""
        self._before("nonce")
        return self._chain.nonce(address)

    def code(self, address: Address) -> bytes:
        """Returns code."""
        self._before("code")
        return self._chain.code(address)

    def block(self, number: int | None = None) -> Block:
        """Returns a block."""
        self._before("block")
        return self._chain.block(number)

    def time(self) -> int:
        """Returns the newest block's time."""
        self._before("time")
        return self._chain.time()


def faults(chance: random.Random, percent: int) -> Callable[[str], None]:
    """Returns what makes that share of answers fail: some never come, some are nonsense."""

    def before(question: str) -> None:
        if chance.randrange(100) < percent:
            raise chance.choice([Unreachable, BadAnswer])(f"{question} was refused on purpose", hint="a test does this")

    return before
