"""Every action on Solana is defined once: its schema, its words and the page that lists it agree."""

from __future__ import annotations

import json

from mercato.kit.solana.actions import catalogue
from tests.kit.listing import listed, row


def test_every_action_has_a_schema_that_says_what_it_takes() -> None:
    for name, action in catalogue().items():
        schema = json.loads(json.dumps(action.schema()))

        assert name == action.name
        assert set(schema["properties"]) == {item.name for item in action.arguments}
        assert all(len(part["description"]) > 5 for part in schema["properties"].values())
        assert len(action.says) > 10
        assert action.effects


def test_the_page_of_the_actions_lists_each_as_it_is_defined() -> None:
    assert listed("Solana") == [row(action) for _, action in sorted(catalogue().items())]
