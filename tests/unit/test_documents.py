"""What the documents say can be typed, can be typed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ewasm.cli import cli

REPOSITORY = Path(__file__).parents[2]
DOCUMENTS = sorted(path for pattern in ("*.md", "docs/*.md", "contracts/**/*.md") for path in REPOSITORY.glob(pattern))
TARGETS = set(re.findall(r"^(\w+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(REPOSITORY).as_posix())
def test_commands_targets_and_links_exist(document: Path) -> None:
    text = document.read_text()
    for line in re.findall(r"^\$ (.*)$", text, re.MULTILINE):
        words = line.split()
        if words[0] == "make":
            assert words[1] in TARGETS, line
        elif words[0] == "ewasm":
            assert words[1] in cli.commands, line
            command = cli.commands[words[1]]
            known = {name for parameter in command.params for name in parameter.opts}
            assert {word for word in words[2:] if word.startswith("--")} <= known, line
    for link in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (document.parent / link).exists(), link


def test_readme_begins_with_the_two_commands() -> None:
    lines = (REPOSITORY / "README.md").read_text().splitlines()
    commands = [line.split("#")[0].strip() for line in lines if line.startswith("$")]
    assert commands[:2] == ["$ make demo", "$ make test"]


def test_every_command_stands_in_the_readme() -> None:
    text = (REPOSITORY / "README.md").read_text()
    for name in cli.commands:
        assert re.search(rf"`(ewasm )?{name}\b", text), name
