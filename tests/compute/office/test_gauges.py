"""What Prometheus is told of the books: counts for everybody, sums of money on the admin plane alone."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest
from prometheus_client import CollectorRegistry, generate_latest

from mercato.api.testing import serve
from mercato.compute.gauges import Books
from mercato.core.clock import SystemClock
from tests.compute.office.week import House, house

pytestmark = pytest.mark.xdist_group("compute-office")  # one worker makes the week for all of the office's tests


def text(made: House, *, money: bool) -> str:
    registry = CollectorRegistry()
    registry.register(Books(made.url, SystemClock(), money=money))
    return generate_latest(registry).decode()


def test_the_application_tells_who_stands_where_and_no_money(filled: Path, tmp_path: Path) -> None:
    with house(tmp_path, filled=filled) as made, serve(made.app()) as address:
        found = httpx.get(f"{address}/metrics").text

    assert 'mercato_compute_providers{standing="active"} 3.0' in found
    assert 'mercato_compute_providers{standing="ejected"} 1.0' in found
    assert re.search(r'mercato_compute_books_audits\{verdict="fail"\} [1-9]', found)
    assert 'mercato_compute_disputes{kind="statistical",state="upheld"} 1.0' in found
    assert "mercato_compute_requests_open 0.0" in found
    assert "mercato_requests_total" in found
    assert "micro" not in found
    assert "simulated-" not in found


def test_the_operator_is_told_what_lies_on_accounts_of_each_kind(filled: Path, tmp_path: Path) -> None:
    with house(tmp_path, filled=filled) as made:
        found = text(made, money=True)
        till = made.till()
        balances = till.balances()
        till.close()
    told = dict(re.findall(r'balance_micro_dollars\{kind="(\w+)"\} (\S+)', found))

    assert sum(int(float(micro)) for micro in told.values()) == 0
    assert int(float(told["stake"])) == sum(micro for name, micro in balances.items() if name.endswith(":stake"))
    assert int(float(told["users"])) == sum(micro for name, micro in balances.items() if name.startswith("user:"))
    assert {"held", "due", "withheld", "reserved"} <= set(told)
    assert "simulated-" not in found


def test_books_are_read_once_for_scrapes_that_come_together(filled: Path, tmp_path: Path) -> None:
    with house(tmp_path, filled=filled) as made:
        counts = Books(made.url, SystemClock(), money=False)
        first = list(counts.collect())
        again = list(counts.collect())

    assert [id(one) for one in first] == [id(one) for one in again]
