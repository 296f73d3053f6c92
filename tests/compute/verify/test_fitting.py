"""A value fits a schema, or clearly does not: by the keywords that all engines know, and within bounded work."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from mercato.compute.verify.fitting import misfit

PERSON = {
    "type": "object", "required": ["name"], "additionalProperties": False,
    "properties": {"name": {"type": "string"}, "age": {"type": ["integer", "null"]}, "of": {"$ref": "#/$defs/kind"}},
    "$defs": {"kind": {"enum": ["a", 1, None]}},
}  # fmt: skip


@pytest.mark.parametrize(
    "value",
    [{"name": ""}, {"name": "x", "age": 3}, {"name": "x", "age": None}, {"name": "x", "age": 3.0, "of": 1}],
    ids=str,
)
def test_what_fits(value: Any) -> None:
    assert misfit(value, PERSON) == ""


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ([], "another type"), ({}, "lacks a member"), ({"name": 1}, "another type"),
        ({"name": "x", "b": 1}, "too many"),
        ({"name": "x", "age": 3.5}, "another type"), ({"name": "x", "age": True}, "another type"),
        ({"name": "x", "of": True}, "choose from"), ({"name": "x", "age": math.inf}, "another type"),
    ],
    ids=str,
)  # fmt: skip
def test_what_does_not_fit_and_why(value: Any, why: str) -> None:
    assert why in misfit(value, PERSON)


def test_parts_to_choose_from_and_items_are_looked_into() -> None:
    either = {"anyOf": [{"const": 1}, {"type": "array", "items": {"type": "boolean"}}]}

    assert [bool(misfit(value, either)) for value in (1, [True], [], 2, [1])] == [False, False, False, True, True]


UNKNOWN: list[Any] = [
    {"pattern": "a+"}, {"minLength": 9}, {"not": {}}, {"type": "colour"}, {"$ref": "#/nowhere"}, True, None, 7,
    {"additionalProperties": False, "patternProperties": {".": {}}}, {"required": 5}, {"properties": 5}, {"anyOf": []},
    {"enum": 3},
]  # fmt: skip


@pytest.mark.parametrize("schema", UNKNOWN, ids=str)
@pytest.mark.parametrize("value", ["text", {"a": 1}])
def test_what_engines_differ_in_fits(value: Any, schema: Any) -> None:
    assert misfit(value, schema) == ""


def test_a_schema_that_doubles_with_each_reference_is_given_up() -> None:
    """Else 40 lines would keep an auditor busy for years."""
    parts = {f"d{at}": {"anyOf": [{"$ref": f"#/$defs/d{at + 1}"}] * 2} for at in range(60)}
    schema = {"$defs": {**parts, "d60": {"type": "string"}}, "$ref": "#/$defs/d0"}

    assert misfit(1, schema) == ""


def test_a_schema_nested_beyond_measure_is_given_up() -> None:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(3_000):
        schema = {"anyOf": [schema]}

    assert misfit(1, schema) == ""


LEAF = st.sampled_from(
    [{"type": "string"}, {"type": "integer"}, {"enum": [1, "a", None]}, {"type": ["null", "boolean"]}]
)
SCHEMAS = st.recursive(
    LEAF,
    lambda inner: st.one_of(
        st.builds(lambda one: {"type": "array", "items": one}, inner),
        st.builds(lambda one, other: {"anyOf": [one, other]}, inner, inner),
        st.builds(
            lambda one, other, names, more: {
                "type": "object", "properties": {"a": one, "b": other}, "required": names, "additionalProperties": more,
            },
            inner, inner, st.sampled_from([[], ["a"], ["a", "b"]]), st.booleans(),
        ),
    ),
    max_leaves=6,
)  # fmt: skip
VALUES = st.recursive(
    st.sampled_from([1, 2, "a", "b", None, True, 1.5]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=6,
)


@given(SCHEMAS, VALUES)
def test_of_known_keywords_it_says_what_a_full_validator_says(schema: dict[str, Any], value: Any) -> None:
    assert (misfit(value, schema) == "") == Draft202012Validator(schema).is_valid(value)
