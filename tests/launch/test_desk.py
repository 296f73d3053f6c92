"""From an application to a verdict: on both databases, with cards sealed, opened, copied, forged and forgotten."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from mercato.chains.testing import local
from mercato.core.clock import HandClock
from mercato.core.errors import Conflict, InvalidInput, NotFound
from mercato.launch.desk import Desk
from mercato.launch.model import Launch, Phase, Review
from mercato.launch.scorecard import Scorecard, seal
from mercato.launch.service import Launches
from mercato.launch.settings import LaunchSettings
from mercato.launch.states import State, Step
from mercato.launch.testing import APPLICANT, application, card, reviewed
from mercato.store import Store, outbox

SALT = "5a" * 32


@pytest.fixture
def room(either: Store, clock: HandClock, settings: LaunchSettings) -> Launches:
    return Launches(either, local(), clock, settings)


def submitted(room: Launches) -> Launch:
    return room.submit(room.apply(application()).id)


def present(room: Launches, id: str) -> Review:
    return room.reviews(id)[-1]


def sealed_by(room: Launches, id: str, cards: list[Scorecard]) -> list[str]:
    """Seals cards for the first members of the present panel; returns these members."""
    review = present(room, id)
    members = [seat.reviewer for seat in review.seats][: len(cards)]
    for member, shown in zip(members, cards, strict=True):
        room.commit(id, member, seal(id, review.round, member, shown, SALT))
    return members


def test_an_application_passes_its_review_and_is_approved_with_a_reason(room: Launches) -> None:
    launch = submitted(room)
    room_said = reviewed(room, launch.id, [card(8)] * 5)

    assert room_said.state is State.APPROVED
    assert room_said.reason == "the median total was 80.0 and no criterion was below 4"
    assert [(change.step, change.after) for change in room.history(launch.id)] == [
        (Step.SUBMIT, State.REVIEW),
        (Step.APPROVE, State.APPROVED),
    ]


def test_what_happened_leaves_through_the_outbox_with_the_change(room: Launches) -> None:
    launch = submitted(room)
    reviewed(room, launch.id, [card(3)] * 5)
    with room.store.transaction() as tx:
        outbox.relay(tx, {}, room.clock.now())
    with room.store.read() as session:
        told = outbox.after(session, 0)

    assert [item.body["after"] for item in told if item.name == "launch.LaunchChanged"] == ["review", "declined"]
    assert {item.body["phase"] for item in told if item.name == "launch.ReviewChanged"} == {
        "commit",
        "reveal",
        "decided",
    }


def test_an_application_with_faults_stays_a_draft_and_hears_every_reason(room: Launches) -> None:
    launch = room.apply(application(team=(), commit="main"))

    with pytest.raises(Conflict, match=r"identity: no member .*repository: commit was 'main'"):
        room.submit(launch.id)
    assert room.launch(launch.id).state is State.DRAFT
    assert {item.name for item in room.checks(launch.id) if not item.passed} == {"identity", "repository"}


def test_the_very_same_application_is_taken_once(room: Launches) -> None:
    first = room.apply(application())

    with pytest.raises(Conflict, match=f"handed in before, as '{first.id}'"):
        room.apply(application())
    assert [item.id for item in room.launches()] == [first.id]


def test_a_symbol_in_use_is_free_again_once_its_launch_was_declined(room: Launches) -> None:
    first = submitted(room)
    second = room.apply(application(name="Other"))
    with pytest.raises(Conflict, match="which another launch uses"):
        room.submit(second.id)
    reviewed(room, first.id, [card(2)] * 5)

    assert room.submit(second.id).state is State.REVIEW


def test_a_draft_holds_no_symbol_and_an_appeal_for_one_that_was_taken_is_refused(room: Launches) -> None:
    first, second = room.apply(application()), room.apply(application(name="Other"))
    room.submit(second.id)
    with pytest.raises(Conflict, match="which another launch uses"):
        room.submit(first.id)
    reviewed(room, second.id, [card(2)] * 5)
    room.submit(first.id)

    with pytest.raises(Conflict, match="symbol was taken by another launch"):
        room.appeal(second.id)
    assert room.launch(second.id).state is State.DECLINED


def test_a_panel_that_opens_all_at_once_decides_once(room: Launches) -> None:
    launch = submitted(room)
    members = sealed_by(room, launch.id, [card(8)] * 5)
    with ThreadPoolExecutor(5) as pool:
        done = [pool.submit(room.reveal, launch.id, member, card(8), SALT) for member in members]
    reviews = [item.result() for item in done]

    assert Phase.DECIDED in {item.phase for item in reviews}
    assert [change.after for change in room.history(launch.id)] == [State.REVIEW, State.APPROVED]


def test_a_draft_of_which_nothing_became_is_forgotten(room: Launches, clock: HandClock) -> None:
    old, kept = room.apply(application()), room.apply(application(symbol="OTHER"))
    room.submit(kept.id)
    clock.move(timedelta(days=31))
    fresh = room.apply(application(symbol="FRESH"))

    assert room.forget_drafts() == 1
    assert {item.id for item in room.launches()} == {kept.id, fresh.id}
    with pytest.raises(NotFound):
        room.launch(old.id)


def test_nobody_sees_a_card_before_it_is_opened(room: Launches) -> None:
    launch = submitted(room)
    sealed_by(room, launch.id, [card(9)] * 3)
    review = present(room, launch.id)

    assert review.phase is Phase.COMMIT
    assert [seat.card for seat in review.seats] == [None] * 5
    assert sorted(bool(seat.commitment) for seat in review.seats) == [False, False, True, True, True]


def test_only_the_panel_seals_and_each_member_once(room: Launches) -> None:
    launch = submitted(room)
    (member,) = sealed_by(room, launch.id, [card()])

    with pytest.raises(Conflict, match="who has done that already"):
        room.commit(launch.id, member, "00" * 32)
    with pytest.raises(Conflict, match="who has no seat"):
        room.commit(launch.id, APPLICANT, "00" * 32)
    with pytest.raises(InvalidInput, match="commitment was"):
        room.commit(launch.id, member, "no seal")


def test_a_card_cannot_be_changed_copied_or_opened_too_early(room: Launches) -> None:
    launch = submitted(room)
    members = [seat.reviewer for seat in present(room, launch.id).seats]
    seals = [seal(launch.id, 1, members[0], card(9), SALT)] * 2  # the second member copies the first one's seal
    seals += [seal(launch.id, 1, member, card(5), SALT) for member in members[2:]]
    with pytest.raises(Conflict, match="review was 'commit'"):
        room.reveal(launch.id, members[0], card(9), SALT)
    for member, commitment in zip(members, seals, strict=True):
        room.commit(launch.id, member, commitment)

    with pytest.raises(Conflict, match="not the one that was sealed"):
        room.reveal(launch.id, members[0], card(10), SALT)
    with pytest.raises(Conflict, match="not the one that was sealed"):
        room.reveal(launch.id, members[1], card(9), SALT)
    room.reveal(launch.id, members[0], card(9), SALT)
    with pytest.raises(Conflict, match="who has done that already"):
        room.reveal(launch.id, members[0], card(9), SALT)


def test_a_card_whose_floors_no_auction_could_carry_is_not_opened(room: Launches) -> None:
    launch = submitted(room)
    wild = card(9, floor=10**40)
    (member, *_) = sealed_by(room, launch.id, [wild] * 5)

    with pytest.raises(InvalidInput, match="whose price the grid"):
        room.reveal(launch.id, member, wild, SALT)


def test_who_sealed_nothing_cannot_join_once_cards_are_open(room: Launches, clock: HandClock) -> None:
    launch = submitted(room)
    sealed_by(room, launch.id, [card()] * 3)
    clock.move(timedelta(hours=48))
    late = present(room, launch.id).seats[-1].reviewer

    with pytest.raises(Conflict, match="review was 'reveal'"):
        room.commit(launch.id, late, "00" * 32)
    with pytest.raises(Conflict, match="who has sealed no card"):
        room.reveal(launch.id, late, card(), SALT)


def test_a_majority_decides_when_the_time_is_over(room: Launches, clock: HandClock) -> None:
    launch = submitted(room)
    members = sealed_by(room, launch.id, [card(8)] * 4)
    clock.move(timedelta(hours=48))
    for member in members[:3]:
        room.reveal(launch.id, member, card(8), SALT)
    assert room.launch(launch.id).state is State.REVIEW
    clock.move(timedelta(hours=24))

    assert room.advance_due() == 1
    assert room.launch(launch.id).state is State.APPROVED
    assert room.advance_due() == 0


def test_a_panel_that_stays_away_gets_more_time_and_no_say(room: Launches, clock: HandClock) -> None:
    launch = submitted(room)
    sealed_by(room, launch.id, [card(8)] * 2)
    first = present(room, launch.id)
    clock.move(timedelta(hours=48))
    room.advance_due()
    review = present(room, launch.id)

    assert review.phase is Phase.COMMIT
    assert review.commit_by == first.commit_by + timedelta(hours=48)
    assert room.launch(launch.id).state is State.REVIEW


def test_an_appeal_asks_eleven_most_of_them_new_and_the_second_one_is_the_last(room: Launches) -> None:
    launch = submitted(room)
    for round, size in ((1, 5), (2, 11), (3, 11)):
        review = present(room, launch.id)
        assert (review.round, len(review.seats)) == (round, size)
        assert reviewed(room, launch.id, [card(3)] * size).state is State.DECLINED
        appealed = room.appeal if round < 3 else room.launch
        appealed(launch.id)

    with pytest.raises(Conflict, match="appeals were 2, at most 2"):
        room.appeal(launch.id)
    first, second = ({seat.reviewer for seat in item.seats} for item in room.reviews(launch.id)[:2])
    assert len(second - first) >= 6


def test_an_appeal_can_overturn_a_decision(room: Launches) -> None:
    launch = submitted(room)
    reviewed(room, launch.id, [card(3)] * 5)
    room.appeal(launch.id)

    assert reviewed(room, launch.id, [card(9)] * 11).state is State.APPROVED


@pytest.mark.parametrize(("floor", "approved"), [(10**9, 10**9), (10**8, 5 * 10**8), (10**11, 2 * 10**9)])
def test_the_panel_sets_the_band_of_floors_and_the_floor_moves_into_it(
    room: Launches, floor: int, approved: int
) -> None:
    terms = replace(application().terms, floor=floor, raise_min=10**6)
    launch = room.submit(room.apply(application(terms=terms)).id)
    reviewed(room, launch.id, [card(8, floor=10**9)] * 5)

    assert room.launch(launch.id).floor_valuation == approved


def test_a_deposit_is_asked_for_and_every_appeal_for_one_and_a_half_more(
    store: Store, clock: HandClock, settings: LaunchSettings
) -> None:
    paid = [249_999_999]
    desk = Desk(store, clock, settings, lambda launch: paid[0], lambda: 250_000_000)
    launch = desk.apply(application())
    with pytest.raises(Conflict, match="deposit was 249999999 base units"):
        desk.submit(launch.id)
    paid[0] = 250_000_000
    desk.submit(launch.id)

    assert [desk.bond(round) for round in (1, 2, 3)] == [250_000_000, 625_000_000, 1_000_000_000]
    reviewed(Launches(store, local(), clock, settings), launch.id, [card(2)] * 5)
    with pytest.raises(Conflict, match="deposit was 250000000 base units"):
        desk.appeal(launch.id)
    paid[0] = 625_000_000
    assert desk.appeal(launch.id).state is State.REVIEW


def test_without_enough_reviewers_there_is_no_panel_and_the_draft_stays(store: Store, clock: HandClock) -> None:
    room = Launches(store, local(), clock, LaunchSettings())
    launch = room.apply(application())

    with pytest.raises(Conflict, match="reviewers were 0, a panel needs 5"):
        room.submit(launch.id)
    assert room.launch(launch.id).state is State.DRAFT


def test_an_unknown_launch_is_not_found(room: Launches) -> None:
    for verb in (room.launch, room.submit, room.appeal, room.check, room.history, room.advance):
        with pytest.raises(NotFound, match="launch was 'lch_x'"):
            verb("lch_x")


def test_made_up_people_are_marked_and_lists_can_be_narrowed(room: Launches) -> None:
    real, made_up = room.apply(application()), room.apply(application(symbol="OTHER"), simulated=True)
    room.submit(real.id)

    assert [item.simulated for item in room.launches()] == [True, False]
    assert [item.id for item in room.launches([State.DRAFT])] == [made_up.id]
