"""What may not be asked is never asked, and the router says why."""

from datetime import timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercato.compute.model import Price, ProviderId, Standing, Surface, Wish
from mercato.compute.routing import Router
from tests.compute.routing.fixtures import NOON, candidate, live, need, proven

GOOD = candidate("good", features=frozenset({"tools"}))
REASONS = [
    ("standing: ejected", candidate("x", standing=Standing.EJECTED), {}),
    ("standing: suspended", candidate("x", standing=Standing.SUSPENDED), {}),
    ("standing: pending", candidate("x", standing=Standing.PENDING), {}),
    ("standing: exiting", candidate("x", standing=Standing.EXITING), {}),
    ("model", candidate("x", model="other"), {}),
    ("expired", candidate("x", until=NOON), {}),
    ("context", candidate("x", context=599), {}),
    ("features: tools", candidate("x"), {"features": frozenset({"tools"})}),
    ("features: embeddings", candidate("x"), {"surface": Surface.EMBEDDINGS}),
    ("only", candidate("x"), {"wish": Wish(only=frozenset({"good"}))}),
    ("ignore", candidate("x"), {"wish": Wish(ignore=frozenset({"x"}))}),
    ("order", candidate("x"), {"wish": Wish(order=("good",), fallbacks=False)}),
    ("zdr", candidate("x"), {"wish": Wish(zdr=True)}),
    ("tee", candidate("x"), {"wish": Wish(tee="hardware")}),
    ("tee", candidate("x", tee="hardware"), {"wish": Wish(tee="attested")}),
    ("price", candidate("x", 1001), {"wish": Wish(max_price=Price(1000, 5000))}),
    ("price", candidate("x", 1000), {"wish": Wish(max_price=Price(1000, 1999))}),
    ("quality", candidate("x"), {"wish": Wish(min_quality=9501)}),
]


@pytest.mark.parametrize(
    ("reason", "bad", "values"), REASONS, ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_filter_says_its_name(reason: str, bad: Any, values: dict[str, Any]) -> None:
    router = Router()

    assert router.why(need(**values), [bad], 0.0, NOON) == {"x": reason}
    assert router.order(need(**values), [bad], 0.0, NOON) == []


def test_an_offer_holds_until_its_last_moment() -> None:
    offer = candidate("x", until=NOON + timedelta(microseconds=1), context=600)

    assert Router().order(need(), [offer], 0.0, NOON) == [offer]


@given(
    st.lists(st.tuples(st.sampled_from(Standing), st.integers(500, 700), st.integers(1, 9), st.booleans()), max_size=8),
    st.integers(1, 9),
    st.booleans(),
    st.integers(0, 10_000),
)
def test_no_filtered_provider_is_ever_picked(offers: list[Any], most: int, zdr: bool, seed: int) -> None:
    many = [
        candidate(f"p{place}", price, standing=standing, context=context, zdr=kept)
        for place, (standing, context, price, kept) in enumerate(offers)
    ]
    asked = need(wish=Wish(max_price=Price(most, 2 * most), zdr=zdr))
    router = Router(rng=Random(seed))
    live(router, "p0", 5, error="connect")
    picked = router.order(asked, many, 0.5, NOON)
    allowed = {name for name, why in router.why(asked, many, 0.5, NOON).items() if not why}

    assert {each.provider.id for each in picked} == allowed
    assert len(picked) == len(allowed)
    assert ProviderId("p0") not in allowed


def test_a_full_provider_waits() -> None:
    router = proven([GOOD])
    for _ in range(8):
        router.began(GOOD.provider.id, 0.0)

    assert router.why(need(), [GOOD], 0.0, NOON) == {"good": "full"}
