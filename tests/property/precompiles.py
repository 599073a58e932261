"""Precompiles one by one, and the base's own to compare them with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from eth.exceptions import VMError
from eth.vm.forks.byzantium.computation import BYZANTIUM_PRECOMPILES
from eth.vm.forks.prague.computation import PRAGUE_PRECOMPILES

from chain.curves import curve_precompiles
from chain.forks import Fork

__all__ = ["BASE", "OURS", "Outcome", "outcome", "same"]

Outcome = tuple[int, bytes] | str
Table = dict[int, Callable[[Any], Any]]


def _numbered(table: Any) -> Table:
    return {int.from_bytes(address, "big"): precompile for address, precompile in table.items()}


OURS = {fork: _numbered(curve_precompiles(fork)) for fork in (Fork.BYZANTIUM, Fork.PRAGUE)}
BASE = {Fork.BYZANTIUM: _numbered(BYZANTIUM_PRECOMPILES), Fork.PRAGUE: _numbered(PRAGUE_PRECOMPILES)}


class _Computation:
    """What a precompile sees of a frame."""

    def __init__(self, data: bytes) -> None:
        self.msg = type("Message", (), {"data": data, "data_as_bytes": data})
        self.gas = 0
        self.output = b""

    def consume_gas(self, amount: int, reason: str) -> None:
        self.gas += amount


def outcome(number: int, data: bytes, *, table: dict[Fork, Table] = OURS, fork: Fork = Fork.PRAGUE) -> Outcome:
    """Gas and output, or that it failed."""
    computation = _Computation(data)
    try:
        table[fork][number](computation)
    except VMError:
        return "failure"
    return computation.gas, computation.output


def same(number: int, data: bytes, fork: Fork = Fork.PRAGUE) -> Outcome:
    """The outcome, which is the base's as well."""
    ours = outcome(number, data, fork=fork)
    assert ours == outcome(number, data, table=BASE, fork=fork)
    return ours
