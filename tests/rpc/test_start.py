"""What keeps a node from starting is told in one line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.node_process import NodeDidNotStart, node_process


def refused(**options: Any) -> str:
    with pytest.raises(NodeDidNotStart) as caught, node_process(**options):
        pass
    text = str(caught.value)
    assert "Traceback" not in text
    return text


@pytest.mark.parametrize("host", ["no..host", "a" * 70, "198.51.100.1"])
def test_a_host_that_is_none_of_ours(host: str) -> None:
    assert f"cannot listen on {host}" in refused(host=host)


def test_a_dump_that_could_not_be_written_is_told_before_there_is_anything_to_lose(tmp_path: Path) -> None:
    assert "there is no such directory" in refused(dump_state=str(tmp_path / "none" / "chain.dump"))
    assert "it is a directory" in refused(dump_state=str(tmp_path))
