"""Fuzzing: random contracts, and the question whether every engine sees the same.

`generate` turns a seed into a contract (no oracle in it), `oracle` runs a contract on several engines against `world`,
a host without a chain, and says how they differ, `shrink` makes a contract that differs small. None knows the others'
inside.

Must not import `chain`: a case is its module, its rules and its message, and needs no state.
"""

from ewasm.fuzz.generate import generate
from ewasm.fuzz.oracle import differences
from ewasm.fuzz.shrink import shrink

__all__ = ["differences", "generate", "shrink"]
