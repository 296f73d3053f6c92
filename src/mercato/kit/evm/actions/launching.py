"""Taking part in launches, and making a token of one's own."""

from __future__ import annotations

from mercato.chains import Address, Interface
from mercato.chains.addresses import create_address
from mercato.contracts import load
from mercato.kit.actions import Argument, Catalogue, Ground
from mercato.kit.errors import BadArgument
from mercato.kit.evm.actions.contracts import approvals, ask, step
from mercato.kit.model import Plan, Step

ACTIONS = Catalogue()
AUCTION = Argument("auction", "address", "The launch's auction.")
LEVEL = Argument("level", "whole", "The price level, from 0.")
AMOUNT = Argument("amount", "units", "How much quote money, in base units.")


@ACTIONS.action(
    "launch-bid", "Bids in a launch's auction.", AUCTION, LEVEL, AMOUNT,
    effects="the amount of quote money leaves for the auction, until it is claimed or cancelled",
)  # fmt: skip
def bid(ground: Ground, auction: Address, level: int, amount: int) -> Plan:
    """Returns the approval that is needed, and the bid."""
    quote = _quote(ground, auction)
    made = step("Bid", auction, _interface("auction"), "bid", level, amount)
    return Plan((*approvals(ground.chain, ground.account, quote, auction, amount), made), _names(ground, quote))


@ACTIONS.action(
    "launch-improve", "Moves money of a bid to a higher level.", AUCTION,
    Argument("low", "whole", "The level where it is."), Argument("high", "whole", "The level where it shall be."),
    AMOUNT, effects="none on the account's balances: the money stays in the auction",
)  # fmt: skip
def improve(ground: Ground, auction: Address, low: int, high: int, amount: int) -> Plan:
    """Returns one call of `improve`."""
    made = step("Improve a bid", auction, _interface("auction"), "improve", low, high, amount)
    return Plan((made,), _names(ground, _quote(ground, auction)))


@ACTIONS.action(
    "launch-cancel", "Takes money of a bid back, while bids are not firm yet.", AUCTION, LEVEL, AMOUNT,
    effects="the amount of quote money comes back",
)  # fmt: skip
def cancel(ground: Ground, auction: Address, level: int, amount: int) -> Plan:
    """Returns one call of `cancel`."""
    made = step("Cancel a bid", auction, _interface("auction"), "cancel", level, amount)
    return Plan((made,), _names(ground, _quote(ground, auction)))


@ACTIONS.action(
    "launch-claim", "Takes what a bid gave once its auction is cleared: tokens and refund.", AUCTION, LEVEL,
    effects="tokens and what was not used of the bid come",
)  # fmt: skip
def claim(ground: Ground, auction: Address, level: int) -> Plan:
    """Returns one call of `claim`."""
    made = step("Claim", auction, _interface("auction"), "claim", ground.account, level)
    return Plan((made,), _names(ground, _quote(ground, auction)))


@ACTIONS.action(
    "launch-apply", "Leaves the deposit of an application to launch.",
    Argument("deposit", "address", "The deposits' contract."),
    Argument("application", "hex", "The application's hash, 32 bytes."),
    effects="the deposit leaves for the contract, until the review gives it back",
)  # fmt: skip
def apply(ground: Ground, deposit: Address, application: bytes) -> Plan:
    """Returns the approval that is needed, and the deposit."""
    if len(application) != 32:
        raise BadArgument(f"application was {len(application)} bytes long", hint="expected its hash, 32 bytes")
    of = _interface("deposit")
    quote = Address(ask(ground.chain, deposit, of, "QUOTE"))
    amount = ask(ground.chain, deposit, of, "AMOUNT")
    made = step("Leave the deposit", deposit, of, "submit", application)
    return Plan((*approvals(ground.chain, ground.account, quote, deposit, amount), made), _names(ground, quote))


@ACTIONS.action(
    "deploy-token", "Creates a token (ERC-20 with 18 decimals) whose whole supply the account gets.",
    Argument("title", "text", "Its name."), Argument("symbol", "text", "Its symbol."),
    Argument("supply", "units", "How much there is of it, in base units."),
    effects="a contract is created, its supply comes; nobody can make more",
)  # fmt: skip
def deploy_token(ground: Ground, title: str, symbol: str, supply: int) -> Plan:
    """Returns its creation, the issue of the supply, and the end of its lock."""
    if not 0 < len(title.encode()) <= 64 or not 0 < len(symbol.encode()) <= 16 or supply == 0:
        raise BadArgument(f"token was {title!r:.80}, {symbol!r:.40}, {supply}", hint="a name, a symbol and a supply")
    of, artifact = _interface("agent_token"), load("agent_token")
    token = create_address(ground.account, ground.chain.nonce(ground.account))
    steps = (
        Step("Create the token", "", of.construct(artifact.bytecode, title, symbol)),
        step("Issue the supply", token, of, "issue", ground.account, [ground.account], [supply]),
        step("Let everyone move it", token, of, "go_live"),
    )
    return Plan(steps)


def _interface(name: str) -> Interface:
    return Interface(load(name).abi)


def _quote(ground: Ground, auction: Address) -> Address:
    of = _interface("auction")
    entry = next(item for item in of.abi if item.get("name") == "params")
    names = [part["name"] for part in entry["outputs"][0]["components"]]
    return Address(dict(zip(names, ask(ground.chain, auction, of, "params"), strict=True))["quote"])


def _names(ground: Ground, *tokens: Address) -> tuple[str, ...]:
    return tuple(f"{ground.chain.name}/erc20:{token}" for token in tokens)
