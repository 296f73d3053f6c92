"""What makes tokens of a text: the hashes of a model's tokenizer and of its chat template, from the model's files.

Where a folder has several, the first is taken: `tokenizer.json`, `tokenizer.model`, `vocab.json` with `merges.txt`, a
GGUF file's own; `chat_template.jinja`, the template in `tokenizer_config.json`, the GGUF file's. A file has the SHA-256
of its octets, a template that of its text in UTF-8, so that it is the same wherever it is kept.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from mercato.compute.node import gguf
from mercato.core.errors import ConfigError

TOKENIZERS = (("tokenizer.json",), ("tokenizer.model",), ("tiktoken.model",), ("vocab.json", "merges.txt"))
TEMPLATES = ("tokenizer_config.json", "chat_template.json")
LARGEST = 256 << 20  # octets of a file of these
DEFAULT = "default"  # the name of the template that is meant, where there are several


@dataclass(frozen=True, slots=True)
class Texts:
    """The hash of a tokenizer and of a chat template, "" where there is none."""

    tokenizer: str = ""
    template: str = ""


@dataclass(frozen=True, slots=True)
class Sources:
    """Where both are: the model's folder or GGUF file, and the template's own file where it has one; None: nowhere."""

    model: Path | None
    template: Path | None = None

    def read(self) -> Texts:
        """Returns the hashes; ConfigError where a file cannot be read. Blocks."""
        found = of(self.model) if self.model else Texts()
        if self.template is None:
            return found
        return Texts(found.tokenizer, hashed(_octets(self.template).decode(errors="replace")))


def of(path: Path) -> Texts:
    """Returns what a model's folder or file holds of both: a GGUF file its own, one that is called as a tokenizer that,
    any other nothing."""
    if path.is_file():
        return Texts(_sum(path)) if (path.name,) in TOKENIZERS else _gguf(path)
    if not path.is_dir():
        raise ConfigError(f"model was {str(path)!r}, which is not there", hint="its folder, or its GGUF file")
    inside = next((_gguf(file) for file in sorted(path.glob("*.gguf"))), Texts())
    return Texts(_tokenizer(path) or inside.tokenizer, _template(path) or inside.template)


def hashed(template: str) -> str:
    """Returns the hash of a chat template's text."""
    return hashlib.sha256(template.encode(errors="replace")).hexdigest()


def _gguf(path: Path) -> Texts:
    try:
        if not gguf.begins(path):
            return Texts()
    except OSError as error:
        raise ConfigError(f"file {str(path)!r} was not readable: {error.strerror}", hint="a file") from None
    tokenizer, template = gguf.texts(path)
    return Texts(tokenizer, hashed(template) if template else "")


def _tokenizer(folder: Path) -> str:
    for names in TOKENIZERS:
        files = [folder / name for name in names]
        if all(file.is_file() for file in files):
            sums = [_sum(file) for file in files]
            listed = "".join(f"{sum}  {name}\n" for sum, name in zip(sums, names, strict=True))
            return sums[0] if len(sums) == 1 else hashlib.sha256(listed.encode()).hexdigest()
    return ""


def _template(folder: Path) -> str:
    """Returns the hash of a folder's template. Among several by name, that of the default is meant."""
    if (file := folder / "chat_template.jinja").is_file():
        return hashed(_octets(file).decode(errors="replace"))
    for file in (folder / name for name in TEMPLATES):
        if not file.is_file():
            continue
        try:
            body = json.loads(_octets(file))
            found = body.get("chat_template")
            named = {it["name"]: it["template"] for it in found} if isinstance(found, list) else {DEFAULT: found}
        except (ValueError, AttributeError, TypeError, KeyError, RecursionError):
            raise ConfigError(f"file {str(file)!r} was no tokenizer's configuration", hint="JSON, an object") from None
        if isinstance(text := named.get(DEFAULT), str):
            return hashed(text)
    return ""


def _sum(file: Path) -> str:
    return hashlib.sha256(_octets(file)).hexdigest()


def _octets(file: Path) -> bytes:
    try:
        if file.stat().st_size > LARGEST:
            raise ConfigError(f"file {str(file)!r} was larger than {LARGEST} octets", hint="is it the right one?")
        return file.read_bytes()
    except OSError as error:
        raise ConfigError(f"file {str(file)!r} was not readable: {error.strerror}", hint="a file") from None
