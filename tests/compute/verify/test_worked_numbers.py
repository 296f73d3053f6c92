"""The published worked numbers come out of our formulas."""

import pytest

from mercato.compute.verify import posp
from mercato.compute.verify.evidence import tokens


@pytest.mark.parametrize(
    ("match", "needed"),
    [(0.97, 6237), (0.95, 849), (0.93, 354), (0.90, 164), (0.80, 46), (0.1 * 0.9 + 0.9 * 0.98, 9502)],
)
def test_tokens_that_tell_match_rates_apart(match: float, needed: int) -> None:
    """Honest .98 and alpha 1e-6, independent tokens; the last cheats at .90 in a tenth of requests."""
    assert tokens(0.98, match, 1e-6) == needed


@pytest.mark.parametrize(
    ("unsettled", "alpha", "power", "share"),
    [
        (0, 0, 1, 0.556), (5, 0, 1, 0.0926), (50, 0, 1, 0.0109),
        (0, 1e-3, 0.95, 0.586), (5, 1e-3, 0.95, 0.0976), (50, 1e-3, 0.95, 0.0115),
    ],
)  # fmt: skip
def test_the_floor_of_proofs_of_sampling(unsettled: float, alpha: float, power: float, share: float) -> None:
    """Reward 1, saving .5, a tenth returned; shares rounded up, as they must be exceeded."""
    assert posp.rounded_up(posp.floor(0.5, 1, unsettled, alpha=alpha, power=power)) == share


@pytest.mark.parametrize("unsettled", [0, 5, 50])
def test_wrong_blame_costs_the_honest_less_than_a_thousandth(unsettled: float) -> None:
    share = posp.floor(0.5, 1, unsettled, alpha=1e-3, power=0.95)

    assert posp.honest_loss(share, 1, unsettled, alpha=1e-3) <= 0.0009


@pytest.mark.parametrize("unsettled", [0.0, 5.0, 50.0])
def test_at_the_floor_cheating_just_does_not_pay(unsettled: float) -> None:
    """What is saved equals what audits take in the mean, beyond what they take from the honest."""
    share = posp.floor(0.5, 1, unsettled, alpha=1e-3, power=0.95)
    taken = share * 0.95 * 0.9 * (1 + unsettled) - posp.honest_loss(share, 1, unsettled, alpha=1e-3)

    assert taken == pytest.approx(0.5)


def test_a_floor_without_power_is_refused() -> None:
    with pytest.raises(ValueError, match=r"alpha=0\.5, power=0\.5"):
        posp.floor(0.5, 1, 0, alpha=0.5, power=0.5)
