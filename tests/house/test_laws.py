"""Every law catches what it forbids: a small sound tree breaks none, and each planted fault breaks exactly its own."""

from pathlib import Path

import pytest

from tests.house import doors, laws, words
from tests.house.tree import parse

ALL: tuple[laws.Law, ...] = (*laws.LAWS, *words.LAWS, *doors.LAWS)
SOUND = {
    "src/mercato/__init__.py": '"""A market for lamps."""\n\n__version__ = "1"\n',
    "src/mercato/core/__init__.py": '"""The words that everyone uses."""\n',
    "src/mercato/core/errors.py": 'class MercatoError(Exception):\n    """The root."""\n',
    "src/mercato/core/money.py": 'class Amount:\n    """Whole base units."""\n',
    "src/mercato/core/settings.py": "import os\n\nHOME = os.environ.get('MERCATO_HOME')\n",
    "src/mercato/lamps/__init__.py": (
        '"""The room where lamps are sold."""\n\n'
        'from mercato.lamps.model import LIMIT, Lamp\n\n__all__ = ["LIMIT", "Lamp"]\n'
    ),
    "src/mercato/lamps/model.py": (
        "from mercato.core.money import Amount\n\n"
        'LIMIT = 3\n"""How many lamps one may buy."""\n\n\n'
        'class Lamp:\n    """Gives light."""\n\n    price: Amount\n'
    ),
    "tests/test_lamps.py": "def test_a_lamp_gives_light() -> None:\n    assert 1\n",
    "requirements/dev.txt": "lamp==1 --hash=sha256:00\n",
    "README.md": "# Lamps\n",
}
MODEL, DOOR, TEST = "src/mercato/lamps/model.py", "src/mercato/lamps/__init__.py", "tests/test_lamps.py"
LONG = "def long() -> None:\n" + "    print()\n" * 60
ERRORS = "from mercato.core.errors import MercatoError\n\n\nclass E0(MercatoError): ...\n" + "".join(
    f"class E{number}(E{number - 1}): ...\n" for number in range(1, 9)
)
# What a plant says is put together here, so that this file keeps the laws of words itself.
PLANTS: list[tuple[str, str, str]] = [
    ("files_keep_their_budget", MODEL, "\n" * 501),
    ("files_keep_their_budget", "tests/test_more.py", "x = 1\n" * 501),
    ("files_keep_their_budget", "src/mercato/web/islands/page.ts", "let x = 1;\n" * 501),
    ("functions_keep_their_budget", MODEL, LONG),
    ("functions_keep_their_budget", "bench/lamps.py", LONG.replace("def", "async def")),
    ("functions_keep_their_budget", MODEL, "class Lamp:\n    " + LONG.replace("\n", "\n    ")),
    ("rooms_offer_few_errors", "src/mercato/lamps/errors.py", ERRORS),
    ("names_say_something", MODEL, "class LampManager: ...\n"),
    ("names_say_something", MODEL, "class HelperForLamps: ...\n"),
    ("names_say_something", MODEL, "class BaseLamp: ...\n"),
    ("names_say_something", MODEL, "class LampBase: ...\n"),
    ("names_say_something", MODEL, "def lamp_utils() -> None: ...\n"),
    ("names_say_something", "src/mercato/lamps/helpers.py", "x = 1\n"),
    ("no_float_beside_money", MODEL, "import mercato.core.money\n\nx = 0.5\n"),
    ("no_float_beside_money", MODEL, "from mercato.core.money import Amount\n\nx = 1e3\n"),
    ("no_float_beside_money", MODEL, "from mercato.core import money\n\n\ndef f(x: float) -> None: ...\n"),
    ("no_float_beside_money", MODEL, "from mercato.core.money import Amount\n\n\ndef f() -> 'float': ...\n"),
    ("no_float_beside_money", MODEL, "def f():\n    from mercato.core.money import Amount\n    return float(1)\n"),
    ("no_float_beside_money", "src/mercato/core/money.py", "HALF = 0.5\n"),
    ("only_settings_reads_the_environment", MODEL, "import os\n\nx = os.environ['LAMP']\n"),
    ("only_settings_reads_the_environment", MODEL, "import os\n\nx = os.getenv('LAMP')\n"),
    ("only_settings_reads_the_environment", MODEL, "from os import environ\n"),
    ("suppressions_say_why", MODEL, "import os  # no" + "qa: F401\n"),
    ("suppressions_say_why", MODEL, "x = 1  # type: " + "ignore[misc]\n"),
    ("tests_are_plain", TEST, "def test_a_lamp() -> None:\n    if 1:\n        assert 1\n"),
    ("tests_are_plain", TEST, "from unittest.mock import Mock\n"),
    ("tests_claim_something", TEST, "def test_a_lamp() -> None:\n    print(1)\n"),
    ("no_registry_is_named", "README.md", "see py" "pi.org/project/lamp\n"),
    ("no_registry_is_named", "requirements/dev.txt", "lamp @ files.python" "hosted.org/lamp.whl\n"),
    ("locks_hold_no_addresses", "deno.lock", '{"lamp": "htt' 'ps://lamps.example/lamp.tgz"}\n'),
    ("no_stray_words", MODEL, "# TO" "DO: light\n"),
    ("no_stray_words", "README.md", "Closes issue" " #12.\n"),
    ("no_stray_words", "Makefile", "run: /wo" "rk/lamps\n"),
    ("doors_say_what_the_room_is_for", DOOR, '"""."""\n'),
    ("doors_are_small_and_listed", DOOR, '"""The room of lamps."""\n\nfrom mercato.lamps.model import Lamp\n'),
    ("doors_are_small_and_listed", DOOR, '"""The room of lamps."""\n\n__all__ = ["Lamp"]\n'),
    ("doors_are_small_and_listed", "src/mercato/lamps/extra/__init__.py",
     '"""The room of lamps."""\n\n' + "".join(f'A{n} = {n}\n"""One."""\n' for n in range(16))
     + f"__all__ = {[f'A{n}' for n in range(16)]}\n"),
    ("offers_are_explained", MODEL, 'LIMIT = 3\n"""How many."""\n\n\nclass Lamp: ...\n'),
    ("offers_are_explained", MODEL, 'LIMIT = 3\n\n\nclass Lamp:\n    """Gives light."""\n'),
]  # fmt: skip


def plant(root: Path, more: dict[str, str]) -> dict[str, list[str]]:
    """Writes the sound tree with some files put in, and returns what each law finds."""
    for name, text in {**SOUND, **more}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    parse.cache_clear()
    return {law.__name__: found for law in ALL if (found := list(law(root)))}


def test_a_sound_tree_breaks_no_law(tmp_path: Path) -> None:
    assert plant(tmp_path, {}) == {}


@pytest.mark.parametrize(("law", "path", "text"), PLANTS)
def test_a_planted_fault_is_caught(tmp_path: Path, law: str, path: str, text: str) -> None:
    found = plant(tmp_path, {path: text})

    assert any(path in line or "room 'lamps'" in line or DOOR in line for line in found[law]), found


def test_every_law_has_a_plant() -> None:
    assert {law for law, _, _ in PLANTS} == {law.__name__ for law in ALL}


def test_a_base_rate_is_a_good_name(tmp_path: Path) -> None:
    assert (
        plant(tmp_path, {"src/mercato/lamps/rates.py": "class BaseRate: ...\n\n\ndef base_rate() -> None: ...\n"}) == {}
    )


def test_kept_folders_are_looked_at_and_built_ones_are_not(tmp_path: Path) -> None:
    built = {".venv/x.py": "x = 1\n" * 600, "src/mercato/web/static/page.js": "x\n" * 600}

    assert plant(tmp_path, built) == {}
