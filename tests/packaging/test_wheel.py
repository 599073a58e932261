"""The wheel holds the two packages and nothing else, and installs into an empty environment."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
import venv
import zipfile
from pathlib import Path
from typing import Any

import pytest

from ewasm import __version__

# Messages of pip that say "no network", as against "no such package".
OFFLINE = re.compile(r"NewConnectionError|name resolution|ConnectTimeout|ProxyError|Network is unreachable")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    repository = Path(__file__).resolve().parents[2]
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(repository)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    [built] = out.glob("*.whl")
    return built


def project(repository: Path) -> Any:
    return tomllib.loads((repository / "pyproject.toml").read_text())["project"]


def test_wheel_holds_the_two_packages_and_nothing_else(wheel: Path, repository: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names}
    assert tops == {"ewasm", "chain", f"ewasm-{__version__}.dist-info"}
    assert {"ewasm/py.typed", "chain/py.typed", "ewasm/vm.py", "ewasm/cli/__init__.py"} <= set(names)
    assert {"ewasm/fuzz/v8.js", "ewasm/spectest/v8.js"} <= set(names)
    tracked = {
        path.relative_to(repository).as_posix()
        for top in ("ewasm", "chain")
        for path in (repository / top).rglob("*.py")
    }
    assert tracked <= set(names)
    sdk = {path.relative_to(repository).as_posix() for path in (repository / "ewasm/sdk").rglob("*.*")}
    assert {name for name in sdk if "__pycache__" not in name and "." in name.rsplit("/")[-1]} <= set(names)
    assert "ewasm/sdk/templates/common/gitignore" in names


def test_every_dependency_has_an_exact_version_in_the_constraints(repository: Path) -> None:
    pinned = {
        re.sub(r"[-_.]+", "-", line.split("==")[0]).lower()
        for line in (repository / "constraints.txt").read_text().splitlines()
        if line
    }
    facts = project(repository)
    for wanted in facts["dependencies"] + facts["optional-dependencies"]["dev"]:
        match = re.match(r"[A-Za-z0-9._-]+", wanted)
        assert match is not None
        assert re.sub(r"[-_.]+", "-", match[0]).lower() in pinned, wanted


def test_constraints_hold_no_addresses(repository: Path) -> None:
    for line in (repository / "constraints.txt").read_text().splitlines():
        assert re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+", line), line


@pytest.mark.slow
@pytest.mark.timeout(540)
def test_wheel_installs_into_an_empty_environment(wheel: Path, repository: Path, tmp_path: Path) -> None:
    environment = tmp_path / "environment"
    venv.create(environment, with_pip=True)
    folder = environment / ("Scripts" if os.name == "nt" else "bin")
    install = [str(folder / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    done = subprocess.run(
        [*install, "-c", str(repository / "constraints.txt"), str(wheel)], capture_output=True, text=True, check=False
    )
    if done.returncode != 0 and OFFLINE.search(done.stderr):
        pytest.skip("no network to install dependencies from")
    assert done.returncode == 0, done.stderr
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "VIRTUAL_ENV"))}

    def run(*arguments: str) -> str:
        command = [str(folder / "ewasm"), *arguments]
        return subprocess.run(command, cwd=elsewhere, env=clean, capture_output=True, text=True, check=True).stdout

    assert run("--version") == f"ewasm, version {__version__}\n"
    (elsewhere / "answer.wat").write_text(
        '(module (import "ethereum" "finish" (func $finish (param i32 i32))) (memory (export "memory") 1)'
        ' (data (i32.const 0) "*") (func (export "main") (call $finish (i32.const 0) (i32.const 1))))'
    )
    assert '"output": "0x2a"' in run("run", "answer.wat", "--json")
    run("new", "counter", "--lang", "wat")
    assert "counter.wasm" in run("build", "counter")
