"""Settings: what wins, what is refused, and that secrets stay hidden."""

import copy
import json
import pickle
from pathlib import Path
from typing import ClassVar

import pytest
from pydantic import BaseModel, ConfigDict, Field, field_validator

from mercato.core.errors import ConfigError
from mercato.core.settings import Secret, Section, load


class Shop(Section):
    name: ClassVar[str] = "shop"
    port: int = 80
    pool_size: int = 1
    key: Secret = Secret("")


def test_the_environment_wins_over_the_file_which_wins_over_the_defaults(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mercato.toml").write_text("[shop]\nport = 81\npool_size = 2\n")
    monkeypatch.setenv("MERCATO_SHOP_POOL_SIZE", "3")

    shop = load(Shop, home=tmp_path).of(Shop)

    assert (shop.port, shop.pool_size, shop.key) == (81, 3, Secret(""))


def test_mercato_home_names_the_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MERCATO_HOME", str(tmp_path / "there"))

    assert load(Shop).home == tmp_path / "there"
    assert not (tmp_path / "there").exists()


def test_without_mercato_home_the_data_folder_lies_in_the_users_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MERCATO_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))

    assert load(Shop).home == tmp_path / ".mercato"


def test_settings_do_not_change_after_they_were_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(Shop, home=tmp_path)
    monkeypatch.setenv("MERCATO_SHOP_PORT", "99")

    assert settings.of(Shop).port == 80
    with pytest.raises(ValueError, match="frozen"):
        settings.of(Shop).port = 99  # type: ignore[misc] # frozen is the point


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[shop]\nport = 'many'", "shop.port was 'many'"),
        ("[shop]\nprot = 1", "shop.prot"),
        ("[shpo]\nport = 1", "'shpo'"),
        ("shop = 3", "shop"),
        ("[shop", "not readable as TOML"),
    ],
)
def test_a_wrong_setting_is_named_with_its_file(tmp_path: Path, text: str, expected: str) -> None:
    (tmp_path / "mercato.toml").write_text(text)

    with pytest.raises(ConfigError) as caught:
        load(Shop, home=tmp_path)

    assert expected in str(caught.value)
    assert "mercato.toml" in str(caught.value)


@pytest.mark.parametrize("line", ["key = ['hunter2']", "kye = 'hunter2'", "key = 2222\nkye = 'hunter2'"])
def test_a_wrong_secret_is_not_shown_by_its_error(tmp_path: Path, line: str) -> None:
    (tmp_path / "mercato.toml").write_text(f"[shop]\n{line}")

    with pytest.raises(ConfigError) as caught:
        load(Shop, home=tmp_path)

    assert "hunter2" not in str(caught.value)
    assert "2222" not in str(caught.value)
    assert caught.value.__suppress_context__


class Supplier(BaseModel):
    model_config = ConfigDict(extra="forbid")
    url: str = ""
    key: Secret = Secret("")

    @field_validator("url")
    @classmethod
    def _is_https(cls, value: str) -> str:
        if not value.startswith("https://h"):
            raise ValueError("expected https://host")
        return value


class Mall(Section):
    name: ClassVar[str] = "mall"
    suppliers: dict[str, Supplier] = Field(default_factory=dict)
    sizes: dict[str, int] = Field(default_factory=dict)

    @field_validator("suppliers")
    @classmethod
    def _are_named(cls, value: dict[str, Supplier]) -> dict[str, Supplier]:
        if "A" in value:
            raise ValueError("expected lower case")
        return value


@pytest.mark.parametrize(
    "text",
    [
        "[mall.suppliers.A]\nurl = 'https://h'\nkey = 'hunter2'",
        "[mall.suppliers.a]\nkey = ['hunter2']",
        "[mall.suppliers]\na = 'hunter2'",
        "[mall]\nsuppliers = 'hunter2'",
        "[mall.suppliers.a]\nurl = 'https://ann:hunter2@h'",
        "[mall.suppliers.a]\nkye = 'hunter2'",
    ],
)
def test_a_secret_within_a_table_is_not_shown_by_what_is_wrong_with_the_table(tmp_path: Path, text: str) -> None:
    (tmp_path / "mercato.toml").write_text(text)

    with pytest.raises(ConfigError) as caught:
        load(Mall, home=tmp_path)

    assert "mall.suppliers" in caught.value.message
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[mall.suppliers.a]\nurl = 'ftp://x'", "mall.suppliers.a.url was 'ftp://x': expected https://host"),
        ("[mall.sizes]\na = 'x'", "mall.sizes.a was 'x': "),
    ],
)
def test_a_wrong_setting_within_a_table_is_shown(tmp_path: Path, text: str, expected: str) -> None:
    (tmp_path / "mercato.toml").write_text(text)

    with pytest.raises(ConfigError) as caught:
        load(Mall, home=tmp_path)

    assert caught.value.message.startswith(expected)


def test_a_variable_that_is_no_json_is_told_without_what_it_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MERCATO_MALL", '{"suppliers": "hunter2')

    with pytest.raises(ConfigError, match="no JSON") as caught:
        load(Mall, home=tmp_path)

    assert "hunter2" not in str(caught.value)


def test_a_section_that_was_not_loaded_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="'shop'"):
        load(home=tmp_path).of(Shop)


def test_a_secret_shows_its_value_only_when_asked() -> None:
    secret = Secret("hunter2")
    shop = Shop(key=secret)
    shown = [
        repr(secret), str(secret), f"{secret}", f"{secret:>40}", f"{secret!r}", "%s" % secret,  # noqa: UP031 - every way of formatting is tried
        repr(shop), str(shop), repr(shop.model_dump()), shop.model_dump_json(),
        json.dumps(shop.model_dump(mode="json")),
        repr([secret]), repr(copy.deepcopy(secret)), repr(copy.copy(secret)),
    ]  # fmt: skip

    assert not [text for text in shown if "hunter2" in text]
    assert secret.reveal() == "hunter2"
    assert secret == Secret("hunter2") != Secret("x")
    assert len({secret, Secret("hunter2")}) == 1


@pytest.mark.parametrize("value", [Secret("hunter2"), Shop(key=Secret("hunter2"))])
def test_a_secret_is_never_pickled(value: object) -> None:
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(value)


def test_a_secret_cannot_be_changed_or_turned_to_json() -> None:
    secret = Secret("hunter2")

    with pytest.raises(AttributeError):
        secret._value = "other"
    with pytest.raises(TypeError):
        json.dumps(secret)
