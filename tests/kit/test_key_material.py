"""Keys and passwords are nowhere but in memory: not in logs, errors, tracebacks with their locals, the database, what
commands, tools, pages and the API answer, and not in the core dump of a crash."""

from __future__ import annotations

import base64
import io
import logging
import os
import shutil
import sys
import traceback
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client
from rich.console import Console
from rich.traceback import Traceback

from mercato.api.testing import serve
from mercato.chains.errors import Unreachable
from mercato.chains.facade import Facade
from mercato.chains.signing import Key
from mercato.chains.solana import base58
from mercato.chains.solana.keys import SolanaKey
from mercato.chains.testing import ACCOUNTS, KEYS, Interrupted
from mercato.core.clock import HandClock
from mercato.core.settings import Hidden, Secret
from mercato.kit.keystore import encrypted, save, sealed, unlock
from mercato.kit.service import Kit
from mercato.kit.solana import keystore as solana
from mercato.kit.tools import server
from mercato.store import Store
from tests.kit.conftest import Run
from tests.kit.ground import ANYTHING, FRIEND, STRANGER, WORDS, Town, done, town
from tests.kit.office import CLERK, HTML, office, visitor
from tests.kit.test_commands import pay
from tests.kit.test_pages import PAGES, READS

SECRET = KEYS[0]
PASSWORD = "correct horse battery"
QUICK = 2**10


def forms(octets: bytes) -> set[bytes]:
    """Returns how a key may be written down: as bytes, in hexadecimal, as a number, in base 58 and 64, as a list."""
    number = int.from_bytes(octets, "big")
    texts = [
        octets.hex(), octets.hex().upper(), octets.hex()[:48], str(number), base58.encode(octets),
        base64.b64encode(octets).decode()[:40], base64.urlsafe_b64encode(octets).decode()[:40],
        repr(octets)[2:-1], str(list(octets))[1:-1], ",".join(map(str, octets)),
    ]  # fmt: skip
    return {octets, octets[::-1], octets[:24], *(text.encode() for text in texts)}


def leaked(told: bytes | str) -> list[bytes]:
    """Returns the forms of the key, and the password, that some text or bytes hold."""
    held = told if isinstance(told, bytes) else told.encode()
    return [form for form in {*forms(SECRET), PASSWORD.encode()} if form in held]


def told(error: BaseException) -> str:
    """Returns all that tracebacks may print of an error: Python's with locals, and rich's."""
    plain = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    page = io.StringIO()
    kinds = (type(error), error, error.__traceback__)
    shown = Traceback.from_exception(*kinds, show_locals=True, locals_max_length=1_000, locals_max_string=10_000)
    Console(file=page, width=200).print(shown)
    return plain + page.getvalue() + repr(error) + str(vars(error))


def test_the_search_finds_what_is_there() -> None:
    assert all(leaked(b"..." + form + b"...") for form in forms(SECRET))
    assert leaked(f"password={PASSWORD}")
    assert leaked(told(ValueError(SECRET.hex())))


def wrong_password(folder: Path) -> object:
    save(folder / "key.json", SECRET, Secret(PASSWORD), n=QUICK)
    return unlock(folder / "key.json", Secret(PASSWORD + "!"))


def same_file(folder: Path) -> object:
    (folder / "key.json").touch()
    return save(folder / "key.json", SECRET, Secret(PASSWORD), n=QUICK)


def same_file_of_solana(folder: Path) -> object:
    (folder / "key.json").touch()
    return solana.save(folder / "key.json", SECRET, Secret(PASSWORD), n=QUICK)


ATTEMPTS: list[Callable[[Path], object]] = [
    wrong_password, same_file, same_file_of_solana,
    lambda folder: sealed(SECRET, Secret("short"), n=QUICK), lambda folder: encrypted(SECRET, Secret("short"), n=QUICK),
    lambda folder: solana.opened(sealed(SECRET, Secret(PASSWORD), n=QUICK), Secret(PASSWORD)),
    lambda folder: save(folder / "no/such/folder", SECRET, Secret(PASSWORD), n=QUICK),
    lambda folder: Key(SECRET + b"\0"), lambda folder: Key(Secret(SECRET.hex() + "00")),
    lambda folder: Key(Secret(SECRET.hex()[:-2])), lambda folder: Key(SECRET).digest(b"short"),
    lambda folder: Key(SECRET).transaction({"to": FRIEND}),
    lambda folder: SolanaKey(SECRET + b"\0"), lambda folder: SolanaKey(Secret(base58.encode(SECRET + b"\0"))),
    lambda folder: SolanaKey(Secret(str(list(SECRET + b"\0")))),
]  # fmt: skip


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_an_error_about_a_key_shows_none_of_it_with_the_locals_of_every_frame(
    tmp_path: Path, attempt: Callable[[Path], object]
) -> None:
    with pytest.raises(Exception) as refused:  # noqa: PT011 - each attempt has an error of its own
        attempt(tmp_path)

    assert leaked(told(refused.value)) == []


def test_hidden_bytes_do_not_show_themselves() -> None:
    hidden = Hidden(SECRET)

    assert leaked(f"{hidden} {hidden!r} {[hidden]} {hidden:>80} %s" % hidden) == []
    with pytest.raises(TypeError):
        hidden.__reduce_ex__(2)


def offline(question: str) -> None:
    """Interrupts the sending of what was signed."""
    {"send_raw": _unreachable}.get(question, str)()


def _unreachable() -> None:
    raise Unreachable("the node does not answer", hint="try again")


@pytest.fixture(name="town")
def town_() -> Town:
    return town()


def test_acts_that_fail_show_no_key_in_errors_logs_or_the_database(
    town: Town, sqlite: Store, clock: HandClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    policy = town.policy({**ANYTHING, "recipients": [FRIEND]})
    kits = (town.kit(sqlite, clock, policy), town.kit(sqlite, clock, policy, Interrupted(town.chain, offline)))
    found = []
    for kit, to, amount in ((kits[0], STRANGER, "1"), (kits[0], FRIEND, str(10**30)), (kits[1], FRIEND, "1")):
        with pytest.raises(Exception) as refused:  # noqa: PT011 - denied, would fail, unreachable
            done(kit, "transfer", {"token": town.dollar.address, "to": to, "amount": amount})
        found.append(told(refused.value))
    clock.move(timedelta(minutes=5))
    signed = kits[0].recover()
    files = Path(str(sqlite.url.database)).parent.glob("kit.db*")
    held = b"".join(path.read_bytes() for path in files)

    assert [act.state for act in signed] == ["done"]
    assert b"transfer" in held
    assert leaked(held) == leaked("".join(found)) == leaked(caplog.text) == leaked(repr(vars(kits[0]))) == []


def test_tools_answer_without_any_key(town: Town, sqlite: Store, clock: HandClock) -> None:
    kit: Kit = town.kit(sqlite, clock, town.policy(ANYTHING, WORDS))
    pays = {"token": town.dollar.address, "to": FRIEND, "amount": "1"}
    calls: list[tuple[str, dict[str, Any]]] = [
        ("transfer", pays), ("transfer", {**pays, "dry_run": True}), ("transfer", {**pays, "amount": "x"}),
        ("sign-message", {"message": "I am here"}), ("balance", {}), ("act-state", {"act": "act_x"}), ("wallet", {}),
    ]  # fmt: skip

    async def talk() -> str:
        async with Client(server(kit)) as client:
            listed = await client.list_tools()
            return str(listed) + "".join([str(await client.call_tool(*one)) for one in calls])

    answers = anyio.run(talk)

    assert "I am here" in answers
    assert leaked(answers) == []


def test_commands_print_no_key_and_leave_none_in_the_data_folder(
    ruled: Run,
    town: Town,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("MERCATO_KIT_PASSWORD", PASSWORD)
    lines = [
        ["act", *pay(town, 5)], ["act", *pay(town, 90)], ["act", *pay(town, 5, STRANGER)], ["dry-run", *pay(town, 5)],
        ["plan", *pay(town, 5)], ["explain", *pay(town, 5)], ["act", "transfer", "to=nobody"], ["approvals"],
        ["read", "balance"], ["journal", "--limit", "1000"], ["replay"], ["recover"], ["policy", "show"], ["list"],
    ]  # fmt: skip
    found = "".join(str(ruled(*line)) for line in lines)
    found += "".join(str(ruled(*line, as_json=False)) for line in lines[:4])
    for wrong in (SECRET.hex() + "00", SECRET.hex()[:-1], "0x" + SECRET.hex()[:-2]):
        monkeypatch.setenv("MERCATO_KIT_KEY", wrong)
        found += str(ruled("act", *pay(town, 5)))
    monkeypatch.setenv("MERCATO_KIT_KEYSTORE", "absent.json")
    found += str(ruled("act", *pay(town, 5)))
    found += str(ruled("new-wallet", str(home / "new.json"), as_json=False))
    held = b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file())

    assert (b"transfer" in held, b"ciphertext" in held) == (True, True)
    assert leaked(found) == leaked(caplog.text) == leaked(held) == []


def test_pages_and_the_api_show_no_key(tmp_path: Path) -> None:
    with office(tmp_path) as made, serve(made.app(tmp_path)) as address, visitor(address, CLERK) as client:
        answers = [client.get(path.format(**made.acts)).text for path in READS]
        answers += [client.get(path.format(**made.acts), headers=HTML).text for path in PAGES]

    assert all(answers)
    assert leaked("".join(answers)) == []


def crashed(how: str, folder: Path, **environment: str) -> tuple[int, bool, bytes]:
    """Returns how a program ended: its signal, whether the kernel dumped it, and what lies in its folder then."""
    root = str(Path(__file__).parents[2])
    kept = {**os.environ, "PYTHONPATH": root, "PYTHONFAULTHANDLER": "1", **environment}
    printed = os.open(folder / "printed", os.O_CREAT | os.O_WRONLY)
    script = f"cd {folder} && exec {sys.executable} -m tests.kit.crashing {how}"
    actions = [(os.POSIX_SPAWN_DUP2, printed, 1), (os.POSIX_SPAWN_DUP2, printed, 2)]
    started = os.posix_spawn("/bin/sh", ["/bin/sh", "-c", script], kept, file_actions=actions)
    status = os.waitpid(started, 0)[1]
    os.close(printed)
    left = b"".join(path.read_bytes() for path in folder.iterdir())
    shutil.rmtree(folder)  # a dump is large
    return os.WTERMSIG(status), os.WCOREDUMP(status), left


@pytest.fixture
def dumping(tmp_path: Path) -> bytes:
    """What a crash leaves that nobody forbids to dump, on machines that let programs write dumps into their folder."""
    folder = tmp_path / "plain"
    folder.mkdir()
    signal, dumped, left = crashed("plain", folder)
    assert signal == 6
    pattern = Path("/proc/sys/kernel/core_pattern")
    beside = pattern.exists() and not pattern.read_text().startswith(("|", "/"))
    if not (dumped and beside):
        pytest.skip("this machine writes no core dumps into a program's folder")
    return left


def test_a_crash_that_is_dumped_holds_the_key_and_the_search_finds_it(dumping: bytes) -> None:
    assert SECRET in dumping


@pytest.mark.skipif(sys.platform == "win32", reason="signals and core dumps are of POSIX systems")
@pytest.mark.parametrize("wallet", ["key", "keystore"])
def test_no_crash_of_a_process_with_the_kits_key_is_dumped(town: Town, home: Path, tmp_path: Path, wallet: str) -> None:
    save(home / "key.json", SECRET, Secret(PASSWORD), n=QUICK)
    given = {
        "key": {"MERCATO_KIT_KEY": SECRET.hex()},
        "keystore": {"MERCATO_KIT_KEYSTORE": "key.json", "MERCATO_KIT_PASSWORD": PASSWORD},
    }[wallet]
    folder = tmp_path / "kit"
    folder.mkdir()
    with Facade(town.chain, 0, accounts=ACCOUNTS) as facade:
        signal, dumped, left = crashed("kit", folder, MERCATO_CHAINS_RPC=facade.url, **given)

    assert (signal, dumped) == (6, False)
    assert b"Fatal Python error: Aborted" in left  # what faulthandler prints of every frame
    assert leaked(left) == []
