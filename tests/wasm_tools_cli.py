"""The `wasm-tools` command (an independent decoder, validator, parser and module generator) for tests."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ewasm.fuzz.smith import find_wasm_tools

COMMAND = find_wasm_tools()


def run(*arguments: str, data: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Run it with `data` on its input; skips the test where it is not installed."""
    if COMMAND is None:
        pytest.skip("wasm-tools is not installed")
    return subprocess.run([COMMAND, *arguments], input=data, capture_output=True, check=False, timeout=120)


def parse(text: str) -> bytes:
    """The binary of a module in text."""
    done = run("parse", data=text.encode())
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def script(wast: Path, folder: Path) -> list[dict[str, Any]]:
    """The commands of a test script; the modules they name are written to `folder`."""
    target = folder / "script.json"
    done = run("json-from-wast", str(wast), "-o", str(target), "--wasm-dir", str(folder))
    assert done.returncode == 0, done.stderr.decode()
    commands: list[dict[str, Any]] = json.loads(target.read_text())["commands"]
    return commands
