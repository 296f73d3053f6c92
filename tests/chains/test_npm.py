"""What tests borrow from npm is there, and is what the lock names."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import npm

SAYS = 'import {{ {name} }} from "{package}"; console.log(typeof {name});'


@pytest.mark.npm
def test_every_package_is_the_version_that_was_asked_for(npm: Callable[[str], Path]) -> None:
    asked = json.loads((Path(__file__).parents[1] / "npm" / "deno.json").read_text())["imports"]

    found = {name: json.loads((npm(name) / "package.json").read_text())["version"] for name in asked}

    assert asked == {name: f"npm:{name}@{version}" for name, version in found.items()}


@pytest.mark.npm
@pytest.mark.parametrize(("package", "name"), [("viem", "createPublicClient"), ("ethers", "JsonRpcProvider")])
def test_a_client_runs_under_deno(tmp_path: Path, package: str, name: str) -> None:
    script = tmp_path / "says.ts"
    script.write_text(SAYS.format(name=name, package=package))

    ran = npm.run(script)

    assert (ran.returncode, ran.stdout) == (0, "function\n"), ran.stderr


def test_the_lock_names_no_registry() -> None:
    assert "://" not in (Path(npm.__file__).parent / "deno.lock").read_text()
