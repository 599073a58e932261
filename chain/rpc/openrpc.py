"""The OpenRPC document: every method with its parameters and answer, made from the method tables.

`rpc.discover` serves it; `python -m chain.rpc.openrpc` writes the tables of docs/rpc.md. OpenRPC 1.3.2, JSON Schema
draft 7.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping
from typing import Any, Final

from chain.rpc.dispatch import Context, Method
from chain.rpc.params import REQUIRED, Param
from chain.rpc.schemas import COMPONENTS, PARAMETERS, RESULTS, SUMMARIES

__all__ = ["DISCOVER", "describe", "discover", "markdown"]

DISCOVER: Final = "rpc.discover"
_ANNOTATIONS: Final[dict[str, dict[str, Any]]] = {
    "str": {"type": "string"},
    "bool": {"type": "boolean"},
    "int": {"type": "integer"},
    "float": {"type": "number"},
    "None": {"type": "null"},
    "dict": {"type": "object"},
    "list": {"type": "array"},
    "Any": {},
}


def discover(methods: Mapping[str, Method]) -> Method:
    """The method that serves the document of these methods and itself."""
    known: dict[str, Any] = {}

    def run(_context: Context) -> dict[str, Any]:
        """rpc.discover: this document."""
        if not known:
            known.update(describe({**methods, DISCOVER: method}))
        return known

    method = Method(DISCOVER, run, where="loop")
    return method


def describe(methods: Mapping[str, Method]) -> dict[str, Any]:
    """The document."""
    from ewasm import __version__

    return {
        "openrpc": "1.3.2",
        "info": {
            "title": "Ewasm",
            "description": "A local Ethereum testnet that runs WebAssembly beside EVM contracts.",
            "version": __version__,
            "license": {"name": "Apache-2.0"},
        },
        "methods": [_method(methods[name]) for name in sorted(methods)],
        "components": {"schemas": COMPONENTS},
    }


def _method(method: Method) -> dict[str, Any]:
    summary, description = texts(method)
    described: dict[str, Any] = {
        "name": method.name,
        "summary": summary,
        "tags": [{"name": method.name.partition("_")[0].partition(".")[0]}],
        "paramStructure": "either",
        "params": [_param(param) for param in method.params],
        "result": {"name": "result", "schema": result_schema(method)},
    }
    if description:
        described["description"] = description
    return described


def _param(param: Param) -> dict[str, Any]:
    return {"name": param.name, "required": param.default is REQUIRED, "schema": parameter_schema(param.parse)}


def parameter_schema(parse: Callable[[Any], Any]) -> dict[str, Any]:
    """What a parser admits; anything, where its schema is not known."""
    return PARAMETERS.get(parse.__qualname__, {})


def result_schema(method: Method) -> dict[str, Any]:
    """What a method answers: as noted for it, else as its function is annotated."""
    noted = RESULTS.get(method.name)
    if noted is not None:
        return noted
    annotation = str(inspect.signature(method.run).return_annotation)
    kinds = [_ANNOTATIONS.get(part.strip().partition("[")[0], {}) for part in _alternatives(annotation)]
    return kinds[0] if len(kinds) == 1 else {"oneOf": kinds}


def _alternatives(annotation: str) -> list[str]:
    """The parts of a union, commas and bars inside brackets left alone."""
    parts, depth, start = [], 0, 0
    for position, char in enumerate(annotation):
        depth += (char == "[") - (char == "]")
        if char == "|" and depth == 0:
            parts.append(annotation[start:position])
            start = position + 1
    return [*parts, annotation[start:]]


def texts(method: Method) -> tuple[str, str]:
    """(summary, description), from the function's docstring: "names: summary", then more."""
    first, _, more = inspect.cleandoc(method.run.__doc__ or "").partition("\n\n")
    head, colon, rest = " ".join(first.split()).partition(": ")
    named = colon and all("_" in name or "." in name for name in head.split(", "))
    summary = rest if named else ""
    summary = SUMMARIES.get(method.name, summary or method.name)
    return summary[:1].upper() + summary[1:], " ".join(more.split())


_INTRODUCTION: Final = """# JSON-RPC methods

Made from the method tables by `make docs`; a node serves the same, with schemas, as `rpc.discover`. Parameters may be
given by position or by name; those in italics may be left out. [Tools and tracing](node.md) says more about tracers,
snapshots, dumps, and what MetaMask, Remix and Otterscan need.
"""


def markdown(methods: Mapping[str, Method]) -> str:
    """docs/rpc.md: a table for each namespace."""
    spaces: dict[str, list[Method]] = {}
    for name in sorted(methods):
        spaces.setdefault(name.partition("_")[0].partition(".")[0], []).append(methods[name])
    lines = [_INTRODUCTION]
    for space, members in spaces.items():
        lines += [f"## {space}", "", "| method | parameters | answer | what it does |", "|---|---|---|---|"]
        lines += [_row(method) for method in members]
        lines.append("")
    return "\n".join(lines)


def _row(method: Method) -> str:
    params = ", ".join(param.name if param.default is REQUIRED else f"*{param.name}*" for param in method.params)
    summary, description = texts(method)
    what = f"{summary} {description}".strip().replace("|", "\\|")
    return f"| `{method.name}` | {params} | {_named(result_schema(method))} | {what} |"


def _named(schema: Mapping[str, Any]) -> str:
    """A schema in a word or two."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "oneOf" in schema:
        return " or ".join(_named(part) for part in schema["oneOf"])
    if schema.get("type") == "array":
        return f"{_named(schema.get('items', {}))}[]"
    return str(schema.get("type", "any"))


def main() -> None:
    """Write docs/rpc.md to standard output."""
    from chain.app import all_methods

    sys.stdout.write(markdown(all_methods()))


if __name__ == "__main__":
    main()
