"""Keys of Solana at rest, and signers that keep theirs elsewhere."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import httpx
import pytest

from mercato.chains.errors import BadCall
from mercato.chains.solana.model import SOL, Address, Signer
from mercato.chains.solana.testing import SEEDS, WEALTH
from mercato.core.clock import HandClock
from mercato.core.errors import ConfigError
from mercato.core.settings import Secret
from mercato.kit import keystore as evm
from mercato.kit.acts import State
from mercato.kit.service import Kit
from mercato.kit.solana import keystore
from mercato.store import Store
from tests.kit.solana.ground import ANYTHING, FRIEND, ME, STRANGER_KEY, WALLET, Town, done, town

PASSWORD = Secret("correct horse battery")
N = 2**12


def test_a_seed_is_kept_and_opens_with_its_password_only(tmp_path: Path) -> None:
    place = tmp_path / "wallet.json"
    assert keystore.save(place, SEEDS[0], PASSWORD, n=N) == ME

    assert keystore.unlock(place, PASSWORD).address == ME
    assert place.stat().st_mode & 0o777 == 0o600
    assert SEEDS[0].hex() not in place.read_text()
    with pytest.raises(ConfigError, match="did not open"):
        keystore.unlock(place, Secret("wrong horse battery"))
    with pytest.raises(ConfigError, match="there already"):
        keystore.save(place, SEEDS[0], PASSWORD, n=N)


def test_a_key_of_one_curve_is_not_taken_for_one_of_the_other() -> None:
    with pytest.raises(ConfigError, match="curve 'ed25519'"):
        evm.opened(keystore.sealed(SEEDS[0], PASSWORD, n=N), PASSWORD)
    with pytest.raises(ConfigError, match="curve None"):
        keystore.opened(evm.sealed(SEEDS[0], PASSWORD, n=N), PASSWORD)


class Elsewhere:
    """Signs by asking a service that has the key; this process never sees it."""

    def __init__(self, url: str, address: Address) -> None:
        self._url, self.address = url, address

    def message(self, message: bytes) -> bytes:
        """Returns what the service signed."""
        return bytes.fromhex(httpx.post(self._url, json={"message": message.hex()}).json()["signature"])


@contextmanager
def service(key: Signer) -> Iterator[str]:
    """A service that signs with a key, on this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
            body = json.dumps({"signature": key.message(bytes.fromhex(asked["message"])).hex()}).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def remote(town: Town, store: Store, clock: HandClock, url: str) -> Kit:
    kit = town.kit(store, clock, town.policy(ANYTHING))
    return Kit(kit.ledger, kit.rail, kit.actions, book="agent", wallet=Elsewhere(url, ME))


def test_a_signer_elsewhere_is_asked_for_signatures_and_nothing_else(sqlite: Store, clock: HandClock) -> None:
    place = town()
    with service(WALLET) as url:
        act = done(remote(place, sqlite, clock, url), "transfer-native", {"to": FRIEND, "amount": str(SOL)})

    assert act.state is State.DONE
    assert place.cluster.balance(FRIEND) == WEALTH + SOL


def test_a_signer_elsewhere_with_another_key_is_noticed_before_anything_is_sent(
    sqlite: Store, clock: HandClock
) -> None:
    place = town()
    with service(STRANGER_KEY) as url:
        kit = remote(place, sqlite, clock, url)
        with pytest.raises(BadCall, match=f"signature was not of {ME}"):
            done(kit, "transfer-native", {"to": FRIEND, "amount": str(SOL)})

    assert kit.ledger.journal("agent")[-1].arrow == "released"
