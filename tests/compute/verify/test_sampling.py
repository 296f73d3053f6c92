"""Audits are drawn so that neither side can steer them, and anyone can check the draw afterwards."""

from hypothesis import given
from hypothesis import strategies as st

from mercato.compute.verify import Evidence, Rates, Secret, Test, chosen, opens

SECRET = Secret.draw(7, lambda count: bytes(range(count)))
RECEIPTS = [f"{number:064x}" for number in range(4_000)]


def test_the_share_that_is_drawn_is_the_share_that_was_asked_for() -> None:
    drawn = sum(chosen(SECRET, receipt, 0.05) for receipt in RECEIPTS)

    assert 145 <= drawn <= 255  # 200 within four standard deviations
    assert [chosen(SECRET, receipt, share) for receipt in RECEIPTS[:3] for share in (0, 1)] == [False, True] * 3


@given(st.sampled_from(RECEIPTS), st.floats(0, 1), st.floats(0, 1))
def test_a_larger_share_chooses_no_fewer(receipt: str, one: float, other: float) -> None:
    assert chosen(SECRET, receipt, min(one, other)) <= chosen(SECRET, receipt, max(one, other))


def test_another_secret_draws_others_and_an_epoch_cannot_be_exchanged() -> None:
    other = Secret.draw(7, lambda count: bytes(count))
    draws = [[chosen(secret, receipt, 0.5) for receipt in RECEIPTS[:200]] for secret in (SECRET, other)]

    assert draws[0] != draws[1]
    assert opens(SECRET, SECRET.commitment)
    assert not opens(other, SECRET.commitment)
    assert not opens(Secret(8, SECRET.value), SECRET.commitment)


def test_a_secret_does_not_print() -> None:
    assert repr(SECRET) == "Secret(epoch=7)"


def test_all_is_audited_at_first_then_less_and_never_less_than_the_floor() -> None:
    rates, test = Rates(), Test()
    shares = [rates.share(clean, Evidence(), test, 0.05) for clean in (0, 29, 30, 40, 60, 500)]

    assert shares == [1, 1, 1, 0.5, 0.125, 0.05]


def test_evidence_raises_the_share_and_half_the_bar_audits_all() -> None:
    rates, test = Rates(), Test()
    evidence, shares = Evidence(), []
    for _ in range(8):
        shares.append(rates.share(500, evidence, test))
        evidence = evidence.after(True, test)

    assert shares[0] == 0.03
    assert shares == sorted(shares)
    assert shares[-1] == 1


def test_only_a_hopeless_answer_starts_anew() -> None:
    found = [
        Rates.clean(50, failed, hopeless=hopeless) for failed, hopeless in [(False, False), (True, False), (True, True)]
    ]

    assert found == [51, 50, 0]
