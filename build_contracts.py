"""Compile the contracts: src/mercato/contracts/*.vy -> src/mercato/contracts/artifacts/*.json.

A contract whose sources and compiler have not changed is left alone. Modules that only others import start with an
underscore and get no artefact of their own.

    python build_contracts.py    builds, as the build hook does
"""

from __future__ import annotations

import hashlib
import json
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

CONTRACTS = Path("src/mercato/contracts")


def build(root: Path) -> None:
    """Writes one artefact per contract, and removes those whose source is gone."""
    folder = root / CONTRACTS
    target = folder / "artifacts"
    target.mkdir(exist_ok=True)
    sources = sorted(path for path in folder.glob("*.vy") if not path.name.startswith("_"))
    for left in set(target.glob("*.json")) - {target / f"{path.stem}.json" for path in sources}:
        left.unlink()
    stale = [path for path in sources if state(target / f"{path.stem}.json") != digest(path)]
    with ProcessPoolExecutor() as pool:
        for path, made in zip(stale, pool.map(compiled, stale), strict=True):
            text = json.dumps({**made, "source": digest(path)}, sort_keys=True, indent=1) + "\n"
            kept = target / f"{path.stem}.json"
            kept.with_suffix(".part").write_text(text, encoding="utf-8")
            kept.with_suffix(".part").replace(kept)


def digest(contract: Path) -> str:
    """Returns one SHA-256 of a contract, of every module that it could import, and of the compiler's version."""
    from vyper import __version__

    modules = [path for path in contract.parent.glob("*.vy*") if path.name.startswith("_") or path.suffix == ".vyi"]
    summed = hashlib.sha256(__version__.encode())
    for path in (contract, *sorted(modules)):
        summed.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return summed.hexdigest()


def state(path: Path) -> str:
    """Returns the fingerprint that an artefact was made from; nothing where there is none."""
    return str(json.loads(path.read_text(encoding="utf-8")).get("source", "")) if path.exists() else ""


def compiled(path: Path) -> dict[str, object]:
    """Returns a contract's ABI and code; VyperException with its own words where the source is at fault."""
    from vyper import __version__, compile_from_file_input
    from vyper.compiler.input_bundle import FilesystemInputBundle

    bundle = FilesystemInputBundle([path.parent])
    formats = ["abi", "bytecode", "bytecode_runtime"]
    made = compile_from_file_input(bundle.load_file(path.name), input_bundle=bundle, output_formats=formats)
    return {
        "abi": made["abi"],
        "bytecode": made["bytecode"].removeprefix("0x"),
        "runtime": made["bytecode_runtime"].removeprefix("0x"),
        "compiler": f"vyper {__version__}",
    }


if __name__ == "__main__":
    build(Path(__file__).parent)
