"""Unsigned 256-bit integers keep their value and their order on both databases."""

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mercato.core.errors import InvalidInput
from mercato.store import U256, Store
from tests.profiles import examples

EDGES = [0, 1, 9, 10, 10**18, 2**63, 2**64, 2**128, 2**255, 2**256 - 1]
purse = sa.Table("purse", sa.MetaData(), sa.Column("id", sa.Integer, primary_key=True), sa.Column("units", U256))


@pytest.fixture
def purses(store: Store) -> Store:
    with store.transaction() as tx:
        purse.create(tx.connection)
    return store


def fill(store: Store, values: list[int | None]) -> None:
    with store.transaction() as tx:
        tx.execute(sa.delete(purse))
        tx.execute(sa.insert(purse), [{"id": place, "units": value} for place, value in enumerate(values)])


def test_values_come_back_sorted_and_compared_as_numbers(purses: Store) -> None:
    fill(purses, list(reversed(EDGES)))
    with purses.read() as session:
        ordered = session.execute(sa.select(purse.c.units).order_by(purse.c.units)).scalars().all()
        large = session.execute(sa.select(sa.func.count()).where(purse.c.units >= 2**64)).scalar_one()

    assert (ordered, large) == (EDGES, 4)
    assert {type(value) for value in ordered} == {int}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=examples(25))
@given(st.lists(st.integers(0, 2**256 - 1), min_size=1, max_size=8), st.integers(0, 2**256 - 1))
def test_any_values_sort_and_compare_as_numbers(purses: Store, values: list[int], bound: int) -> None:
    fill(purses, list(values))
    with purses.read() as session:
        ordered = session.execute(sa.select(purse.c.units).order_by(purse.c.units)).scalars().all()
        below = session.execute(sa.select(purse.c.units).where(purse.c.units < bound)).scalars().all()

    assert ordered == sorted(values)
    assert sorted(below) == sorted(value for value in values if value < bound)


def test_nothing_stays_nothing(purses: Store) -> None:
    fill(purses, [None])
    with purses.read() as session:
        assert session.execute(sa.select(purse.c.units)).scalars().all() == [None]


@pytest.mark.parametrize("value", [-1, 2**256, 1.0, "1", True])
def test_what_does_not_fit_is_refused(purses: Store, value: int) -> None:
    with pytest.raises(sa.exc.StatementError) as caught:
        fill(purses, [value])

    assert isinstance(caught.value.orig, InvalidInput)
    assert repr(value) in str(caught.value.orig)
