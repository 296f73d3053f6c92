from dataclasses import fields
from decimal import Decimal

import pytest

from mercato.core.errors import ConfigError
from mercato.market.alerts.model import Rule
from mercato.market.alerts.rules import defaults, load, parse

GOOD = """
[[rule]]
key = "deep"
title = "Deep"
metric = "drawdown"
figure = "drawdown"
enter = "<= -0.5"
leave = "> -0.4"
"""


def test_the_shipped_rules_cover_every_kind_and_gate_on_coverage():
    rules = {rule.key: rule for rule in defaults()}
    watched = {rule.metric for rule in rules.values()}

    assert {"flat-range", "drawdown", "dominance", "mindshare", "developers", "quality", "restatement"} <= watched
    assert all(rule.coverage == Decimal("0.98") for rule in rules.values() if rule.metric != "restatement")


def test_a_rule_of_the_same_key_replaces_the_shipped_one(tmp_path):
    path = tmp_path / "alerts.toml"
    path.write_text(GOOD.replace('"deep"', '"flat-range"') + "enabled = false\n")
    rules = {rule.key: rule for rule in load(path)}

    assert not rules["flat-range"].enabled
    assert len(rules) == len(defaults())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (('enter = "<= -0.5"', 'enter = "below half"'), "enter was 'below half'"),
        (('leave = "> -0.4"', 'leave = "> -0.6"'), "overlap"),
        (('leave = "> -0.4"', 'leave = "<= -0.9"'), "overlap"),
        (('metric = "drawdown"', 'metric = "vibes"'), "metric was 'vibes'"),
        (('key = "deep"', 'key = "Deep one"'), "key was 'Deep one'"),
        (('title = "Deep"', "closes = 0\ntitle = 'x'"), "closes was 0"),
        (('title = "Deep"', "closes = true\ntitle = 'x'"), "closes was True"),
        (('title = "Deep"', "coverage = 2\ntitle = 'x'"), "coverage was 2"),
        (('title = "Deep"', "colour = 'red'\ntitle = 'x'"), r"unknown keys \['colour'\]"),
        (('title = "Deep"', "channels = ['pigeon']\ntitle = 'x'"), "channels was"),
        (('title = "Deep"', ""), r"lacked \['title'\]"),
        (("[[rule]]", "[[rules]]"), r"unknown keys \['rules'\]"),
        (("[[rule]]", "[[rule"), "was not TOML"),
    ],
)
def test_a_wrong_setting_is_refused_with_its_value(change, message):
    with pytest.raises(ConfigError, match=message):
        parse(GOOD.replace(*change))


def test_two_rules_of_one_key_are_refused():
    with pytest.raises(ConfigError, match="twice"):
        parse(GOOD + GOOD)


def test_every_setting_of_a_rule_is_known_to_the_file():
    assert {item.name for item in fields(Rule)} >= {"key", "enter", "leave", "scan", "fdr", "compare_days"}
