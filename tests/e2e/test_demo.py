"""`make demo` does what it says and ends well."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest


@pytest.mark.slow
def test_demo_holds_every_step_and_takes_less_than_a_minute(repository: Path) -> None:
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "contracts.demo"], cwd=repository, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert time.monotonic() - started < 60
    assert "everything held" in done.stdout
    for fact in ("insufficient balance", "Payer: undone on request", "restart", "instructions"):
        assert fact in done.stdout
