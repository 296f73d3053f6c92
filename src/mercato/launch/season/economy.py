"""The local economy of a data folder: its chain, its contracts, its season, and the life that goes on afterwards.

Opening it is quick, however long a season takes: the chain is read from its journal, contracts are deployed, and the
rest happens in a thread that `start` starts. Whatever the moment at which the process dies, the next one either goes
on from the journal or, where the season was not whole, forgets it and begins it anew.
"""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from mercato.chains import Address
from mercato.chains.errors import Diverged
from mercato.chains.evm.kept import KeptChain
from mercato.chains.signing import Key
from mercato.chains.testing import ACCOUNTS, ETHER, KEYS
from mercato.core.errors import ConfigError, Conflict
from mercato.launch import record as records
from mercato.launch import tables
from mercato.launch.deployment import Deployment, Terms, deploy_all
from mercato.launch.opening import seated
from mercato.launch.season import state
from mercato.launch.season.agents import agents
from mercato.launch.season.applying import reviewers
from mercato.launch.season.clock import SeasonClock
from mercato.launch.season.office import Office
from mercato.launch.season.plan import FULL, HOUR, SHORT, Plan
from mercato.launch.season.settings import SeasonSettings
from mercato.launch.season.state import Kept
from mercato.launch.season.world import World
from mercato.launch.service import Launches
from mercato.launch.settings import LaunchSettings
from mercato.store import Store

FOLDER, JOURNAL, STATE, DEPLOYED = "economy", "chain.jsonl", "season.json", "deployment.toml"
CHAIN_ID = 31337
HOUSE: Address = ACCOUNTS[0]
WEALTH = 10_000 * ETHER
SIZES = {"full": FULL, "small": SHORT}
log = logging.getLogger("mercato.launch.season")


class Economy:
    """A chain of one's own with everything on it; `kept` says whether a season belongs to it and how far it is.

    On a chain without a season nobody advances its world. Close it.
    """

    def __init__(self, folder: Path, kept: Kept, store: Store, launch: LaunchSettings, record: Path) -> None:
        self.folder, self.kept, self.clock = folder, kept, SeasonClock()
        self.plan = Plan(kept.seed, kept.end, SIZES[kept.size])
        begins = kept.end if kept.stage == "none" else self.plan.began - HOUR
        self.chain = KeptChain(folder / JOURNAL, CHAIN_ID, begins, clock=self.clock.seconds)
        try:
            self.deployment = self._deployed(launch, record)
            made_up = launch.model_copy(update={"reviewers": reviewers(kept.seed)})
            here = seated(launch, self.chain) if kept.stage == "none" or launch.reviewers else made_up
            self.launches = Launches(store, self.chain, self.clock, here, deployment=self.deployment)
            inside = Launches(store, self.chain, self.clock, made_up, deployment=self.deployment)
            self.office = Office(self.plan, inside, self.deployment, Key(KEYS[0]))
            self.world = World(self.plan, self.chain, self.clock, self.office)
        except BaseException:
            self.chain.close()
            raise

    @property
    def sectors(self) -> dict[str, str]:
        """Returns the market sectors of the sample agents, by symbol."""
        return {agent.symbol: agent.sector for agent in agents()}

    def is_whole(self) -> None:
        """Writes down that the season is over: from now on the chain is gone on from, never begun anew."""
        self.kept = Kept(self.kept.seed, self.kept.end, self.kept.size, "live")
        state.write(self.folder / STATE, self.kept)

    def close(self) -> None:
        """Closes the journal."""
        self.chain.close()

    def _deployed(self, launch: LaunchSettings, record: Path) -> Deployment:
        """Returns the contracts, deployed where they are not yet; on a new chain the well-known accounts are rich.

        The economy keeps its own record and lays a copy where commands look, since another chain may have used that.
        """
        if self.chain.block().number == 0:
            if self.kept.stage == "living":
                self.clock.stand(self.chain.time())
            for account in ACCOUNTS:
                self.chain.fund(account, WEALTH)
        own = self.folder / DEPLOYED
        held = records.read(own)
        deposit = int(held.settings["deposit"]) if held else launch.deposit
        terms = Terms(curator=HOUSE, treasury=HOUSE, judge=HOUSE, attester=HOUSE, deposit=deposit)
        found = deploy_all(self.chain, HOUSE, terms, path=own)
        record.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(own, record)
        return found


def open_economy(
    store: Store,
    home: Path,
    wanted: SeasonSettings,
    launch: LaunchSettings,
    *,
    say: Callable[[str], None] = log.warning,
    now: Callable[[], float] = time.time,
) -> Economy:
    """Returns the local economy of a data folder: gone on from where it is whole, begun anew where it is not.

    ConfigError where another seed is wanted than the one that was lived with.
    """
    folder = home / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    record = records.place(home / launch.deployments, f"eip155:{CHAIN_ID}")
    kept = state.read(folder / STATE)
    if kept and kept.stage == "live" and wanted.enabled and kept.seed != wanted.seed:
        raise ConfigError(
            f"season's seed was {wanted.seed}, the one here was lived with {kept.seed}",
            hint=f"use another data folder, or remove {folder} to forget this one",
        )
    if kept and kept.stage != "living":
        say("The local chain is read from its journal.")
        try:
            return Economy(folder, kept, store, launch, record)
        except (Diverged, Conflict) as error:  # another hash, or contracts of another release on it
            say(f"It cannot be gone on from, so it begins anew: {error.message}")
    return _anew(folder, record, store, wanted, launch, int(now()))


def _anew(
    folder: Path, record: Path, store: Store, wanted: SeasonSettings, launch: LaunchSettings, end: int
) -> Economy:
    """Forgets what an unfinished or unreadable economy left, and begins one."""
    for path in (folder / STATE, folder / JOURNAL, folder / DEPLOYED, record):
        path.unlink(missing_ok=True)
    with store.transaction() as tx:
        tables.forget(tx)
    kept = Kept(wanted.seed, end, wanted.size, "living" if wanted.enabled else "none")
    state.write(folder / STATE, kept)
    return Economy(folder, kept, store, launch, record)
