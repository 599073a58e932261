"""The node: blocks, transactions and state around the VM, on py-evm's state database and EVM.

What enters: signed transactions and blocks as bytes (`blockchain`), requests over JSON-RPC (`rpc`). What leaves:
frozen records (`records`) of ints and bytes, and a database (`store`) that survives kill -9.
Reading order: `records`, `transaction`, `block`, `forks`, `executor`, `host`, `transition`, `builder`, `blockchain`.
py-evm is touched in `executor`, `host`, `hardening` and `transition` alone.
Standards: the yellow paper and the EIPs named beside the code; contracts in Wasm follow `ewasm`.
`ewasm` must never import this package.
"""

from __future__ import annotations

import os

# eth-hash chooses its backend at the first hash and would take the one that is ten times slower.
os.environ.setdefault("ETH_HASH_BACKEND", "pysha3")
