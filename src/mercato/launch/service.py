"""The launch room's verbs: take an application, review it, launch it on the chain, and show what it comes to."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence

from mercato.chains import Address, Chain, Receipt, Signer
from mercato.core.clock import Clock
from mercato.core.errors import InvalidInput, NotFound
from mercato.launch import tables
from mercato.launch.application import HOUR, Application
from mercato.launch.auctions import Auctions
from mercato.launch.authorization import Authorization
from mercato.launch.checks import ADDRESS
from mercato.launch.curator import Curator
from mercato.launch.deployment import Deployment, verify
from mercato.launch.desk import Desk
from mercato.launch.keeper import Keeper
from mercato.launch.market import Market, market
from mercato.launch.model import Change, Check, Demand, Launch, Phase, Position, Preview, Request, Review
from mercato.launch.retail import admit
from mercato.launch.scorecard import Scorecard
from mercato.launch.settings import LaunchSettings
from mercato.launch.states import ON_CHAIN, State
from mercato.launch.trading import PATIENCE, Quoted, balances, quoted
from mercato.launch.wallet import Wallet
from mercato.store import Store


class Launches:
    """The launch room. Safe to share between threads; it never holds the key of an applicant or a bidder."""

    def __init__(
        self,
        store: Store,
        chain: Chain,
        clock: Clock,
        settings: LaunchSettings | None = None,
        *,
        deployment: Deployment | None = None,
        find: Callable[[], Deployment] | None = None,
        keeper: Address | None = None,
    ) -> None:
        """`deployment` is where the contracts stand; else `find` is asked once it matters. `keeper` pays to clear."""
        self._store, self._chain, self._clock = store, chain, clock
        self.settings = settings or LaunchSettings()
        self._deployment, self._find, self._keeper_account = deployment, find, keeper
        self._finding = threading.Lock()
        self._auctions = Auctions(chain)
        self._desk = Desk(store, clock, self.settings, self._paid, self._asked)
        self._keeper = Keeper(store, clock, self._auctions, self._curator)

    @property
    def store(self) -> Store:
        """Returns the database."""
        return self._store

    @property
    def chain(self) -> Chain:
        """Returns the chain on which launches happen."""
        return self._chain

    @property
    def clock(self) -> Clock:
        """Returns the clock of what happens off the chain."""
        return self._clock

    # What is known

    def launches(self, states: Iterable[State] = (), limit: int = 500) -> Sequence[Launch]:
        """Returns the newest launches first, in some states where any are named."""
        with self._store.read() as session:
            return tables.listing(session, states, limit)

    def launch(self, id: str) -> Launch:
        """Returns a launch; NotFound where there is none of that id."""
        with self._store.read() as session:
            return tables.get(session, id)

    def history(self, id: str) -> Sequence[Change]:
        """Returns the steps that a launch took, oldest first."""
        with self._store.read() as session:
            return tables.history(session, tables.get(session, id).id)

    def checks(self, id: str) -> tuple[Check, ...]:
        """Returns the results of the last automatic checks."""
        with self._store.read() as session:
            return tables.checks_of(session, id)

    def reviews(self, id: str) -> tuple[Review, ...]:
        """Returns the rounds of review, oldest first. A sealed card stays unknown until it is opened."""
        with self._store.read() as session:
            return tables.rounds(session, id)

    # The curator's desk

    def apply(self, application: Application, *, simulated: bool = False) -> Launch:
        """Writes an application down as a draft; Conflict where the very same one was handed in before."""
        return self._desk.apply(application, simulated=simulated)

    def check(self, id: str) -> tuple[Check, ...]:
        """Runs the automatic checks, stores and returns their results."""
        return self._desk.check(id)

    def submit(self, id: str) -> Launch:
        """Sends a draft to its first panel; Conflict with every reason where a check does not pass."""
        return self._desk.submit(id)

    def appeal(self, id: str) -> Launch:
        """Opens a round with a larger panel on a declined launch; Conflict after two appeals, or without the bond."""
        return self._desk.appeal(id)

    def commit(self, id: str, reviewer: str, commitment: str) -> Review:
        """Takes a reviewer's seal: what `scorecard.seal` returned for the card, which stays with the reviewer."""
        return self._desk.commit(id, reviewer, commitment)

    def reveal(self, id: str, reviewer: str, card: Scorecard, salt: str) -> Review:
        """Takes an opened card; Conflict where it is not the one that was sealed. The last one decides the round."""
        return self._desk.reveal(id, reviewer, card, salt)

    def advance(self, id: str) -> Phase | None:
        """Moves the present round of review on where its time is over; twice changes nothing."""
        return self._desk.advance(id)

    def advance_due(self) -> int:
        """Moves every round on whose time is over; returns how many there were."""
        return self._desk.advance_due()

    def forget_drafts(self) -> int:
        """Removes drafts of which nothing became in a month; returns how many."""
        return self._desk.forget_drafts()

    # On the chain

    @property
    def deployment(self) -> Deployment:
        """Returns where the contracts stand; NotFound before anything was deployed."""
        with self._finding:
            if self._deployment is None and self._find is not None:
                self._deployment = self._find()
            if self._deployment is None:
                raise NotFound(f"nothing is deployed on {self._chain.name}", hint="run `mercato launch deploy`")
            return self._deployment

    def use(self, deployment: Deployment) -> None:
        """Stands on a deployment from now on."""
        self._deployment = deployment

    def deposit(self, id: str) -> tuple[Request, ...]:
        """Returns the applicant's deposit as transactions: the first one, or the bond of an appeal once declined."""
        launch = self.launch(id)
        return self._wallet().deposit(launch, appeal=launch.state is State.DECLINED)

    def schedule(self, id: str, opens: int | None = None) -> Launch:
        """Puts an approved launch on the chain; bidding opens at a second of chain time, by default in an hour."""
        return self._keeper.schedule(id, self._chain.time() + HOUR if opens is None else opens)

    def abort(self, id: str) -> Launch:
        """Calls a scheduled launch off before it opens."""
        return self._keeper.abort(id)

    def keep(self, id: str) -> Receipt | None:
        """Clears, graduates or expires an auction where that is due; None where nothing was."""
        return self._keeper.keep(id)

    def keep_all(self) -> int:
        """Does what is due for every launch on the chain; returns how many transactions that took."""
        return self._keeper.keep_all()

    def sync(self, id: str) -> Launch:
        """Mirrors what the chain says of a launch and returns it."""
        return self._keeper.sync(id)

    def sync_all(self) -> int:
        """Mirrors every launch on the chain that is not long ended; returns how many there are."""
        return self._keeper.sync_all()

    def settle_deposit(self, id: str, *, forfeit: bool = False) -> Receipt | None:
        """Gives an applicant's deposit back, or forfeits that of a declined one; None where none is held."""
        return self._keeper.settle_deposit(id, forfeit=forfeit)

    def settle_deposits(self) -> int:
        """Gives back every deposit that is due; returns how many."""
        return self._keeper.settle_deposits()

    def verify(self) -> list[tuple[str, bool]]:
        """Returns for every contract of the deployment and of each launch whether its code is what the build made."""
        found = verify(self._chain, self.deployment)
        curator = self._curator()
        for item in self.launches(ON_CHAIN):
            found += [(f"{item.application.symbol} {name}", sound) for name, sound in curator.verify(item)]
        return found

    def admit(self, id: str, bidder: str, identity: str, attester: Signer) -> bytes:
        """Returns a retail bidder's credential, signed by the gate's attester; one identity counts once per auction."""
        return admit(self._chain, self.launch(id), account(bidder), identity, attester)

    # Auctions

    def demand(self, id: str) -> Demand:
        """Returns the book of an auction and what clearing now would give; Conflict before it is on the chain."""
        return self._auctions.demand(self.launch(id))

    def preview(self, id: str, level: int, amount: int) -> Preview:
        """Returns what a further bid would get if the auction cleared with it and nothing else changed."""
        return self._auctions.preview(self.launch(id), level, amount)

    def positions(self, id: str, bidder: str) -> tuple[Position, ...]:
        """Returns what a bidder holds in an auction, by level."""
        return self._auctions.positions(self.launch(id), account(bidder))

    def prepare_bid(
        self, id: str, bidder: str, level: int, amount: int, credential: bytes = b""
    ) -> tuple[Request, ...]:
        """Returns the transactions of a bid, unsigned; level RETAIL takes the clearing price and needs a credential."""
        return self._wallet().bid(self.launch(id), account(bidder), level, amount, credential)

    def prepare_faucet(self, bidder: str, amount: int) -> tuple[Request, ...]:
        """Returns a transaction that gives an account test dollars; Conflict where bids are paid in another token."""
        return self._wallet().faucet(account(bidder), amount)

    def prepare_authorization(self, id: str, bidder: str, level: int, amount: int) -> Authorization:
        """Returns what a bidder signs (EIP-712) so that somebody else can bring the bid and pay its gas."""
        return self._wallet().authorization(self.launch(id), account(bidder), level, amount)

    def prepare_signed_bid(
        self, id: str, sender: str, bidder: str, level: int, amount: int, *, salt: bytes, valid_before: int,
        signature: bytes,
    ) -> tuple[Request, ...]:  # fmt: skip
        """Returns a signed bid as a transaction of whoever brings it."""
        return self._wallet().bring(
            self.launch(id), account(sender), account(bidder), level, amount,
            salt=salt, valid_before=valid_before, signature=signature,
        )  # fmt: skip

    def prepare_improve(self, id: str, bidder: str, from_level: int, to_level: int, amount: int) -> tuple[Request, ...]:
        """Returns the transaction that moves money to a higher level, unsigned."""
        return self._wallet().improve(self.launch(id), account(bidder), from_level, to_level, amount)

    def prepare_cancel(self, id: str, bidder: str, level: int, amount: int) -> tuple[Request, ...]:
        """Returns the transaction that takes money back, unsigned; refused once bids are firm."""
        return self._wallet().cancel(self.launch(id), account(bidder), level, amount)

    def prepare_claim(self, id: str, bidder: str, level: int) -> tuple[Request, ...]:
        """Returns the transaction that pays a bid out, unsigned."""
        return self._wallet().claim(self.launch(id), account(bidder), level)

    # The pool

    def market(self, id: str) -> Market:
        """Returns a live launch's market as of the newest block: its pool, trades and holders; Conflict before."""
        return market(self._chain, self.launch(id))

    def quote(self, id: str, *, buys: bool, amount: int) -> Quoted:
        """Returns what buying for `amount` of quote, or selling `amount` of tokens, would give now."""
        return quoted(self._chain, self.launch(id), buys, amount)

    def prepare_trade(
        self, id: str, trader: str, *, buys: bool, amount: int, slippage_bps: int = 100, floor: int = 0,
        patience: int = PATIENCE,
    ) -> tuple[Request, ...]:  # fmt: skip
        """Returns the transactions of a trade, unsigned; it fails where it would give less than the slippage allows.

        `floor` is a least that was promised before; `patience` the seconds of chain time after which it is void.
        """
        return self._wallet().trade(
            self.launch(id), account(trader), buys=buys, amount=amount, slippage_bps=slippage_bps, floor=floor,
            patience=patience,
        )  # fmt: skip

    def balances(self, id: str, holder: str) -> tuple[int, int]:
        """Returns what an account holds of a launch's quote token and of its own token, in base units of each."""
        return balances(self._chain, self.launch(id), self.deployment.quote, account(holder))

    def _wallet(self) -> Wallet:
        return Wallet(self._chain, self.deployment)

    def _curator(self) -> Curator:
        return Curator(self._chain, self.deployment, self._keeper_account)

    def _has_deployment(self) -> bool:
        try:
            return self.deployment is not None
        except NotFound:
            return False

    def _paid(self, launch: Launch) -> int | None:
        """Returns the deposit that the chain holds for an application; None where nothing is deployed.

        A deposit of another account than the applicant's does not count.
        """
        if not self._has_deployment():
            return None
        held = self._curator().deposit(launch.application)
        return held.amount if held else 0

    def _asked(self) -> int:
        return self.deployment.deposit_amount if self._has_deployment() else self.settings.deposit


def account(text: str) -> Address:
    """Returns an account that came from outside, in lower case; InvalidInput for any other text."""
    if not ADDRESS.fullmatch(text.lower()):
        raise InvalidInput(f"account was {text[:80]!r}", hint="expected 0x and 40 hexadecimal digits")
    return Address(text.lower())
