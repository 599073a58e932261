"""What the documents say can be typed, can be typed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from chain.testing import LocalChain
from ewasm.cli import cli

REPOSITORY = Path(__file__).parents[2]
DOCUMENTS = sorted(path for pattern in ("*.md", "docs/*.md", "contracts/**/*.md") for path in REPOSITORY.glob(pattern))
TARGETS = set(re.findall(r"^([\w-]+):(?!=)", (REPOSITORY / "Makefile").read_text(), re.MULTILINE))


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
            known = {name for one in command.params for name in (*one.opts, *one.secondary_opts)}
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


def test_the_readme_deploys_for_the_gas_it_shows() -> None:
    text = (REPOSITORY / "README.md").read_text()
    [shown] = re.findall(r"^\$ ewasm deploy (\S+) --args (.*)\n((?:\w+ .*\n)+)", text, re.MULTILINE)
    with LocalChain() as chain:
        token = chain.deploy(REPOSITORY / shown[0], *shown[1].split()[:2], int(shown[1].split()[2]))
        assert token.receipt is not None
        report = token.receipt.gas_report
    wanted = {
        "address": token.address.lower(),
        "status": "success",
        "gas_used": f"{report['gasUsed']:,}",
        "gas_instructions": f"{report['gasInstructions']:,}",
        "gas_eei": f"{report['gasEei']:,}",
    }
    assert dict(line.split() for line in shown[2].splitlines()) == wanted


def test_the_readme_leads_to_every_document() -> None:
    text = (REPOSITORY / "README.md").read_text()
    assert [path.name for path in (REPOSITORY / "docs").glob("*.md") if f"(docs/{path.name})" not in text] == []


def test_every_target_is_explained() -> None:
    text = (REPOSITORY / "Makefile").read_text()
    assert [name for name in TARGETS - {"help"} if f"make {name}" not in text] == []
