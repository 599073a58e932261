"""Keeps slow imports out of the way of the node's start.

py-evm imports its BLS12-381 precompiles with the rest, and the library behind them computes tables while it is
imported: a fifth of the time that the node takes to start, for contracts that few will call. After `defer_curves` they
are imported when one of them is first called; so are those of alt_bn128. structlog takes rich along, which only pretty
tracebacks need; eth_utils takes pydantic along for one class; aiohttp reads the certificates of the web for clients,
which a server is not.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Any

__all__ = ["defer_curves", "import_eth_utils", "import_server_only", "import_structlog"]

# Modules of py-evm, and the precompiles that it takes from them.
_CURVES = {
    "eth.precompiles.bls12_381": (
        "bls12_g1_add",
        "bls12_g1_msm",
        "bls12_g2_add",
        "bls12_g2_msm",
        "bls12_map_fp_to_g1",
        "bls12_map_fp2_to_g2",
        "bls12_pairing_check",
    ),
    "eth.precompiles.ecadd": ("ecadd",),
    "eth.precompiles.ecmul": ("ecmul",),
    "eth.precompiles.ecpairing": ("ecpairing",),
}


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


def import_eth_utils() -> None:
    """Import eth_utils without pydantic, which comes when somebody asks eth_utils for its class of models."""
    if "eth_utils" in sys.modules or "pydantic" in sys.modules:
        return
    name = "eth_utils.pydantic"
    placeholder = ModuleType(name)
    placeholder.CamelModel = type("CamelModel", (), {})  # type: ignore[attr-defined]
    sys.modules[name] = placeholder
    try:
        package = importlib.import_module("eth_utils")
    finally:
        del sys.modules[name]

    def later(attribute: str) -> Any:
        if attribute != "CamelModel":
            raise AttributeError(f"module 'eth_utils' has no attribute {attribute!r}")
        real = importlib.import_module(name).CamelModel
        for module in (package, importlib.import_module("eth_utils.applicators")):
            vars(module)[attribute] = real
        return real

    del vars(package)["CamelModel"]
    vars(package)["__getattr__"] = later


def defer_curves() -> None:
    """Stand in for py-evm's modules of precompiles over curves, unless they are imported already."""
    if "eth.precompiles" in sys.modules:
        return
    for module, names in _CURVES.items():
        if module not in sys.modules:
            placeholder = ModuleType(module)
            for name in names:
                setattr(placeholder, name, _deferred(name, placeholder))
            sys.modules[module] = placeholder


def _deferred(name: str, placeholder: ModuleType) -> Callable[..., Any]:
    """A precompile that imports itself when it is first called."""
    real: Callable[..., Any] | None = None

    def precompile(*computation: Any, **prices: int) -> Any:
        nonlocal real
        if not computation:
            # As py-evm's own, which are curried: a fork sets its price this way.
            return partial(precompile, **prices)
        if real is None:
            if sys.modules.get(placeholder.__name__) is placeholder:
                del sys.modules[placeholder.__name__]
            real = getattr(importlib.import_module(placeholder.__name__), name)
        return real(*computation, **prices)

    precompile.__name__ = name
    return precompile
