"""Whoever reads settings hands them to a worker whole, and nobody else sees what is secret in them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mercato.compute.model import ModelSpec
from mercato.compute.orders import Orders
from mercato.compute.settings import Auditing, ComputeSettings, Listed, Spec, Upstream
from mercato.compute.tunnelling import specs
from mercato.core.errors import InvalidInput
from mercato.core.settings import Secret, Section

KEY = "sk-upstream"
PRICE = Listed(prompt=200_000, completion=400_000, features=frozenset({"tools", "logprobs"}), tokenizer="toy.json")
WANTED = ComputeSettings(
    workers=3,
    upstreams={"one": Upstream(url="http://127.0.0.1:1/v1", key=Secret(KEY), models={"toy": PRICE}, private=True)},
    audit=Auditing(checker="one", canaries=4, canary_key=Secret("mk_canary")),
    names=("gateway.example",),
    operators={"ann": "0x" + "ab" * 20},
    specs={
        "toy": Spec(context=8192, weights=("ab" * 32,), engine={"dtype": "bfloat16"}, features=frozenset({"toploc"}))
    },
)


def test_every_setting_arrives_as_it_was_read(tmp_path: Path) -> None:
    handle = Orders(tmp_path, "sqlite:///a.db", WANTED).hand()
    first, second = Orders.read(handle), Orders.read(handle)
    os.close(handle)

    assert (first.home, first.url) == (tmp_path, "sqlite:///a.db")
    assert ComputeSettings.model_validate(first.compute, from_attributes=True) == WANTED
    assert first == second


def test_a_worker_wants_of_nodes_what_the_settings_say(tmp_path: Path) -> None:
    handle = Orders(tmp_path, "sqlite:///a.db", WANTED).hand()
    found = specs(Orders.read(handle).compute)
    os.close(handle)

    assert found == {
        "toy": ModelSpec(
            "toy", 8192, weights=("ab" * 32,), engine={"dtype": "bfloat16"}, features=frozenset({"toploc"})
        )
    }


def test_what_is_secret_stays_so_and_lies_in_no_folder(tmp_path: Path) -> None:
    handle = Orders(tmp_path, "sqlite:///a.db", WANTED).hand()
    orders = Orders.read(handle)
    links = os.fstat(handle).st_nlink
    os.close(handle)

    assert orders.compute.upstreams["one"].key.reveal() == KEY
    assert KEY not in repr(orders)
    assert (links, list(tmp_path.iterdir())) == (0, [])


def test_a_handle_is_nobodys_until_it_is_handed_on(tmp_path: Path) -> None:
    handle = Orders(tmp_path, "sqlite:///a.db", WANTED).hand()
    inherited = os.get_inheritable(handle)
    os.close(handle)

    assert not inherited


def test_a_kind_of_setting_that_would_not_arrive_is_refused(tmp_path: Path) -> None:
    class Other(Section):
        raw: bytes = b"octets"

    with pytest.raises(InvalidInput, match="octets"):
        Orders(tmp_path, "", Other()).hand()  # type: ignore[arg-type]  # another room's section
