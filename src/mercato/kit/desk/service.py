"""The desk's verbs: look at the books, answer what waits, freeze and thaw. Only operators may, by default nobody.

Who an operator is, the settings say: a name, which policies may ask for, and the account that this person signs in
with. The desk holds no key: what it approves, the agent's own process carries out. An account that acts for an agent is
no operator, whatever the settings say: an agent answers nothing of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import timedelta
from threading import Lock

from mercato.core.errors import NotFound
from mercato.kit.acts import Act, Book, Entry
from mercato.kit.desk import tables
from mercato.kit.desk.holdings import Holding, Purse, holdings, made_up
from mercato.kit.desk.stories import Story, story
from mercato.kit.errors import Denied
from mercato.kit.ledger import Ledger
from mercato.kit.policy import Budget, Policy
from mercato.kit.profit import Price, Profit, Tally
from mercato.kit.units import Units

PAGE = 20
WHY = 500  # letters of a reason
Pricing = Callable[[Iterable[str]], Price]


@dataclass(frozen=True, slots=True)
class Shelf:
    """A book as the list shows it."""

    book: Book
    policy: str
    accounts: tuple[str, ...]
    waiting: int


@dataclass(frozen=True, slots=True)
class Used:
    """How much of a budget is used: `units` of its cap within its window, counted by `scope`."""

    budget: Budget
    scope: str
    units: int

    @property
    def left(self) -> int:
        """Returns what is left of the cap."""
        return max(self.budget.cap - self.units, 0)

    @property
    def percent(self) -> int:
        """Returns the part of the cap that is used, in whole percent, rounded down."""
        return min(self.units * 100 // self.budget.cap, 100) if self.budget.cap else 100


@dataclass(frozen=True, slots=True)
class Purseful:
    """An account and what it holds. `answered` is False where no chain of its name is at hand."""

    account: str
    answered: bool
    made_up: bool
    holdings: tuple[Holding, ...]


@dataclass(frozen=True, slots=True)
class Wallet:
    """All that one page shows of a book; `priced_by_simulation` says that values come from made-up prices."""

    shelf: Shelf
    policy: Policy
    budgets: tuple[Used, ...]
    purses: tuple[Purseful, ...]
    profit: Profit
    units: Units
    priced_by_simulation: bool


@dataclass(frozen=True, slots=True)
class Pages:
    """A page of a journal, newest first: stories of acts, and entries about the book itself. `before` leads on."""

    items: tuple[Story | Entry, ...]
    units: Units
    before: int | None


class Desk:
    """The books as operators see them. `operators` maps names to accounts, in lower case."""

    def __init__(
        self,
        ledger: Ledger,
        operators: Mapping[str, str],
        *,
        purses: Sequence[Purse] = (),
        pricing: Pricing,
        simulated: Callable[[], bool] = lambda: False,
        sign_in_chain: str = "",
    ) -> None:
        self.ledger, self.operators, self.sign_in_chain = ledger, dict(operators), sign_in_chain
        self._purses = {purse.name: purse for purse in purses}
        self._pricing, self._simulated = pricing, simulated
        self._tallies: dict[str, Tally] = {}
        self._counting = Lock()

    def require(self, account: str) -> str:
        """Returns the name of the operator who is signed in with an account; Denied for everybody else."""
        name = next((name for name, own in self.operators.items() if own == account), "")
        if not account:
            raise Denied("nobody was signed in", hint="sign in with the account of an operator of this installation")
        if not name:
            raise Denied(f"account was {account!r}, no operator's", hint="see `operators` in the settings of the kit")
        with self.ledger.store.read() as session:
            agents = {full.rpartition(":")[2] for full in tables.every_account(session)}
        if account in agents:
            raise Denied(f"account was {account!r}, which acts for an agent", hint="sign in with a person's account")
        return name

    def shelves(self) -> list[Shelf]:
        """Returns every book, by name."""
        with self.ledger.store.read() as session:
            asked = tables.waiting(session)
            found = [(book, tables.accounts_of(session, book.id)) for book in tables.all_books(session)]
        return [
            Shelf(book, self.ledger.policy(book.id).name, tuple(accounts), asked.get(book.id, 0))
            for book, accounts in found
        ]

    def wallet(self, book: str) -> Wallet:
        """Returns what a book's page shows; NotFound where there is no such book."""
        held = self.ledger.book(book)
        policy, tally = self.ledger.policy(book), self.tally(book)
        now = self.ledger.clock.now()
        used: list[Used] = []
        with self.ledger.store.read() as session:
            accounts, asked = tables.accounts_of(session, book), tables.waiting(session)
            for budget in policy.budgets:
                since = None if budget.seconds is None else now - timedelta(seconds=budget.seconds)
                scopes = tables.used(session, book, budget.name, since) or ({"": 0} if budget.per == "book" else {})
                used += [Used(budget, scope, units) for scope, units in sorted(scopes.items())]
        shelf = Shelf(held, policy.name, tuple(accounts), asked.get(book, 0))
        profit = self._priced(tally)
        purses = self._purseful(accounts, tally.units, profit)
        return Wallet(shelf, policy, tuple(used), purses, profit, tally.units, self._simulated())

    def tally(self, book: str) -> Tally:
        """Returns what a book's journal comes to, its newest entries with it; NotFound where there is no such book."""
        with self._counting:
            found = self._tallies.setdefault(book, Tally())
            while entries := self.ledger.journal(book, found.seq):
                found.take(entries)
            return deepcopy(found)  # the next one who asks goes on counting in it

    def profit(self, book: str) -> tuple[Profit, Units, bool]:
        """Returns what a book's acts came to at the market room's prices, and whether some of these are made up."""
        tally = self.tally(book)
        return self._priced(tally), tally.units, self._simulated()

    def journal(self, book: str, before: int | None = None, limit: int = PAGE) -> Pages:
        """Returns acts of a book that began before an entry, newest first, and what befell the book itself."""
        units = self.tally(book).units
        with self.ledger.store.read() as session:
            starts = tables.beginnings(session, book, before, limit + 1)
            shown = starts[:limit]
            entries = tables.told(
                session, book, {act for _, act in shown if act}, (seq for seq, act in shown if not act)
            )
        by_act: dict[str, list[Entry]] = {}
        for entry in entries:
            by_act.setdefault(entry.act, []).append(entry)
        own = {entry.seq: entry for entry in by_act.pop("", [])}
        items: list[Story | Entry] = []
        for seq, act in shown:
            if not act:
                items.append(own[seq])
            elif by_act[act][0].seq == seq:  # what was approved is intended twice: it stands where it began
                items.append(story(by_act[act]))
        return Pages(tuple(items), units, shown[-1][0] if len(starts) > limit else None)

    def story(self, act: str) -> Story:
        """Returns an act as its journal tells it; NotFound where none does."""
        with self.ledger.store.read() as session:
            book = tables.book_of(session, act) if act else None
            entries = tables.told(session, book, [act]) if book else []
        if not entries:
            raise NotFound(f"act was {act!r:.80}, which no journal tells of", hint="see the journal")
        return story(entries)

    def waiting(self) -> list[Act]:
        """Returns the acts of all books that wait, for an approval or to be carried out, oldest first."""
        with self.ledger.store.read() as session:
            books = [book.id for book in tables.all_books(session)]
        return sorted((act for book in books for act in self.ledger.waiting(book)), key=lambda act: act.id)

    def units(self, acts: Iterable[Act]) -> dict[str, Units]:
        """Returns what the books of these acts call their assets, by book."""
        return {book: self.tally(book).units for book in {act.intent.book for act in acts}}

    def may_answer(self, act: Act, account: str) -> str:
        """Returns the name under which an account may approve an act, "" where it may not: the policy names it, or it
        has a name that the policy asks for."""
        asked = act.decision.approvers
        names = [name for name, own in self.operators.items() if own == account and name in asked]
        return next(iter([*names, *(one for one in asked if account and one.lower() == account)]), "")

    def answer(self, id: str, account: str, *, yes: bool) -> Act:
        """Approves or rejects an act; Denied where this account may not, Taken where the act does not wait any more."""
        self.require(account)
        act = self.ledger.act(id)
        by = self.may_answer(act, account)
        if not by:
            raise Denied(
                f"account was {account!r}, which may not approve this",
                hint=f"may approve: {', '.join(act.decision.approvers) or 'nobody'}",
            )
        return self.ledger.answer(act, by, yes=yes, account=account)

    def freeze(self, book: str, account: str, why: str, *, on: bool) -> None:
        """Turns a book's kill switch on or off; any operator may."""
        by = self.require(account)
        self.ledger.freeze(book, by, why[:WHY], on=on, account=account)

    def _priced(self, tally: Tally) -> Profit:
        return tally.profit(self._pricing(tally.assets))

    def _purseful(self, accounts: Iterable[str], units: Units, profit: Profit) -> tuple[Purseful, ...]:
        assets = {*units.titles, *(line.asset for line in profit.lines)}
        found = []
        for account in accounts:
            chain, _, address = account.rpartition(":")
            purse = self._purses.get(chain)
            held = holdings(purse, address, assets, units.titles) if purse else []
            found.append(Purseful(account, purse is not None, made_up(chain), tuple(held)))
        return tuple(found)
