"""How much of random sequences of calls a run of the tests does."""

from __future__ import annotations

from hypothesis import settings

__all__ = ["effort"]

FUZZ = settings.default is not None and settings.default.max_examples > 1000


def effort(examples: int, steps: int) -> settings:
    """So many sequences of so many calls; under the profile `fuzz` fifty times as many, and longer ones."""
    if FUZZ:
        examples, steps = 50 * examples, 2 * steps
    return settings(max_examples=examples, stateful_step_count=steps, deadline=None)
