"""Keeps slow imports out of the way of the node's start.

py-evm imports its BLS12-381 precompiles with the rest, and the library behind them computes tables while it is
imported: a fifth of the time that the node takes to start, for contracts that few will call. After `defer_bls` they are
imported when one of them is first called.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

__all__ = ["defer_bls"]

_PACKAGE = "eth.precompiles.bls12_381"
_NAMES = (
    "bls12_g1_add",
    "bls12_g1_msm",
    "bls12_g2_add",
    "bls12_g2_msm",
    "bls12_map_fp_to_g1",
    "bls12_map_fp2_to_g2",
    "bls12_pairing_check",
)


def defer_bls() -> None:
    """Stand in for py-evm's package of BLS precompiles, unless it is imported already."""
    if _PACKAGE in sys.modules or "eth.precompiles" in sys.modules:
        return
    placeholder = ModuleType(_PACKAGE)
    for name in _NAMES:
        setattr(placeholder, name, _deferred(name, placeholder))
    sys.modules[_PACKAGE] = placeholder


def _deferred(name: str, placeholder: ModuleType) -> Callable[[Any], Any]:
    """A precompile that imports itself when it is first called."""
    real: Callable[[Any], Any] | None = None

    def precompile(computation: Any) -> Any:
        nonlocal real
        if real is None:
            if sys.modules.get(_PACKAGE) is placeholder:
                del sys.modules[_PACKAGE]
            real = getattr(importlib.import_module(_PACKAGE), name)
        return real(computation)

    precompile.__name__ = name
    return precompile
