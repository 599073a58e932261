"""One node for each module of tests: they may mine and send, but leave a chain that goes on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.node_process import NodeProcess, node_process


@pytest.fixture(scope="module")
def node() -> Iterator[NodeProcess]:
    with node_process() as running:
        yield running
        assert "Traceback" not in running.errors, running.errors
