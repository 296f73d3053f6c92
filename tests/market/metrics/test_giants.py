"""Against the giants: unadjusted closes times shares, classes added up, common sessions, unknowns said."""

import csv
import gzip
from datetime import date, timedelta

import pytest

from mercato.market.metrics.giants import giants
from mercato.market.model import Query
from mercato.market.testing import days, inputs

FRIDAY = date(2025, 1, 24)
SUNDAY = date(2025, 1, 26)


def share(name, close, shares, *, platform="", weekend=True, **more):
    """A week of an equity up to Friday at this close, and the weekend carried."""
    fixed = {"kind": "equity", "sector": "giants", "home_chain": "", "platform": platform, "supply_sha": name, **more}
    week = days(name, FRIDAY - timedelta(days=4), [close * shares] * 5, supply=float(shares), **fixed)
    rest = [
        {**week[-1], "day": FRIDAY + timedelta(days=n), "price_age": n, "state": "fresh" if n == 1 else "carried"}
        for n in (1, 2)
    ]
    return week + rest * weekend


def unknown_shares(rows):
    return [{**row, "supply": None, "cap": None, "supply_tier": None, "supply_sha": None} for row in rows]


TOKEN = days("tok", FRIDAY - timedelta(days=4), [10.0] * 5 + [30.0, 40.0])
BITCOIN = days("bitcoin", FRIDAY - timedelta(days=4), [100.0] * 7, sector="")
TOTAL = days("total-crypto", FRIDAY - timedelta(days=4), [200.0] * 7, sector="", kind="reference", supply_tier="V")
FIVE = [share(name, 2.0, 10) for name in ("amzn", "googl", "meta", "msft", "nvda")]


def ask(duck, *rows, as_of=SUNDAY, days_=4, **more):
    return giants(inputs(duck, panel=[row for part in rows for row in part], **more), Query(as_of=as_of, days=days_))


def value(result, name, **dims):
    return result.figure(name, **dims).value


def test_ratios_compare_on_the_last_session_that_all_share(duck):
    result = ask(duck, TOKEN, BITCOIN, TOTAL, *FIVE)

    assert value(result, "common-session") == "2025-01-24"
    assert value(result, "sector-level") == "10.00"
    assert value(result, "cap", giant="nvda") == "20.00"
    assert value(result, "sector-ratio", giant="nvda") == "0.5"
    assert value(result, "sector-ratio", giant="all") == "0.1"
    assert value(result, "sector-ratio", reference="bitcoin") == "0.1"
    assert value(result, "sector-ratio", reference="total-crypto") == "0.05"
    assert result.flags == ("carried",)
    assert "carried" in result.figure("cap", giant="nvda").flags


def test_classes_of_one_company_are_added_up(duck):
    classes = [share("googl", 2.0, 10, platform="alphabet"), share("goog", 3.0, 20, platform="alphabet")]
    result = ask(duck, TOKEN, *classes)

    assert value(result, "cap", giant="alphabet") == "80.00"


def test_a_class_with_shares_but_no_price_makes_the_cap_a_lower_bound(duck):
    count = {"asset_id": "goog", "field": "shares_outstanding", "day": FRIDAY, "value": 7.0}
    classes = [
        {"asset_id": name, "kind": "equity", "sector": "giants", "platform": "alphabet"} for name in ("goog", "googl")
    ]
    token = {"asset_id": "tok", "kind": "token", "sector": "ai-agents"}

    result = ask(duck, TOKEN, share("googl", 2.0, 10, platform="alphabet"), curated=[count], assets=[token, *classes])

    assert value(result, "cap", giant="alphabet") == "20.00"
    assert "lower-bound" in result.figure("cap", giant="alphabet").flags
    assert "lower-bound" in result.figure("cap", giant="all").flags
    assert "upper-bound" in result.figure("sector-ratio", giant="alphabet").flags


def test_a_filing_that_sums_the_classes_is_not_counted_twice(duck):
    classes = [share(name, 2.0, 30, platform="alphabet", supply_sha="filing") for name in ("googl", "goog")]

    assert value(ask(duck, TOKEN, *classes), "cap", giant="alphabet") == "60.00"


def test_without_shares_the_cap_is_unknown_and_the_return_is_still_given(duck):
    rows = unknown_shares(share("msft", 2.0, 10))
    rows[-1] = {**rows[-1], "price": 3.0}
    result = ask(duck, TOKEN, rows)

    assert value(result, "cap", giant="msft") is None
    assert "shares-unknown" in result.figure("cap", giant="msft").flags
    assert value(result, "price-return", giant="msft") == "0.5"
    assert value(result, "sector-ratio", giant="msft") is None
    assert value(result, "cap", giant="all") is None


def test_the_part_that_is_ai_is_unknown_unless_a_source_states_it(duck):
    facts = [{"asset_id": "nvda", "field": "ai_exposure", "day": FRIDAY, "value": 0.5}]
    silent, stated = ask(duck, TOKEN, FIVE[4]), ask(duck, TOKEN, FIVE[4], curated=facts)

    assert value(silent, "ai-exposure", giant="nvda") is None
    assert silent.figure("ai-exposure", giant="nvda").flags == ("unknown",)
    assert value(stated, "ai-exposure", giant="nvda") == "0.5"


def test_a_company_without_data_is_named_with_no_number(duck):
    assets = [{"asset_id": "nvda", "kind": "equity", "sector": "giants"}, {"asset_id": "tok", "sector": "ai-agents"}]
    result = ask(duck, TOKEN, assets=assets)

    assert value(result, "cap", giant="nvda") is None
    assert "no-data" in result.figure("cap", giant="nvda").flags
    assert set(result.flags) == {"not-five-companies", "companies-missing", "no-common-session"}


def test_companies_without_data_do_not_keep_the_others_from_being_compared(duck):
    absent = {"asset_id": "equity:nobody", "kind": "equity", "sector": "giants"}
    known = [{"asset_id": "nvda", "kind": "equity", "sector": "giants"}, {"asset_id": "tok", "sector": "ai-agents"}]
    result = ask(duck, TOKEN, FIVE[4], assets=[absent, *known])

    assert value(result, "common-session") == "2025-01-24"
    assert value(result, "sector-ratio", giant="nvda") == "0.5"
    assert (value(result, "cap", giant="all"), result.figure("cap", giant="all").coverage) == ("20.00", "1/2")
    assert "companies-missing" in result.figure("cap", giant="all").flags
    assert value(result, "cap", giant="equity:nobody") is None


def test_a_company_of_which_only_a_vendors_cap_is_known_is_compared(duck):
    rows = [
        {**row, "price": None, "price_age": None, "supply": None, "supply_tier": "V", "supply_age": row["price_age"]}
        for row in share("nvda", 2.0, 10)
    ]

    assert value(ask(duck, TOKEN, rows), "sector-ratio", giant="nvda") == "0.5"


def test_every_reference_with_a_size_is_compared_whatever_its_id(duck):
    mine = days("my-total", FRIDAY - timedelta(days=4), [50.0] * 7, sector="", kind="reference", supply_tier="V")
    result = ask(duck, TOKEN, mine, *FIVE)

    assert value(result, "sector-ratio", reference="my-total") == "0.2"


def test_a_day_on_which_one_company_rests_is_no_common_session(duck):
    resting = [{**row, "price_age": 1} if row["day"] == FRIDAY else row for row in FIVE[0]]
    result = ask(duck, TOKEN, resting, *FIVE[1:])

    assert value(result, "common-session") == "2025-01-23"


def closes(folder):
    with gzip.open(folder / "equities_daily_raw_and_adj.csv.gz", "rt") as lines:
        for row in csv.DictReader(lines):
            yield row["symbol"].lower(), date.fromisoformat(row["date"]), float(row["close"])


def test_the_unadjusted_closes_of_24_january_2025(duck, research):
    rows = [
        unknown_shares(days(name, day, [close], kind="equity", sector="giants"))
        for name, day, close in closes(research)
        if date(2025, 1, 1) <= day <= FRIDAY
    ]
    result = ask(duck, TOKEN, *rows, as_of=FRIDAY, days_=1)

    assert (value(result, "close", giant="msft"), value(result, "close", giant="nvda")) == ("444.06", "142.62")
    assert float(value(result, "price-return", giant="msft")) == pytest.approx(444.06 / 446.71 - 1)
    assert value(result, "common-session") == "2025-01-24"
