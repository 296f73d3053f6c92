"""The same launch on every chain: embedded, exact, a real node, and our own JSON-RPC, signed for or not."""

from __future__ import annotations

import pytest

from mercato.chains.testing import ACCOUNTS
from mercato.core.clock import HandClock
from mercato.launch.deployment import STEPS, deploy_all, plan
from mercato.launch.settings import LaunchSettings
from mercato.launch.states import State
from mercato.launch.testing import House, application
from mercato.store import Store
from tests.conformance.chain.conftest import CHAINS, EVERY

DOLLAR = 10**6
TEAM, ANN, BOB = ACCOUNTS[3:6]
PLACE = "0xd2f37df9bc36c42488d5c7dbdfff606605488116"  # of the auction: it follows from the deployer and the application


@pytest.mark.parametrize("name", EVERY)
def test_what_a_deployment_would_send_is_known_before_on_every_chain(name: str) -> None:
    with CHAINS[name](True) as rig:
        before = rig.chain.nonce(ACCOUNTS[0])
        planned = plan(rig.chain, ACCOUNTS[0])
        after = rig.chain.nonce(ACCOUNTS[0])
        made = deploy_all(rig.chain, ACCOUNTS[0])

    assert before == after
    assert [item.address for item in planned] == [getattr(made, step.name) for step in STEPS]


@pytest.mark.parametrize("name", EVERY)
def test_one_launch_is_the_same_on_every_chain(
    name: str, store: Store, clock: HandClock, settings: LaunchSettings
) -> None:
    with CHAINS[name](True) as rig:
        house = House.on(store, clock, rig.chain, rig.controls, settings)
        launch = house.scheduled(application(applicant=TEAM))
        house.to_open(launch)
        house.bid(launch, ANN, 12, 300 * DOLLAR)
        house.bid(launch, BOB, 40, 200 * DOLLAR)
        forecast = house.room.positions(launch.id, ANN)[0]
        house.over(launch)
        house.room.keep(launch.id)
        house.sign(house.room.prepare_claim(launch.id, ANN, 12))
        live = house.room.launch(launch.id)
        (paid,) = house.room.positions(launch.id, ANN)
        sound = all(good for _, good in house.room.verify())

    assert live.state is State.LIVE
    assert (paid.tokens, paid.charge, paid.claimed) == (forecast.tokens, forecast.charge, True)
    assert sound
    assert live.outcome is not None
    # The numbers are the same everywhere, and so is the place of everything, since the application's hash decides it.
    assert live.contracts is not None
    assert live.contracts.auction == PLACE
    assert (live.outcome.raised, live.outcome.level) == (500 * DOLLAR, 12)
