"""A process that indexes a chain until it is killed: python -m …victim STORE NODE FILE."""

import os
import sys
import time
from pathlib import Path

from mercato.chains.evm.endpoint import Endpoint
from mercato.chains.evm.rpc import Rpc
from mercato.chains.service import Indexer
from mercato.core.settings import Secret
from mercato.store import Store
from tests.chains.index.conftest import PACE
from tests.conformance.store.victim import note


def main() -> None:
    url, node, file = sys.argv[1:]
    index = Indexer(Store(url), Rpc(Endpoint(Secret(node)), 31337), pace=PACE)
    note(Path(file), str(os.getpid()))
    while True:
        index.sync()
        time.sleep(0.01)


if __name__ == "__main__":
    main()
