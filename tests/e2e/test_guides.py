"""docs/guide-*.md: the commands in the text, typed in order, print what the text shows."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ewasm.cli.rust import NO_RUST, find_toolchain
from tests.node_process import NodeProcess, node_process

DOCS = Path(__file__).parents[2] / "docs"
GUIDES = sorted(DOCS.glob("guide-*.md"))
LIMIT_S = 120


@dataclass(frozen=True)
class Step:
    command: str
    shown: list[str]


@dataclass(frozen=True)
class File:
    name: str
    text: str


def parts(guide: Path) -> Iterator[Step | File]:
    """Files, which begin with their name in a comment; commands and the lines shown below them (`...`: any)."""
    for kind, block in re.findall(r"^```(\w+)\n(.*?)^```", guide.read_text(), re.MULTILINE | re.DOTALL):
        named = re.match(r"(?:#|//|;;) ([\w-]+\.\w+)\n", block)
        if kind != "console":
            if named:
                yield File(named[1], block)
            continue
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, *shown = part.rstrip("\n").split("\n")
            yield Step(command.strip(), [line for line in shown if line != "..."])


def steps(guide: Path) -> Iterator[Step]:
    return (part for part in parts(guide) if isinstance(part, Step))


def test_there_is_a_guide_for_every_language() -> None:
    from ewasm.cli.projects import LANGUAGES

    commands = "\n".join(step.command for guide in GUIDES for step in steps(guide))
    assert all(f"ewasm new counter --lang {name}" in commands for name in LANGUAGES)


@pytest.mark.parametrize(
    "guide",
    [
        pytest.param(guide, marks=[pytest.mark.npm] if "npm install" in guide.read_text() else [], id=guide.stem)
        for guide in GUIDES
    ],
)
def test_guide(guide: Path, tmp_path: Path, repository: Path, request: pytest.FixtureRequest) -> None:
    if guide.stem == "guide-rust" and find_toolchain() is None:
        pytest.skip(NO_RUST)
    # The guide of 2018 is about a checkout's examples and the rules they are for.
    old = guide.stem == "guide-2018"
    options = {"rules": "EWASM_2018_FLAT", "fork": "Byzantium"} if old else {}
    if old:
        (tmp_path / "contracts").symlink_to(repository / "contracts")
    with node_process(**options) as node:
        follow(guide, node, tmp_path, request)
        assert "Traceback" not in node.errors, node.errors


def follow(guide: Path, node: NodeProcess, folder: Path, request: pytest.FixtureRequest) -> None:
    """Type the commands in `folder`, to that node."""
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "EWASM_RPC": node.url,
        "PYTEST_ADDOPTS": "",
    }
    for step in parts(guide):
        if isinstance(step, File):
            (folder / step.name).write_text(step.text)
        elif step.command.startswith("cd "):
            folder /= step.command.removeprefix("cd ")
        elif step.command.startswith("npm install"):
            (folder / "node_modules").symlink_to(request.getfixturevalue("npm_as") / "node_modules")
        elif not step.command.startswith("ewasm node"):
            command = ["bash", "-c", step.command]
            done = subprocess.run(
                command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=LIMIT_S
            )
            assert done.returncode == 0, f"{step.command}\n{done.stdout}{done.stderr}"
            printed = done.stdout.splitlines()
            assert [line for line in step.shown if line not in printed] == [], step.command
