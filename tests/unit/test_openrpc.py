"""The OpenRPC document and docs/rpc.md: whole, well formed, and those of the method tables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft7Validator

from chain.app import all_methods
from chain.rpc.openrpc import describe, markdown, parameter_schema, result_schema, texts
from chain.rpc.params import REQUIRED
from chain.rpc.schemas import COMPONENTS, PARAMETERS, RESULTS, SUMMARIES
from tests.node_process import REPOSITORY

METHODS = all_methods()
DOCUMENT = describe(METHODS)

_NAMED_SCHEMA = {
    "type": "object",
    "required": ["name", "schema"],
    "properties": {
        "name": {"type": "string", "minLength": 1},
        "required": {"type": "boolean"},
        "schema": {"type": "object"},
    },
    "additionalProperties": False,
}
# What OpenRPC 1.3 asks of a document, as far as this one goes.
OPENRPC = {
    "type": "object",
    "required": ["openrpc", "info", "methods"],
    "additionalProperties": False,
    "properties": {
        "openrpc": {"type": "string", "pattern": r"^1\.[0-3]\.\d+$"},
        "info": {
            "type": "object",
            "required": ["title", "version"],
            "additionalProperties": False,
            "properties": {
                "title": {"type": "string"},
                "version": {"type": "string"},
                "description": {"type": "string"},
                "license": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}},
            },
        },
        "methods": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["name", "params", "result", "summary"],
                "additionalProperties": False,
                "properties": {
                    "name": {"type": "string", "pattern": "^[a-z0-9]+[_.][A-Za-z0-9_]+$"},
                    "summary": {"type": "string", "minLength": 5},
                    "description": {"type": "string", "minLength": 5},
                    "tags": {"type": "array", "items": {"type": "object", "required": ["name"]}},
                    "paramStructure": {"enum": ["by-name", "by-position", "either"]},
                    "params": {"type": "array", "items": _NAMED_SCHEMA},
                    "result": _NAMED_SCHEMA,
                },
            },
        },
        "components": {
            "type": "object",
            "properties": {"schemas": {"type": "object", "additionalProperties": {"type": "object"}}},
            "additionalProperties": False,
        },
    },
}


def test_the_document_is_an_openrpc_document() -> None:
    Draft7Validator.check_schema(OPENRPC)
    Draft7Validator(OPENRPC).validate(DOCUMENT)


def test_every_method_stands_in_it_once() -> None:
    names = [method["name"] for method in DOCUMENT["methods"]]
    assert names == sorted(METHODS)
    assert "rpc.discover" in names


def test_every_schema_is_one_and_every_reference_leads_somewhere() -> None:
    for schema in _schemas(DOCUMENT):
        Draft7Validator.check_schema(schema)
    for reference in _references(DOCUMENT):
        head, _, name = reference.rpartition("/")
        assert head == "#/components/schemas"
        assert name in COMPONENTS, name


def _schemas(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from document["components"]["schemas"].values()
    for method in document["methods"]:
        yield method["result"]["schema"]
        for param in method["params"]:
            yield param["schema"]


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if "$ref" in value:
            yield value["$ref"]
        for item in value.values():
            yield from _references(item)
    elif isinstance(value, list):
        for item in value:
            yield from _references(item)


def test_tables_name_nothing_that_is_not_there() -> None:
    assert RESULTS.keys() <= METHODS.keys()
    assert SUMMARIES.keys() <= METHODS.keys()
    parsers = {param.parse.__qualname__ for method in METHODS.values() for param in method.params}
    assert parsers <= PARAMETERS.keys() | {"quantity", "quantity64"}, parsers - PARAMETERS.keys()


@pytest.mark.parametrize("name", sorted(METHODS))
def test_a_method_says_what_it_takes_and_does(name: str) -> None:
    method = METHODS[name]
    summary, _ = texts(method)
    assert summary.lower() != name.lower()
    assert summary[-1] in '.)"`', summary
    assert isinstance(result_schema(method), dict)
    seen_optional = False
    for param in method.params:
        assert parameter_schema(param.parse) is not None
        # By position, nothing that must be there stands behind something that may be left out.
        assert not (seen_optional and param.default is REQUIRED)
        seen_optional = seen_optional or param.default is not REQUIRED
    names = [param.name for param in method.params]
    assert len(set(names)) == len(names)


def test_docs_are_those_of_the_tables() -> None:
    text = (REPOSITORY / "docs" / "rpc.md").read_text()
    assert text == markdown(METHODS), "say `make docs`"
