"""Money is reserved before a call and settled after it, to the micro-dollar, once."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from datetime import timedelta

import pytest

from mercato.compute.books import Replay, keys
from mercato.compute.books.receipts import faults
from mercato.compute.books.replay import replay
from mercato.compute.books.words import Lost
from mercato.compute.errors import Busy, Forbidden, Short
from mercato.compute.model import End, Usage
from mercato.core.errors import Conflict
from mercato.store.bare import Bare
from tests.compute.books.counter import ACME, DOLLAR, SIGNER, Counter


def test_what_was_reserved_and_not_spent_comes_back(counter: Counter) -> None:
    async def go() -> None:
        async with counter.desk() as desk:
            hold = counter.hold(1_000)
            assert await desk.reserve(hold) is None
            assert counter.balance() == (DOLLAR - 1_000, 1_000)
            receipt = await desk.settle(hold.request, served=counter.served())
            assert (receipt.charged, receipt.earned, receipt.provider) == (350, 350, ACME)
            assert faults(receipt, SIGNER.public) == []
            assert await desk.receipt(hold.request) == receipt

    asyncio.run(go())
    assert counter.balance() == (DOLLAR - 350, 0)
    assert counter.till.balances()["provider:prov_acme:held"] == 350
    assert sum(counter.till.balances().values()) == 0


def test_a_balance_is_never_overdrawn_by_one_unit(counter: Counter) -> None:
    async def go() -> None:
        async with counter.desk() as desk:
            answers = await asyncio.gather(
                *(desk.reserve(counter.hold(300_000)) for _ in range(5)), return_exceptions=True
            )
            short = [answer for answer in answers if isinstance(answer, Short)]
            assert [answer.facts["left"] for answer in short] == [100_000, 100_000]
            assert await desk.reserve(counter.hold(100_000)) is None
            with pytest.raises(Short):
                await desk.reserve(counter.hold(1))

    asyncio.run(go())
    assert counter.balance() == (0, DOLLAR)


def test_a_user_is_never_charged_over_the_reserve_nor_over_either_count(counter: Counter) -> None:
    async def charged(limit: int, claimed: Usage, counted: Usage, end: End = End.DONE) -> int:
        async with counter.desk() as desk:
            hold = counter.hold(limit)
            await desk.reserve(hold)
            served = counter.served(claimed=claimed, counted=counted, end=end)
            return (await desk.settle(hold.request, served=served)).charged

    few, many = Usage(prompt=10, completion=10), Usage(prompt=10_000, completion=10_000)
    assert asyncio.run(charged(9_000, many, few)) == 8
    assert asyncio.run(charged(9_000, few, many)) == 8
    assert asyncio.run(charged(5_000, many, many)) == 5_000
    assert asyncio.run(charged(9_000, few, few, End.CLIENT_GONE)) == 8
    assert asyncio.run(charged(9_000, many, many, End.TRUNCATED)) == 0


def test_settling_twice_gives_the_same_receipt_and_charges_once(counter: Counter) -> None:
    async def go() -> None:
        async with counter.desk() as desk:
            hold = counter.hold()
            await desk.reserve(hold)
            both = await asyncio.gather(*(desk.settle(hold.request, served=counter.served()) for _ in range(2)))
            assert both[0] == both[1] == await desk.settle(hold.request, served=counter.served())
            with pytest.raises(Lost):
                await desk.release(hold.request, "too late")

    asyncio.run(go())
    assert counter.balance() == (DOLLAR - 350, 0)


def test_a_release_gives_everything_back_once(counter: Counter) -> None:
    async def go() -> None:
        async with counter.desk() as desk:
            hold = counter.hold()
            await desk.reserve(hold)
            await desk.release(hold.request, "no provider")
            with pytest.raises(Lost):
                await desk.release(hold.request, "no provider")
            with pytest.raises(Lost):
                await desk.settle(hold.request, served=counter.served())

    asyncio.run(go())
    assert counter.balance() == (DOLLAR, 0)


def test_an_idempotency_key_is_served_once(counter: Counter) -> None:
    async def go() -> None:
        async with counter.desk() as desk:
            hold = counter.hold(idem="order 7")
            await desk.reserve(hold)
            with pytest.raises(Busy):
                await desk.reserve(counter.hold(idem="order 7"))
            receipt = await desk.settle(hold.request, served=counter.served(answer=b"{}", kind="application/json"))
            again = await desk.reserve(counter.hold(idem="order 7"))
            assert again == Replay(receipt, b"{}", "application/json")
            with pytest.raises(Busy, match="another body"):
                await desk.reserve(counter.hold(idem="order 7", need="other"))

    asyncio.run(go())
    assert counter.balance() == (DOLLAR - 350, 0)


def test_two_equal_requests_at_once_are_one(counter: Counter) -> None:
    async def go() -> list[object]:
        async with counter.desk() as desk, counter.desk() as other:
            holds = [counter.hold(idem="same") for _ in range(6)]
            asked = [(desk, other)[at % 2].reserve(hold) for at, hold in enumerate(holds)]
            return await asyncio.gather(*asked, return_exceptions=True)

    answers = asyncio.run(go())
    assert sum(answer is None for answer in answers) == 1
    assert sum(isinstance(answer, Busy) for answer in answers) == 5
    assert counter.balance() == (DOLLAR - 1_000, 1_000)


def test_a_released_request_leaves_its_idempotency_key_free(counter: Counter) -> None:
    async def go() -> None:
        async with counter.desk() as desk:
            hold = counter.hold(idem="order 8")
            await desk.reserve(hold)
            await desk.release(hold.request, "connect")
            assert await desk.reserve(counter.hold(idem="order 8")) is None

    asyncio.run(go())


@pytest.mark.parametrize("end", [End.TRUNCATED, End.UPSTREAM_ERROR, End.TIMEOUT])
def test_an_answer_that_broke_off_leaves_its_idempotency_key_free(counter: Counter, end: End) -> None:
    async def go() -> Replay | None:
        async with counter.desk() as desk:
            hold, again = counter.hold(idem="order 9"), counter.hold(idem="order 9")
            await desk.reserve(hold)
            await desk.settle(hold.request, served=counter.served(end=end))
            assert await desk.reserve(again) is None
            receipt = await desk.settle(again.request, served=counter.served(answer=b"{}", kind="application/json"))
            assert receipt.charged == 350
            return await desk.reserve(counter.hold(idem="order 9"))

    given = asyncio.run(go())
    assert given is not None
    assert given.answer == b"{}"
    assert counter.balance() == (DOLLAR - 350, 0)


def test_an_answer_whose_client_left_is_not_served_twice_under_its_idempotency_key(counter: Counter) -> None:
    async def go() -> Replay | None:
        async with counter.desk() as desk:
            hold = counter.hold(idem="order 10")
            await desk.reserve(hold)
            await desk.settle(hold.request, served=counter.served(end=End.CLIENT_GONE))
            return await desk.reserve(counter.hold(idem="order 10"))

    given = asyncio.run(go())
    assert given is not None
    assert given.answer is None


def test_a_key_spends_no_more_than_its_limits(counter: Counter) -> None:
    key = counter.new_key("ann", ever=2_000, window=900, seconds=60)

    async def go() -> None:
        async with counter.desk() as desk:
            first = counter.hold(900, key=key)
            await desk.reserve(first)
            with pytest.raises(Short, match="for a while"):
                await desk.reserve(counter.hold(1, key=key))
            await desk.settle(first.request, served=counter.served(key=key.id))  # 350, so 550 are left of the window
            await desk.reserve(counter.hold(550, key=key))
            counter.later(seconds=60)
            await desk.reserve(counter.hold(900, key=key))
            counter.later(seconds=60)
            with pytest.raises(Short, match="limit of the key has 200"):
                await desk.reserve(counter.hold(201, key=key))
            assert await desk.reserve(counter.hold(200, key=key)) is None

    asyncio.run(go())
    (found,) = [item for item in keys.listed(counter.till.bare, "ann") if item.id == key.id]
    assert (found.spent, found.reserved, found.left) == (350, 1_650, 0)


def test_what_comes_back_of_an_earlier_window_leaves_no_more_for_this_one(counter: Counter) -> None:
    key = counter.new_key("ann", window=900, seconds=60)

    async def go() -> None:
        async with counter.desk() as desk:
            before, now = counter.hold(900, key=key), counter.hold(500, key=key)
            await desk.reserve(before)
            counter.later(seconds=60)
            await desk.reserve(now)
            await desk.settle(before.request, served=counter.served(key=key.id))
            with pytest.raises(Short, match="for a while has 400"):
                await desk.reserve(counter.hold(401, key=key))
            await desk.reserve(counter.hold(400, key=key))

    asyncio.run(go())


def test_what_a_key_has_reserved_counts_against_its_limit_also_where_the_account_has_less(counter: Counter) -> None:
    counter.till.deposit("bob", 4_000, name="bob's first")
    key = counter.new_key("bob", ever=4_000)

    async def go() -> None:
        async with counter.desk() as desk:
            await desk.reserve(counter.hold(3_000, key=key))
            counter.till.deposit("bob", 2_000, name="bob's second")
            with pytest.raises(Short) as short:
                await desk.reserve(counter.hold(1_001, key=key))
            assert short.value.facts["left"] == 1_000

    asyncio.run(go())


def test_a_revoked_or_expired_key_reserves_nothing(counter: Counter) -> None:
    keys.revoke(counter.till.bare, counter.clock, counter.key.id)
    old, _ = keys.make(counter.till.bare, counter.clock, "ann", expires=counter.clock.now())

    async def go() -> list[object]:
        async with counter.desk() as desk:
            asked = [desk.reserve(counter.hold(key=key)) for key in (counter.key, old)]
            return await asyncio.gather(*asked, return_exceptions=True)

    assert [type(answer) for answer in asyncio.run(go())] == [Forbidden, Forbidden]
    assert counter.balance() == (DOLLAR, 0)


def test_one_bad_request_does_not_fail_those_that_wait_with_it(counter: Counter) -> None:
    async def go() -> list[object]:
        async with counter.desk() as desk:
            taken = counter.hold()
            await desk.reserve(taken)
            other = counter.hold(2_000)
            twin = type(taken)(taken.request, taken.key, taken.account, "another body", 5)
            return list(await asyncio.gather(desk.reserve(twin), desk.reserve(other), return_exceptions=True))

    answers = asyncio.run(go())
    assert [type(answer) for answer in answers] == [Conflict, type(None)]
    assert counter.balance() == (DOLLAR - 3_000, 3_000)


def test_a_reserve_whose_client_left_is_given_back(counter: Counter) -> None:
    async def go() -> None:
        async with counter.desk() as desk:
            await desk.reserve(counter.hold(5))  # alone, the next one would not wait
            asking = asyncio.create_task(desk.reserve(counter.hold()))
            await asyncio.sleep(0)
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking

    asyncio.run(go())
    assert counter.balance() == (DOLLAR - 5, 5)


def test_a_reserve_whose_client_left_just_as_it_was_made_is_given_back(counter: Counter) -> None:
    async def go() -> None:
        async with counter.desk() as desk:
            await desk.reserve(counter.hold(5))  # alone, the next one would not wait
            asking = asyncio.create_task(desk.reserve(counter.hold()))

            def leave(count: int) -> None:
                """Is heard before the turn; what it calls is done after it, and before who waits for it goes on."""
                asyncio.get_running_loop().call_soon(asking.cancel)

            desk.batched = leave
            with pytest.raises(asyncio.CancelledError):
                await asking

    asyncio.run(go())
    assert counter.balance() == (DOLLAR - 5, 5)


def test_a_settle_whose_client_left_still_happens(counter: Counter) -> None:
    async def go() -> None:
        async with counter.desk() as desk:
            await desk.reserve(counter.hold(5))  # alone, the next one would not wait
            hold = counter.hold()
            await desk.reserve(hold)
            asking = asyncio.create_task(desk.settle(hold.request, served=counter.served()))
            await asyncio.sleep(0)
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking

    asyncio.run(go())
    assert counter.balance() == (DOLLAR - 355, 5)


def test_a_request_alone_is_done_before_the_loop_goes_on_and_others_wait_for_each_other(sqlite: str) -> None:
    async def go(counter: Counter) -> list[int]:
        turns: list[int] = []
        async with counter.desk() as desk:
            desk.batched = turns.append
            first, others = counter.hold(), [counter.hold() for _ in range(3)]
            asyncio.get_running_loop().call_soon(turns.append, 0)
            await desk.reserve(first)
            await asyncio.gather(*(desk.reserve(other) for other in others))
            await asyncio.gather(*(desk.release(one.request, "over") for one in (first, *others)))
        return turns

    with Counter(sqlite) as counter:
        assert asyncio.run(go(counter)) == [1, 0, 3, 4]
        assert counter.balance() == (DOLLAR, 0)


def test_what_could_not_be_settled_while_the_database_failed_is_given_back_when_it_works(sqlite: str) -> None:
    fails = "CREATE TRIGGER fails BEFORE INSERT ON compute_receipt BEGIN SELECT RAISE(ABORT, 'disk'); END"

    async def go(counter: Counter) -> None:
        async with counter.desk(lease=timedelta(seconds=0.3)) as desk:
            hold = counter.hold()
            await desk.reserve(hold)
            counter.till.bare.run(fails)
            with pytest.raises(Exception, match="disk"):
                await desk.settle(hold.request, served=counter.served())
            counter.till.bare.run("DROP TRIGGER fails")
            async with asyncio.timeout(20):
                while counter.balance()[1]:
                    await asyncio.sleep(0.02)

    with Counter(sqlite) as counter:
        asyncio.run(go(counter))
        assert counter.balance() == (DOLLAR, 0)
        assert replay(counter.till.bare, SIGNER.public).faults == []


def test_the_loop_does_not_wait_for_another_process_that_writes(sqlite: str) -> None:
    async def go(counter: Counter) -> bool:
        async with counter.desk() as desk:
            other = Bare(sqlite)
            with other.transaction():
                asking = asyncio.create_task(desk.reserve(counter.hold()))
                done, _ = await asyncio.wait({asking}, timeout=0.05)
                held = not done
            assert await asking is None
            other.close()
            return held

    with Counter(sqlite) as counter:
        assert asyncio.run(go(counter))
        assert counter.balance() == (DOLLAR - 1_000, 1_000)


def test_who_leaves_while_another_process_writes_holds_nothing_afterwards(sqlite: str) -> None:
    async def go(counter: Counter) -> None:
        async with counter.desk() as desk:
            with Bare(sqlite) as other, other.transaction():
                asking = [asyncio.create_task(desk.reserve(counter.hold())) for _ in range(3)]
                await asyncio.wait(asking, timeout=0.05)
                asking[1].cancel()
                await asyncio.wait({asking[1]})
            found = await asyncio.gather(*asking, return_exceptions=True)
            assert [type(one) for one in found] == [type(None), asyncio.CancelledError, type(None)]

    with Counter(sqlite) as counter:
        asyncio.run(go(counter))
        assert counter.balance() == (DOLLAR - 2_000, 2_000)
        assert replay(counter.till.bare, SIGNER.public).faults == []


def test_one_request_at_a_time_and_many_at_once_come_to_the_same(counter: Counter) -> None:
    async def go(at_once: int) -> list[int]:
        async with counter.desk() as desk:

            async def one() -> int:
                hold = counter.hold()
                await desk.reserve(hold)
                return (await desk.settle(hold.request, served=counter.served())).seq

            return [seq for _ in range(12 // at_once) for seq in await asyncio.gather(*(one() for _ in range(at_once)))]

    assert sorted(asyncio.run(go(1))) == [2 * turn for turn in range(1, 13)]
    assert len(set(asyncio.run(go(12)))) == 12
    assert counter.balance() == (DOLLAR - 24 * 350, 0)
    assert replay(counter.till.bare, SIGNER.public).faults == []


def test_a_worker_loads_neither_sqlalchemy_nor_pydantic_nor_a_driver_it_does_not_need() -> None:
    code = """import sys; import mercato.compute.books.desk, mercato.compute.books.clerk, mercato.compute.books.till
print(sorted({"sqlalchemy", "alembic", "pydantic", "psycopg"} & set(sys.modules)))"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_what_is_done_together_is_told_once(counter: Counter) -> None:
    async def go() -> list[int]:
        turns: list[int] = []
        async with counter.desk() as desk:
            desk.batched = turns.append
            hold = counter.hold()
            await desk.reserve(hold)
            await desk.settle(hold.request, served=counter.served())
        return turns

    assert asyncio.run(go()) == [1, 1]
