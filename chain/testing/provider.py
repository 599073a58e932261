"""The chain as a web3.py provider: the node's own JSON-RPC, without a network in between."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import orjson
from web3 import Web3
from web3.providers import BaseProvider

if TYPE_CHECKING:
    from web3.types import RPCEndpoint, RPCResponse

    from chain.testing.local import LocalChain

__all__ = ["LocalProvider", "make_web3"]


class LocalProvider(BaseProvider):
    """Every method of the node, answered in this process."""

    def __init__(self, chain: LocalChain) -> None:
        super().__init__()
        self.chain = chain
        self._last_id = 0

    def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:
        self._last_id += 1
        message = {"jsonrpc": "2.0", "id": self._last_id, "method": method, "params": params}
        # Through JSON, since web3 leaves tuples and its own mappings in.
        plain = orjson.loads(orjson.dumps(message, default=_plain))
        return cast("RPCResponse", self.chain.answer(plain))

    def is_connected(self, show_traceback: bool = False) -> bool:  # noqa: ARG002 - the base class's signature
        return True


def _plain(value: Any) -> Any:
    if isinstance(value, (bytes, bytearray)):
        return "0x" + bytes(value).hex()
    if hasattr(value, "items"):
        return dict(value.items())
    raise TypeError(f"no JSON for {type(value).__name__}")


def make_web3(chain: LocalChain) -> Web3:
    """A web3 whose default account is the chain's first."""
    w3 = Web3(LocalProvider(chain))
    w3.eth.default_account = cast("Any", chain.accounts[0])
    return w3
