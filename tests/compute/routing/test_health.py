"""What is lived with a provider changes how it is asked: breaker, cooling, load, success, speed."""

import pytest

from mercato.compute.model import End, ProviderId
from mercato.compute.routing import Router
from mercato.compute.routing.health import wilson
from tests.compute.routing.fixtures import NOON, attempt, candidate, live, need, proven

A, B = candidate("a"), candidate("b")


def reason(router: Router, now: float) -> str:
    return router.why(need(), [A], now, NOON)[A.provider.id]


def test_five_failures_in_a_row_open_the_breaker_and_pauses_double() -> None:
    router = Router()
    live(router, "a", 4, error="connect")
    assert reason(router, 0.0) == ""
    live(router, "a", 1, error="first-byte")
    assert (reason(router, 0.99), reason(router, 1.0)) == ("breaker", "")
    live(router, "a", 1, now=1.0, error="500")

    assert (reason(router, 2.99), reason(router, 3.0)) == ("breaker", "")


def test_a_half_open_breaker_lets_one_request_try() -> None:
    router = Router()
    live(router, "a", 5, error="connect")
    router.began(A.provider.id, 1.0)

    assert reason(router, 1.0) == "breaker"


def test_of_requests_that_chose_a_half_open_provider_at_once_only_one_is_sent() -> None:
    router = Router()
    live(router, "a", 5, error="connect")
    chosen = [router.order(need(), [A], 1.0, NOON)[0] for _ in range(3)]
    sent = []
    for each in chosen:
        sent.append(router.free(each, 1.0))
        router.began(each.provider.id, 1.0)

    assert sent == [True, False, False]


@pytest.mark.parametrize(("busy", "sent"), [(0, 8), (1, 2)])
def test_of_requests_that_chose_a_provider_at_once_as_many_are_sent_as_it_takes(busy: int, sent: int) -> None:
    """Its offer says 8; a 429 with three others under way says that it takes two, half of four."""
    router = Router()
    for _ in range(3 * busy):
        router.began(A.provider.id, 0.0)
    live(router, "a", busy, error="429")
    for _ in range(3 * busy):
        router.ended(A.provider.id, attempt("a", end=End.CLIENT_GONE), None, 0.0)
    count = 0
    while router.free(A, 0.0):
        router.began(A.provider.id, 0.0)
        count += 1

    assert count == sent


def test_a_try_that_says_nothing_frees_the_half_open_breaker() -> None:
    router = Router()
    live(router, "a", 5, error="connect")
    live(router, "a", 1, now=1.0, end=End.CLIENT_GONE)

    assert reason(router, 1.0) == ""


def test_one_success_closes_the_breaker() -> None:
    router = Router()
    live(router, "a", 5, error="connect")
    live(router, "a", 1, now=1.0)
    live(router, "a", 4, now=1.0, error="connect")

    assert reason(router, 1.0) == ""


def test_half_open_providers_come_last() -> None:
    router = proven([A, B])
    live(router, "a", 5, error="connect")
    orders = {
        tuple(each.provider.name for each in router.order(need(prefix=f"{n}"), [A, B], 1.0, NOON)) for n in range(40)
    }

    assert ("b", "a") in orders


@pytest.mark.parametrize("status", ["401", "402"])
def test_a_provider_that_refuses_our_key_is_cooled_for_longer_each_time(status: str) -> None:
    router = Router()
    live(router, "a", 1, error=status)
    assert (reason(router, 299.0), reason(router, 300.0)) == ("cooling", "")
    live(router, "a", 1, now=300.0, error=status)

    assert (reason(router, 899.0), reason(router, 900.0)) == ("cooling", "")


@pytest.mark.parametrize("status", ["403", "404"])
def test_a_prompt_that_is_not_allowed_or_a_model_that_is_missing_keeps_nobody_else_out(status: str) -> None:
    router = Router()
    before = router.health(A.provider.id).success()
    live(router, "a", 50, error=status, end=End.UPSTREAM_ERROR)

    assert reason(router, 0.0) == ""
    assert router.health(A.provider.id).success() < before, "others are asked rather"


@pytest.mark.parametrize("status", ["400", "413", "422"])
def test_a_request_at_fault_says_nothing_about_the_provider(status: str) -> None:
    router = Router()
    before = router.health(A.provider.id).success()
    live(router, "a", 50, error=status, end=End.UPSTREAM_ERROR)

    assert (reason(router, 0.0), router.health(A.provider.id).success()) == ("", before)


def test_429_halves_what_is_sent_at_once_and_success_adds_one_for_each_full_load() -> None:
    router = Router()
    health = router.health(A.provider.id)
    for _ in range(15):
        router.began(A.provider.id, 0.0)
    live(router, "a", 1, error="429")
    assert health.limit == 8
    live(router, "a", 8)

    assert health.limit == pytest.approx(8.95, abs=0.1)


def test_a_truncated_answer_is_a_failure() -> None:
    router = Router()
    live(router, "a", 10)
    before = router.health(A.provider.id).success()
    live(router, "a", 1, end=End.TRUNCATED)

    assert router.health(A.provider.id).success() < before


def test_old_failures_fade() -> None:
    router = Router()
    live(router, "a", 4, error="500", end=End.UPSTREAM_ERROR)
    live(router, "a", 1, now=6000.0)

    assert router.health(A.provider.id).bad == pytest.approx(4 / 2**10)


def test_the_first_measured_time_replaces_what_was_assumed() -> None:
    router = Router()
    live(router, "a", 1, first_ms=200, whole_ms=1200)

    assert router.health(A.provider.id).seconds(100) == pytest.approx(1.2)


def test_wilsons_bound_agrees_with_the_worked_value() -> None:
    """81 of 263 at 95 %, from R. G. Newcombe, Statistics in Medicine 17 (1998), table I: .2553 to .3662."""
    assert wilson(81, 182, 1.959964) == pytest.approx(0.2553, abs=5e-5)
    assert 1 - wilson(182, 81, 1.959964) == pytest.approx(0.3662, abs=5e-5)


def test_workers_share_what_they_lived_and_hearing_twice_counts_once() -> None:
    one, two = Router(), Router()
    live(one, "a", 30)
    one.judged(ProviderId("a"), False)
    for _ in range(2):
        two.hear([one.counts()])

    assert two.health(A.provider.id).success() == one.health(A.provider.id).success()
    assert two.health(A.provider.id).quality() == one.health(A.provider.id).quality() < 0.95
    assert two.counts()[A.provider.id] == (0, 0, 0, 0)
