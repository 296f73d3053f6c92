"""What a wallet is asked to sign: each verb as unsigned transactions, in order, tried on the chain before it is shown.

Preparing is free and may be repeated: nothing is kept, and nobody's key is here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from mercato.chains import Address, Chain, Deployed
from mercato.contracts import load
from mercato.core.errors import Conflict, InvalidInput
from mercato.launch.auctions import Auctions, known_level
from mercato.launch.authorization import Authorization, authorization, parts
from mercato.launch.clearing import LEVELS, RETAIL
from mercato.launch.contracts import at
from mercato.launch.deployment import Deployment
from mercato.launch.model import Launch, Request
from mercato.launch.trading import PATIENCE, least, place, quoted, void_after

CREDENTIAL = 1025  # bytes at most, as the gate takes them


class Wallet:
    """Writes transactions for others to sign, on one chain's deployment."""

    def __init__(self, chain: Chain, deployment: Deployment) -> None:
        self._chain, self._deployment = chain, deployment
        self._auctions = Auctions(chain)
        self._quote = at(chain, "test_dollar", deployment.quote)

    def bid(
        self, launch: Launch, bidder: Address, level: int, amount: int, credential: bytes = b""
    ) -> tuple[Request, ...]:
        """Returns an approval where the allowance is too small, then the bid; level RETAIL needs a credential."""
        known_level(level, LEVELS)
        if amount <= 0:
            raise InvalidInput(f"amount was {amount!r}", hint="expected quote base units above 0")
        if len(credential) > CREDENTIAL:
            raise InvalidInput(f"credential was {len(credential)} bytes long", hint=f"at most {CREDENTIAL}")
        auction = self._auctions.auction(launch)
        if level == RETAIL:
            bid = _request("Bid in the retail tranche", auction, bidder, "bid_retail", amount, credential)
        else:
            bid = _request(f"Bid at level {level}", auction, bidder, "bid", level, amount)
        return self._tried([*self._approval(bidder, auction.address, amount), bid])

    def authorization(self, launch: Launch, bidder: Address, level: int, amount: int) -> Authorization:
        """Returns what a bidder signs so that somebody else can bring the bid; good until the window's present end."""
        known_level(level, LEVELS)
        if level == RETAIL:
            raise InvalidInput("level was retail, which takes no bids by signature", hint="send a retail bid yourself")
        if amount <= 0:
            raise InvalidInput(f"amount was {amount!r}", hint="expected quote base units above 0")
        auction = self._auctions.auction(launch)
        ends = self._auctions.ends(launch)
        return authorization(self._chain, auction, self._quote, bidder, level, amount, ends)

    def bring(
        self, launch: Launch, sender: Address, bidder: Address, level: int, amount: int, *, salt: bytes,
        valid_before: int, signature: bytes,
    ) -> tuple[Request, ...]:  # fmt: skip
        """Returns a bid that its bidder signed, as a transaction of whoever brings it."""
        if len(salt) != 32:
            raise InvalidInput(f"salt was {len(salt)} bytes long", hint="bring the one that came with what was signed")
        v, r, s = parts(signature)
        auction = self._auctions.auction(launch)
        arguments = (bidder, level, amount, 0, valid_before, salt, v, r, s)
        title = f"Bring a signed bid at level {level}"
        return self._tried([_request(title, auction, sender, "bid_with_authorization", *arguments)])

    def improve(self, launch: Launch, bidder: Address, low: int, high: int, amount: int) -> tuple[Request, ...]:
        """Returns the move of money from one level to a higher one."""
        auction = self._auctions.auction(launch)
        title = f"Move a bid from level {low} to level {high}"
        return self._tried([_request(title, auction, bidder, "improve", low, high, amount)])

    def cancel(self, launch: Launch, bidder: Address, level: int, amount: int) -> tuple[Request, ...]:
        """Returns the withdrawal of money from a level; the auction refuses it once bids are firm."""
        title = f"Take money back from level {level}"
        return self._tried([_request(title, self._auctions.auction(launch), bidder, "cancel", level, amount)])

    def claim(self, launch: Launch, bidder: Address, level: int) -> tuple[Request, ...]:
        """Returns the payout of a bid: tokens and refund go to the bidder, whoever sends it."""
        auction = self._auctions.auction(launch)
        return self._tried([_request(f"Claim the bid at level {level}", auction, bidder, "claim", bidder, level)])

    def trade(
        self, launch: Launch, trader: Address, *, buys: bool, amount: int, slippage_bps: int, floor: int = 0,
        patience: int = PATIENCE,
    ) -> tuple[Request, ...]:  # fmt: skip
        """Returns an approval where the allowance is too small, then a trade, void after `patience` seconds.

        It gives `floor` at least, also where a smaller one would be within the slippage of the price by now.
        """
        found = quoted(self._chain, launch, buys, amount)
        pool = at(self._chain, "pool", place(launch))
        token = self._quote if buys else at(self._chain, "agent_token", self._auctions.token(launch))
        symbol = launch.application.symbol
        title = f"Buy {symbol}" if buys else f"Sell {symbol}"
        arguments = (amount, max(floor, least(found, slippage_bps)), void_after(self._chain, patience), trader)
        verb = "buy" if buys else "sell"
        swap = _request(title, pool, trader, verb, *arguments)
        return self._tried([*self._approval(trader, pool.address, amount, token), swap])

    def deposit(self, launch: Launch, appeal: bool = False) -> tuple[Request, ...]:
        """Returns the applicant's deposit, or the bond of an appeal, as transactions."""
        applicant = Address(launch.application.applicant)
        contract = at(self._chain, "deposit", self._deployment.deposit)
        amount = self._deployment.deposit_amount * 3 // 2 if appeal else self._deployment.deposit_amount
        verb, title = ("appeal", "Leave the bond of an appeal") if appeal else ("submit", "Leave the deposit")
        application = bytes.fromhex(launch.application.hash[2:])
        pay = _request(title, contract, applicant, verb, application)
        return self._tried([*self._approval(applicant, contract.address, amount), pay])

    def faucet(self, account: Address, amount: int) -> tuple[Request, ...]:
        """Returns a transaction that gives an account test dollars; Conflict where bids are paid in another token."""
        if not self._chain.code(self._quote.address).startswith(load("test_dollar").runtime):
            raise Conflict(f"quote token {self._quote.address} is no test dollar", hint="real money has no faucet")
        return self._tried([_request("Take test dollars", self._quote, account, "faucet", account, amount)])

    def _approval(self, owner: Address, spender: Address, amount: int, token: Deployed | None = None) -> list[Request]:
        money = token or self._quote
        if money.read("allowance", owner, spender) >= amount:
            return []
        title = "Allow the contract to take exactly this amount"
        return [_request(title, money, owner, "approve", spender, amount)]

    def _tried(self, requests: Sequence[Request]) -> tuple[Request, ...]:
        outcomes = self._chain.simulate([item.call for item in requests])
        return tuple(
            replace(item, refusal="" if outcome.succeeded else outcome.reason or "it would fail, without a reason")
            for item, outcome in zip(requests, outcomes, strict=True)
        )


def _request(title: str, contract: Deployed, sender: Address, function: str, *arguments: object) -> Request:
    call = contract.call(function, *arguments, sender=sender)
    signature, named = contract.interface.arguments(call.data)
    shown = {name: f"0x{value.hex()}" if isinstance(value, bytes) else str(value) for name, value in named.items()}
    return Request(title, call, signature, shown)
