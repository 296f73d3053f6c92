"""The desk on both databases: what it reads of books, and that an event tells open pages, once an act."""

from __future__ import annotations

from datetime import timedelta

import pytest

from mercato.core.clock import HandClock
from mercato.core.errors import NotFound
from mercato.kit.acts import State
from mercato.kit.desk.stories import Story
from mercato.kit.errors import Denied
from mercato.kit.testing import NOON
from mercato.store import Store
from mercato.store.outbox import after, relay
from tests.kit.ground import FRIEND, ME, WALLET, done
from tests.kit.office import CLERK, NOBODY, OPERATORS, TREASURER, open_office, pay


def test_the_desk_reads_books_on_either_database(store: Store, clock: HandClock) -> None:
    office = open_office(store, clock)
    desk = office.desk()
    (shelf,) = desk.shelves()
    found = desk.wallet("agent")
    first = desk.journal("agent", limit=4)
    rest = desk.journal("agent", before=first.before, limit=50)
    stories = [item for item in (*first.items, *rest.items) if isinstance(item, Story)]

    assert (shelf.waiting, shelf.accounts, shelf.policy) == (1, (f"eip155:31337:{ME}",), "pocket money")
    assert [(used.budget.name, used.scope, used.units) for used in found.budgets] == [
        ("a day", "", 40_000_000), ("each friend", FRIEND, 40_000_000),
    ]  # fmt: skip
    assert (len(first.items), rest.before, len(stories)) == (4, None, 7)
    assert [item.id for item in stories][-1] == office.acts["paid"]
    assert {act.id for act in desk.waiting()} == {office.acts["asked"], office.acts["agreed"]}
    assert desk.story(office.acts["rejected"]).state is State.OVER


def test_what_left_the_window_of_a_budget_is_free_again(store: Store) -> None:
    clock = HandClock(NOON)
    desk = open_office(store, clock).desk()
    clock.move(timedelta(days=1))
    day, ever = desk.wallet("agent").budgets

    assert (day.units, day.left, day.percent) == (0, 200_000_000, 0)
    assert (ever.units, ever.left, ever.percent) == (40_000_000, 80_000_000, 33)


def test_counting_goes_on_where_it_was(store: Store, clock: HandClock) -> None:
    office = open_office(store, clock)
    desk = office.desk()
    before, _, _ = desk.profit("agent")
    done(office.kit, "transfer", pay(office.town, FRIEND, 2))
    later, _, _ = desk.profit("agent")

    assert (before.settled, later.settled) == (3, 4)
    assert later == office.desk().profit("agent")[0]


def test_nobody_is_an_operator_by_default_and_an_agent_never(sqlite: Store, clock: HandClock) -> None:
    desk = open_office(sqlite, clock).desk()

    assert OPERATORS["robot"] == WALLET.address
    assert (desk.require(TREASURER.address), desk.require(CLERK.address)) == ("treasurer", "clerk")
    for account, said in (("", "nobody"), (NOBODY.address, "no operator's"), (WALLET.address, "acts for an agent")):
        with pytest.raises(Denied, match=said):
            desk.require(account)


def test_an_unknown_act_is_not_found(sqlite: Store, clock: HandClock) -> None:
    desk = open_office(sqlite, clock).desk()

    for id in ("", "act_x"):
        with pytest.raises(NotFound):
            desk.story(id)


def test_an_act_tells_open_pages_once_and_says_nothing_of_itself(store: Store, clock: HandClock) -> None:
    office = open_office(store, clock)
    with store.transaction() as tx:
        relay(tx, {}, clock.now())
    with store.read() as session:
        known = after(session, 0)
    done(office.kit, "transfer", pay(office.town, FRIEND, 2))
    with store.transaction() as tx:
        relay(tx, {}, clock.now())
    with store.read() as session:
        (event,) = after(session, known[-1].position)

    assert (event.name, event.body) == ("kit.JournalGrew", {})
