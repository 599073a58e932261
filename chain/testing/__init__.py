"""Testing contracts: a chain in the test's own process, and what test runners want around it.

`local` is the chain, `contract` a deployed contract with its ABI, `abi` values to and from bytes. `plugin` makes pytest
fixtures of them, `isolation` gives each test the chain as its fixtures left it, `gas_snapshot` compares gas with a
stored file. `provider` plugs the chain into web3.py, `backend` into eth-tester, `strategies` makes call data for
hypothesis, `machine` sequences of calls with invariants, which `shorten` makes short. Everything beyond pytest itself
is imported when it is first used: the plug-in is loaded in every project that has this package installed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chain.testing.contract import Contract, Receipt, Reverted, reverts
    from chain.testing.local import LocalChain

__all__ = ["Contract", "LocalChain", "Receipt", "Reverted", "reverts"]

_HOME = {
    "Contract": "contract",
    "LocalChain": "local",
    "Receipt": "contract",
    "Reverted": "contract",
    "reverts": "contract",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
