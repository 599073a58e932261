"""Nodes and npm packages for tests with unchanged client libraries."""

from __future__ import annotations

import fcntl
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from eth_abi.abi import encode

from ewasm.initcode import with_arguments
from tests.node_process import NodeProcess, load_token, node_process

SOURCES = Path(__file__).resolve().parent / "npm"
INSTALL_LIMIT_S = 280


@pytest.fixture
def node() -> Iterator[NodeProcess]:
    with node_process() as running:
        yield running
        assert "Traceback" not in running.errors, running.errors


@pytest.fixture(scope="session")
def token_code() -> bytes:
    """Creation data of the ERC-20 in Wasm: Gold, GLD, a million for the sender."""
    arguments = encode(["string", "string", "uint256"], ["Gold", "GLD", 1_000_000])
    return with_arguments(load_token()[1], arguments)


def install(repository: Path, name: str, package: Path) -> Path:
    """A folder below build/ with what package.json asks for; installed once a checkout. Skips where npm cannot."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        pytest.skip("npm and Node.js are not installed")
    wanted = package.read_bytes()
    folder = repository / "build" / name
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = folder / ".installed"
        if not (done.exists() and done.read_bytes() == wanted):
            (folder / "package.json").write_bytes(wanted)
            command = ["npm", "install", "--prefix", str(folder), "--no-audit", "--no-fund", "--no-package-lock"]
            try:
                subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=INSTALL_LIMIT_S)
            except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
                reason = (error.stderr or b"").decode(errors="replace").strip()[-300:]
                packages = ", ".join(json.loads(wanted)["dependencies"])
                pytest.skip(f"the npm packages {packages} cannot be installed: {reason}")
            done.write_bytes(wanted)
    return folder


@pytest.fixture(scope="session")
def npm(repository: Path) -> Path:
    """A folder with the pinned client libraries and the test scripts."""
    folder = install(repository, "npm-clients", SOURCES / "package.json")
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for script in SOURCES.glob("*.mjs"):
            target = folder / script.name
            if not target.exists() or target.read_bytes() != script.read_bytes():
                shutil.copyfile(script, target)
    return folder


@pytest.fixture(scope="session")
def npm_as(repository: Path) -> Path:
    """A folder with the AssemblyScript compiler that contracts/ are built with."""
    return install(repository, "npm-as", repository / "contracts" / "package.json")
