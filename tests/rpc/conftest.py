"""One node for each module of tests: they may mine and send, but leave a chain that goes on.

Whatever a method answers to any of these tests is held against its schema in the OpenRPC document.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from jsonschema import Draft7Validator

from chain.app import all_methods
from chain.rpc.openrpc import result_schema
from chain.rpc.schemas import COMPONENTS
from tests.node_process import NodeProcess, node_process


@pytest.fixture(scope="module")
def node() -> Iterator[NodeProcess]:
    with node_process() as running:
        yield running
        assert "Traceback" not in running.errors, running.errors


@cache
def _validator(method: str) -> Draft7Validator | None:
    found = all_methods().get(method)
    if found is None:
        return None
    return Draft7Validator({**result_schema(found), "components": {"schemas": COMPONENTS}})


@pytest.fixture(autouse=True)
def answers_have_their_schema(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = NodeProcess.rpc

    def rpc(self: NodeProcess, method: str, *params: Any) -> Any:
        result = asked(self, method, *params)
        validator = _validator(method)
        if validator is not None:
            faults = [
                f"{method} {list(fault.absolute_path)}: {fault.message[:300]}"
                for fault in validator.iter_errors(result)
            ]
            assert not faults, faults
        return result

    monkeypatch.setattr(NodeProcess, "rpc", rpc)
