"""The request and answer files of execution-apis, against a node that imported their chain and does not mine.

Rules of comparison: one node, files in the order of their directories, `error.message` ignored, everything else equal,
added keys included; where a file says so, only the schema of the result counts.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from chain.app import all_methods
from tests.node_process import NodeProcess, node_process

pytestmark = pytest.mark.conformance


@pytest.fixture(scope="module")
def files(conformance: Path) -> Path:
    return conformance / "execution-apis"


@pytest.fixture(scope="module")
def node(files: Path) -> Iterator[NodeProcess]:
    with node_process(genesis=files / "genesis.json", import_chain=files / "chain.rlp", mining=False) as running:
        yield running


def without_messages(value: Any) -> Any:
    """Errors say the same in other words."""
    if isinstance(value, dict):
        return {
            key: {name: part for name, part in item.items() if name != "message"}
            if key == "error" and isinstance(item, dict)
            else without_messages(item)
            for key, item in value.items()
        }
    return [without_messages(item) for item in value] if isinstance(value, list) else value


def test_recorded_answers(node: NodeProcess, files: Path) -> None:
    document = json.loads((files / "openrpc.json").read_text())
    schemas = {method["name"]: method["result"]["schema"] for method in document["methods"]}
    ours = all_methods()
    checked, wrong = 0, []
    for path in sorted(files.rglob("*.io")):
        lines = path.read_text().splitlines()
        schema_only = any(line.startswith("//") and "speconly" in line for line in lines)
        messages = [line for line in lines if line.startswith((">>", "<<"))]
        for asked, expected in zip(messages[::2], messages[1::2], strict=True):
            request, want = json.loads(asked[2:]), json.loads(expected[2:])
            if request["method"] not in ours:
                break
            got = node.send(request)
            checked += 1
            if schema_only and "error" not in got:
                jsonschema.validate(got["result"], schemas[request["method"]])
            elif without_messages(got) != without_messages(want):
                wrong.append(f"{path.relative_to(files)}: got {json.dumps(got)[:200]}, want {json.dumps(want)[:200]}")
    assert not wrong, "\n".join(wrong)
    assert checked >= 80
