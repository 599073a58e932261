"""Hypothesis profiles (`HYPOTHESIS_PROFILE=dev|ci|fuzz`) and where public test data is found."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# Shared machines stall for seconds, so a deadline would only measure them.
settings.register_profile("dev", max_examples=50, deadline=None)
settings.register_profile(
    "ci", max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile(
    "fuzz", max_examples=20_000, deadline=timedelta(seconds=20), suppress_health_check=list(HealthCheck)
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "dev"))

REPOSITORY = Path(__file__).resolve().parent.parent


def conformance_folder() -> Path | None:
    """`$EWASM_CONFORMANCE`, else `../shared/conformance` beside the checkout, else None."""
    named = os.environ.get("EWASM_CONFORMANCE")
    folder = Path(named) if named else REPOSITORY.parent / "shared" / "conformance"
    return folder if folder.is_dir() else None


@pytest.fixture(scope="session")
def conformance() -> Path:
    """The folder of public conformance data; skips the test where there is none."""
    folder = conformance_folder()
    if folder is None:
        pytest.skip("no conformance data: set EWASM_CONFORMANCE or put it in ../shared/conformance")
    return folder


@pytest.fixture(scope="session")
def repository() -> Path:
    """The checkout."""
    return REPOSITORY
