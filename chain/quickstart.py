"""Keeps slow imports out of the way of the node's start.

py-evm imports its BLS12-381 precompiles with the rest, and the library behind them computes tables while it is
imported: a fifth of the time that the node takes to start, for contracts that few will call. After `defer_bls` they are
imported when one of them is first called. structlog takes rich along, which only pretty tracebacks need; aiohttp reads
the certificates of the web for clients, which a server is not.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

__all__ = ["defer_bls", "import_server_only", "import_structlog"]

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


def import_structlog() -> None:
    """Import structlog as if rich were not installed, unless either is imported already."""
    if "structlog" in sys.modules or "rich" in sys.modules:
        return
    # None is how the import system spells "not to be found".
    sys.modules["rich"] = None  # type: ignore[assignment]
    try:
        importlib.import_module("structlog")
    finally:
        del sys.modules["rich"]


def import_server_only() -> None:
    """Import aiohttp without certificates. Its HTTPS clients fail in this process: for the command alone."""
    if "aiohttp" in sys.modules:
        return
    import ssl

    load = ssl.SSLContext.load_default_certs
    ssl.SSLContext.load_default_certs = lambda *_args, **_named: None  # type: ignore[method-assign]
    try:
        importlib.import_module("aiohttp")
    finally:
        ssl.SSLContext.load_default_certs = load  # type: ignore[method-assign]


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
