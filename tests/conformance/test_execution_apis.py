"""The request and answer files of execution-apis, against a node that imported their chain and does not mine.

Rules of comparison: one node, files in the order of their directories, `error.message` ignored, everything else equal,
added keys included; where a file says so, only the schema of the result counts. No file is left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.node_process import NodeProcess, node_process

pytestmark = pytest.mark.conformance


@dataclass(frozen=True)
class Case:
    """A file: its exchanges in order, and whether only the schema of its results counts."""

    name: str
    exchanges: tuple[tuple[dict[str, Any], dict[str, Any]], ...]
    schema_only: bool


@pytest.fixture(scope="module")
def files(conformance: Path) -> Path:
    found = conformance / "execution-apis"
    if not (found / "chain.rlp").is_file():
        pytest.skip("no execution-apis in the conformance data")
    return found


@pytest.fixture(scope="module")
def node(files: Path) -> Iterator[NodeProcess]:
    with node_process(genesis=files / "genesis.json", import_chain=files / "chain.rlp", mining=False) as running:
        yield running
        assert "Traceback" not in running.errors, running.errors


def read_case(path: Path, root: Path) -> Case:
    lines = path.read_text().splitlines()
    messages = [line for line in lines if line.startswith((">>", "<<"))]
    pairs = zip(messages[::2], messages[1::2], strict=True)
    return Case(
        name=str(path.relative_to(root).with_suffix("")),
        exchanges=tuple((json.loads(asked[2:]), json.loads(expected[2:])) for asked, expected in pairs),
        schema_only=any(line.startswith("//") and "speconly" in line for line in lines),
    )


def compare(got: Any, want: Any, path: str = "") -> Iterator[str]:
    """Where an answer differs from what was recorded; errors say the same in other words."""
    if isinstance(got, dict) and isinstance(want, dict):
        for key in sorted(got.keys() | want.keys()):
            if key not in got or key not in want:
                yield f"{path}.{key}: {'not in the answer' if key in want else 'not in the file'}"
            elif not (key == "message" and path.endswith(".error")):
                yield from compare(got[key], want[key], f"{path}.{key}")
    elif isinstance(got, list) and isinstance(want, list):
        if len(got) != len(want):
            yield f"{path}: {len(got)} items, not {len(want)}"
        for index, (left, right) in enumerate(zip(got, want, strict=False)):
            yield from compare(left, right, f"{path}[{index}]")
    elif got != want:
        yield f"{path}: {str(got)[:120]}, not {str(want)[:120]}"


def test_recorded_answers(node: NodeProcess, files: Path) -> None:
    document = json.loads((files / "openrpc.json").read_text())
    schemas = {method["name"]: method["result"]["schema"] for method in document["methods"]}
    cases = [read_case(path, files) for path in sorted(files.rglob("*.io"))]
    wrong = []
    for case in cases:
        for request, want in case.exchanges:
            got = node.send(request)
            if case.schema_only and "error" not in got:
                jsonschema.validate(got["result"], schemas[request["method"]])
                continue
            wrong += [f"{case.name}{difference}" for difference in list(compare(got, want))[:3]]
    assert not wrong, "\n".join(wrong)
    assert len(cases) >= 174


def test_differences_are_seen() -> None:
    want = {"result": {"a": [1, {"b": "0x1"}]}, "error": {"code": 3, "message": "x"}}
    assert not list(compare(json.loads(json.dumps(want).replace('"x"', '"y"')), want))
    for other in ('"b": "0x2"', '"b": "0x1", "c": 1', '"d": "0x1"'):
        assert list(compare(json.loads(json.dumps(want).replace('"b": "0x1"', other)), want))
    assert list(compare({"error": {"code": 4, "message": "x"}}, {"error": {"code": 3, "message": "x"}}))
    assert list(compare({"a": [1]}, {"a": [1, 2]}))
