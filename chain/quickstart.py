"""Keeps slow imports out of the way of the node's start.

py-evm imports its BLS12-381 precompiles with the rest, and the library behind them computes tables while it is
imported: a fifth of the time that the node takes to start, for what `curves` replaces. After `defer_curves` they are
imported when one of them is first called; so are those of alt_bn128. structlog takes rich along, which only pretty
tracebacks need; eth_utils takes pydantic along for one class; aiohttp sets up TLS for clients, which a server is not.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Any

__all__ = ["defer_curves", "import_eth_utils", "import_server_only", "import_structlog"]

# Modules whose names a node hardly needs: a class of models, with pydantic behind it, and two thousand chains.
_SELDOM = {
    "eth_typing.networks": ("URI", "ChainId"),
    "eth_utils.network": ("Network", "name_from_chain_id", "network_from_chain_id", "short_name_from_chain_id"),
    "eth_utils.pydantic": ("CamelModel",),
}

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
    """Import aiohttp as if there were no TLS. Its HTTPS clients fail in this process: for the command alone."""
    if "aiohttp" in sys.modules:
        return
    # These cannot do without.
    for name in ("asyncio", "http.client", "urllib.request"):
        importlib.import_module(name)
    kept = sys.modules["ssl"]
    sys.modules["ssl"] = None  # type: ignore[assignment]
    try:
        importlib.import_module("aiohttp")
        importlib.import_module("aiohttp.web")
    finally:
        sys.modules["ssl"] = kept


def import_eth_utils() -> None:
    """Import eth_utils without pydantic and without the names of all chains; they come when somebody asks for them."""
    packages = {module.rpartition(".")[0] for module in _SELDOM}
    if not packages.isdisjoint(sys.modules) or "pydantic" in sys.modules:
        return
    for module, names in _SELDOM.items():
        placeholder = ModuleType(module)
        for name in names:
            setattr(placeholder, name, type(name, (), {}))
        sys.modules[module] = placeholder
    try:
        for package in packages:
            importlib.import_module(package)
    finally:
        for module in _SELDOM:
            del sys.modules[module]
    for package in packages:
        _ask_later(
            package, {name: module for module in _SELDOM if module.startswith(package) for name in _SELDOM[module]}
        )


def _ask_later(package: str, homes: dict[str, str]) -> None:
    """Take the stand-ins out of a package; whoever asks for such a name gets the real one from its module."""
    holders = [module for name, module in sys.modules.items() if name.split(".")[0] == package]

    def later(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        real = getattr(importlib.import_module(homes[name]), name)
        for module in holders:
            if module is sys.modules[package] or name in vars(module):
                vars(module)[name] = real
        return real

    own = vars(sys.modules[package])
    for name in homes:
        del own[name]
    own["__getattr__"] = later


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
