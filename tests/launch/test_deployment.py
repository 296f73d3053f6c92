"""Deploying in steps: a run that dies anywhere is gone on with, nothing is made twice, a wrong record is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from mercato.chains import Call, Hash, Reverted
from mercato.chains.evm.local import LocalChain
from mercato.chains.testing import ACCOUNTS, local
from mercato.contracts import load
from mercato.core.errors import Conflict, InvalidInput, NotFound
from mercato.launch import record as records
from mercato.launch.contracts import at
from mercato.launch.deployment import STEPS, Deployment, Terms, deploy_all, deployed, plan, verify
from mercato.launch.record import place

HOUSE = ACCOUNTS[0]
TERMS = Terms(curator=HOUSE, treasury=ACCOUNTS[1], judge=ACCOUNTS[2], attester=ACCOUNTS[3])


class Died(Exception):
    """The process that deployed was killed."""


class Dying(LocalChain):
    """A chain whose sender dies at the n-th sending, before it leaves or once it has arrived."""

    dies_at: tuple[int, str] = (0, "")
    sendings = 0

    def send(self, call: Call) -> Hash:
        self.sendings += 1
        if (self.sendings, "before") == self.dies_at:
            raise Died
        sent = super().send(call)
        if (self.sendings, "after") == self.dies_at:
            raise Died
        return sent


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return place(tmp_path / "deployments", "eip155:31337")


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("number", range(1, len(STEPS) + 1))
def test_a_run_that_dies_anywhere_is_gone_on_with_and_makes_nothing_twice(path: Path, number: int, moment: str) -> None:
    chain = Dying()
    chain.dies_at = (number, moment)
    planned = [item.address for item in plan(chain, HOUSE, TERMS)]
    with pytest.raises(Died):
        deploy_all(chain, HOUSE, TERMS, path=path)
    made = deploy_all(chain, HOUSE, TERMS, path=path)

    assert chain.block().number == len(STEPS)
    assert [getattr(made, step.name) for step in STEPS] == planned
    assert all(sound for _, sound in verify(chain, made))


def test_a_finished_deployment_is_read_back_and_not_made_again(path: Path) -> None:
    chain = local()
    made = deploy_all(chain, HOUSE, TERMS, path=path)

    assert deploy_all(chain, HOUSE, TERMS, path=path) == deployed(chain, path) == made
    assert chain.block().number == len(STEPS)
    assert (made.curator, made.treasury, made.deposit_amount) == (HOUSE, ACCOUNTS[1], 250_000_000)


def test_the_contracts_know_each_other_and_their_roles() -> None:
    chain = local()
    made = deploy_all(chain, HOUSE, TERMS)
    factory, graduator = at(chain, "launch_factory", made.factory), at(chain, "graduator", made.graduator)

    assert factory.read("CURATOR") == HOUSE
    assert factory.read("QUOTE") == graduator.read("quote") == made.quote
    assert graduator.read("treasury") == ACCOUNTS[1]
    assert 55 <= graduator.read("shill_bound_bps") <= 60
    assert at(chain, "identity_gate", made.gate).read("ATTESTER") == ACCOUNTS[3]


def test_progress_names_each_step_once(path: Path) -> None:
    seen: list[tuple[str, int, int]] = []
    deploy_all(local(), HOUSE, TERMS, path=path, progress=lambda *told: seen.append(told))

    assert [name for name, _, _ in seen] == [*(step.name for step in STEPS), "done"]
    assert [done for _, done, _ in seen] == list(range(len(STEPS) + 1))


def test_a_dollar_that_is_there_is_used_and_one_that_is_not_is_refused(path: Path) -> None:
    chain = local()
    first = deploy_all(chain, HOUSE, TERMS)
    second = deploy_all(chain, HOUSE, replace(TERMS, quote=first.quote), path=path)

    assert second.quote == first.quote
    assert second.factory != first.factory
    with pytest.raises(InvalidInput, match="where there is no contract"):
        deploy_all(chain, HOUSE, replace(TERMS, quote=ACCOUNTS[5]))


def test_a_record_is_held_to_its_terms(path: Path) -> None:
    chain = local()
    deploy_all(chain, HOUSE, TERMS, path=path)

    with pytest.raises(Conflict, match=r"begun with other \['treasury'\]"):
        deploy_all(chain, HOUSE, replace(TERMS, treasury=HOUSE), path=path)


def test_a_record_of_another_chain_is_refused(path: Path) -> None:
    deploy_all(local(), HOUSE, TERMS, path=path)

    with pytest.raises(Conflict, match="the chain was started anew"):
        deployed(local(start=1_800_000_000), path)
    with pytest.raises(Conflict, match="record is of 'eip155:31337', the chain is 'eip155:1337'"):
        deployed(LocalChain(chain_id=1337), path)


def test_a_record_whose_contracts_are_not_there_is_refused(path: Path) -> None:
    deploy_all(local(), HOUSE, TERMS, path=path)

    with pytest.raises(Conflict, match="where it is not"):
        deploy_all(local(), HOUSE, TERMS, path=path)


def test_a_half_finished_deployment_is_no_deployment(path: Path) -> None:
    chain = Dying()
    chain.dies_at = (5, "after")
    with pytest.raises(Died):
        deploy_all(chain, HOUSE, TERMS, path=path)

    with pytest.raises(Conflict, match="deployment lacks"):
        deployed(chain, path)
    with pytest.raises(NotFound, match="nothing is deployed"):
        deployed(chain, path.with_name("none.toml"))


def test_a_refused_step_is_raised_with_its_reason_and_the_record_still_holds_what_stands(path: Path) -> None:
    nobody = "0x" + "00" * 20
    chain = local()

    with pytest.raises(Reverted):
        deploy_all(chain, HOUSE, replace(TERMS, judge=nobody), path=path)  # type: ignore[arg-type] # a plain text stands for an address
    held = records.read(path)
    assert held is not None
    assert set(held.contracts) == {"quote", "pool_code", "graduator"}


@pytest.mark.parametrize(
    "text",
    [
        "= 1",
        "chain = 1",
        'chain = "eip155:31337"\ngenesis = "0x"\ndeployer = "0x"\nblock = 1\n[settings]\n[contracts]\n[sources]\n',
        "[contracts]\nfactory = 5",
    ],
)
def test_a_file_that_is_no_record_is_refused(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True)
    path.write_text(text)

    with pytest.raises(InvalidInput, match="deployment record"):
        records.read(path)


def test_a_record_survives_its_file(path: Path) -> None:
    chain = Dying()
    chain.dies_at = (3, "before")
    with pytest.raises(Died):
        deploy_all(chain, HOUSE, TERMS, path=path)
    held = records.read(path)

    assert held is not None
    assert held.pending is not None
    assert held.pending.step == "graduator"
    assert held.sources["pool"] == load("pool").source
    records.write(path, held)
    assert records.read(path) == held


def test_a_deployment_is_a_plain_value() -> None:
    chain = local()
    made = deploy_all(chain, HOUSE)

    assert isinstance(made, Deployment)
    assert made.curator == made.treasury == HOUSE
