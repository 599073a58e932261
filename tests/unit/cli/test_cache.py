"""`ewasm cache`: what a node has kept of compiled contracts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ewasm.cli import cli
from ewasm.cli.cache import ARTIFACTS
from ewasm.cli.node import _artifacts
from ewasm.engine.store import ArtifactStore
from tests.unit.engine.test_store import KEY, STORED, numbered


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["cache", *arguments])


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    store = ArtifactStore(tmp_path / ARTIFACTS)
    store.save(KEY, STORED)
    store.refuse(numbered(1), "took too long")
    return tmp_path


def test_it_counts_what_is_there(data_dir: Path) -> None:
    result = invoke("--data-dir", str(data_dir), "--json")
    assert result.exit_code == 0
    facts = json.loads(result.output)
    size = sum(path.stat().st_size for path in (data_dir / ARTIFACTS).iterdir())
    assert (facts["artifacts"], facts["refusals"], facts["size_bytes"], facts["cleared"]) == (1, 1, size, False)
    assert "1 compiled contracts, 1 that a compiler failed on" in invoke("--cache-dir", facts["folder"]).output


def test_it_clears(data_dir: Path) -> None:
    result = invoke("--data-dir", str(data_dir), "--clear")
    assert result.exit_code == 0
    assert "deleted" in result.output
    assert list((data_dir / ARTIFACTS).iterdir()) == []


def test_a_folder_that_is_not_there_or_not_safe_is_an_error(tmp_path: Path) -> None:
    assert invoke("--data-dir", str(tmp_path)).exit_code == 1
    (tmp_path / ARTIFACTS).mkdir()
    (tmp_path / ARTIFACTS).chmod(0o777)
    result = invoke("--data-dir", str(tmp_path))
    assert result.exit_code == 1
    assert "nobody else may write" in result.output


@pytest.mark.parametrize("arguments", [[], ["--data-dir", "a", "--cache-dir", "b"]])
def test_one_folder_must_be_named(arguments: list[str]) -> None:
    assert invoke(*arguments).exit_code == 2


def test_a_node_keeps_contracts_in_its_data_directory_unless_told_otherwise() -> None:
    data, cache = Path("data"), Path("cache")
    assert _artifacts(data, None, no_cache=False) == data / ARTIFACTS
    assert _artifacts(data, cache, no_cache=False) == cache
    assert _artifacts(None, cache, no_cache=False) == cache
    assert _artifacts(None, None, no_cache=False) is None
    assert _artifacts(data, cache, no_cache=True) is None
