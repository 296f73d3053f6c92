"""Settings: each room declares a frozen section, one file and the environment fill them, and they are read once.

    class HttpSettings(Section):
        name: ClassVar[str] = "http"
        port: int = 8470

    settings = load(HttpSettings)          # MERCATO_HTTP_PORT=80, or [http] port = 80 in mercato.toml
    settings.of(HttpSettings).port

The environment wins over the file `mercato.toml` in the data folder, which wins over the defaults. MERCATO_HOME names
the data folder. This is the only module of Mercato that reads the environment.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import NoneType
from typing import Annotated, Any, ClassVar, TypeVar, get_args, get_origin

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError, create_model
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

from mercato.core.errors import ConfigError
from mercato.core.secret import Hidden, Secret

__all__ = ["FILE", "PREFIX", "Hidden", "Operators", "Secret", "Section", "Settings", "inherited", "load"]

PREFIX = "MERCATO_"
FILE = "mercato.toml"
_WHO = re.compile(r"//[^/@\s]*@")  # a name and a password in an address
_ACCOUNT = re.compile(r"0x[0-9a-fA-F]{40}")


def _named(value: dict[str, str]) -> dict[str, str]:
    if wrong := [name for name in value if not 0 < len(name) <= 60 or not name.isprintable()]:
        raise ValueError(f"expected names of at most 60 letters, one was {wrong[0]!r:.80}")
    if wrong := [name for name, account in value.items() if not _ACCOUNT.fullmatch(account)]:
        raise ValueError(f"expected 0x and 40 hexadecimal digits for {wrong[0]!r}")
    return {name: account.lower() for name, account in value.items()}


Operators = Annotated[dict[str, str], AfterValidator(_named)]
"""People by name, each with the account that they sign in with, in lower case."""


class Section(BaseModel):
    """The settings of one room. Subclasses set `name`, one lower-case word, and declare fields with defaults."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)
    name: ClassVar[str] = ""


S = TypeVar("S", bound=Section)


class Settings:
    """All that was read: the data folder and one value per section."""

    def __init__(self, home: Path, sections: Mapping[type[Section], Section]) -> None:
        self.home, self._sections = home, dict(sections)

    def of(self, kind: type[S]) -> S:
        """Returns a room's section; ConfigError where it was not loaded."""
        found = self._sections.get(kind)
        if not isinstance(found, kind):
            raise ConfigError(f"settings section was {kind.name!r}, which is not loaded", hint="name it in load()")
        return found


def load(*kinds: type[Section], home: Path | None = None, partial: bool = False) -> Settings:
    """Reads the environment and `mercato.toml` once; ConfigError names every setting that was wrong.

    `home` overrides MERCATO_HOME. The folder is not made here. A section in the file that no room declares is an
    error, because it is most likely misspelt; `partial` leaves such sections to whoever reads them all.
    """
    folder = home or Path(os.environ.get(PREFIX + "HOME") or "~/.mercato")
    folder = folder.expanduser().absolute()
    source = folder / FILE
    written = _read(source)
    known = {kind.name for kind in kinds}
    if partial:
        written = {name: section for name, section in written.items() if name in known}
    if unknown := set(written) - known:
        raise ConfigError(
            f"{source} has the section {sorted(unknown)[0]!r}", hint=f"known sections: {', '.join(sorted(known))}"
        )
    try:
        values = _compose(kinds)(**written)
    except ValidationError as error:
        raise ConfigError(_explain(error, kinds), hint=f"see {source} and the {PREFIX}* variables") from None
    except SettingsError as error:  # it tells the section, and not what the variable held
        raise ConfigError(
            f"a {PREFIX}* variable was no JSON: {error}", hint="lists and tables are JSON there"
        ) from None
    return Settings(folder, {kind: getattr(values, kind.name) for kind in kinds})


def inherited(names: Iterable[str]) -> dict[str, str]:
    """Returns those variables of the environment that are set, such as PATH, to hand on to a program that we start."""
    return {name: os.environ[name] for name in names if name in os.environ}


class _FileBelowEnvironment(BaseSettings):
    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter="_", env_nested_max_split=1, frozen=True, hide_input_in_errors=True
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return env_settings, init_settings


def _compose(kinds: tuple[type[Section], ...]) -> type[BaseSettings]:
    fields: dict[str, Any] = {kind.name: (kind, kind()) for kind in kinds}
    return create_model("ComposedSettings", __base__=_FileBelowEnvironment, **fields)


def _read(source: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(source.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise ConfigError(f"{source} was not readable as TOML: {error}", hint="correct the file or remove it") from None


def _explain(error: ValidationError, kinds: tuple[type[Section], ...]) -> str:
    """Returns what was wrong, setting by setting. Values of secrets, of what holds some, and of unknown names, maybe
    secrets, stay out."""
    sections = {kind.name: kind for kind in kinds}
    lines = []
    for item in error.errors(include_url=False):
        place = tuple(str(part) for part in item["loc"])
        kind = _kind(sections[place[0]], place[1:]) if len(place) > 1 else None
        was = f" was {_WHO.sub('//…@', repr(item['input']))}" if kind is not None and not _secret(kind) else ""
        lines.append(f"{'.'.join(place)}{was}: {item['msg'].removeprefix('Value error, ')}")
    return "; ".join(lines)


def _kind(kind: Any, place: tuple[str, ...]) -> Any:
    """Returns the type of the setting at a place within a value of a type; None where it is not known."""
    if not place:
        return kind
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        field = kind.model_fields.get(place[0])
        return _kind(field.annotation, place[1:]) if field else None
    within = [each for each in get_args(kind) if each is not NoneType]
    if get_origin(kind) is dict:
        return _kind(within[1], place[1:])
    return kind


def _secret(kind: Any) -> bool:
    """Whether values of a type are secrets, or hold some."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return any(_secret(field.annotation) for field in kind.model_fields.values())
    return kind is Secret or any(_secret(each) for each in get_args(kind))
