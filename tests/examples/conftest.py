"""Each test runs in a fresh state on each engine."""

from __future__ import annotations

import pytest

from contracts.world import World
from tests.e2e.conftest import npm_as

__all__ = ["npm_as", "world"]


@pytest.fixture(params=["native", "interpreter"])
def world(request: pytest.FixtureRequest) -> World:
    return World(request.param)
