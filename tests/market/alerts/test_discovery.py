from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from mercato.market.alerts.discovery import discoveries

p_values = st.dictionaries(st.text(min_size=1, max_size=4), st.decimals(0, 1, places=4), max_size=30)
rates = st.decimals("0.01", "0.5", places=2)


def test_the_published_worked_example_rejects_four_of_fifteen():
    # Benjamini and Hochberg (1995), section 3.2: fifteen p-values, rate 0.05.
    published = "0.0001 0.0004 0.0019 0.0095 0.0201 0.0278 0.0298 0.0344 0.0459 0.3240 0.4262 0.5719 0.6528 0.7590 1"
    tests = {f"h{n:02d}": Decimal(p) for n, p in enumerate(published.split(), 1)}

    assert discoveries(tests, Decimal("0.05")) == {"h01", "h02", "h03", "h04"}


@given(p_values, rates)
def test_a_discovery_never_has_a_larger_p_than_a_refused_one(tests, rate):
    found = discoveries(tests, rate)

    assert all(tests[a] <= tests[b] for a in found for b in set(tests) - found)


@given(p_values, rates)
def test_every_discovery_is_below_the_rate_and_bonferroni_is_always_included(tests, rate):
    found = discoveries(tests, rate)

    assert all(tests[key] <= rate for key in found)
    assert {key for key, p in tests.items() if p * len(tests) <= rate} <= found
