"""Errors as a JSON-RPC client sees them.

Codes: -32700 parse error, -32600 invalid request, -32601 unknown method, -32602 bad parameter, -32603 a fault of
ours (no detail leaves the process), -32000 any other refusal, 3 a revert.
"""

from __future__ import annotations

from typing import Any

__all__ = [
    "INTERNAL_ERROR",
    "INVALID_PARAMS",
    "INVALID_REQUEST",
    "LIMIT_EXCEEDED",
    "METHOD_NOT_FOUND",
    "PARSE_ERROR",
    "REVERTED",
    "SERVER_ERROR",
    "InvalidParams",
    "Refusal",
    "Reverted",
    "RpcError",
]

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603
SERVER_ERROR = -32000
LIMIT_EXCEEDED = -32005
REVERTED = 3


class RpcError(Exception):
    """Becomes the `error` member of an answer."""

    def __init__(self, code: int, message: str, data: Any = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data = data

    def as_json(self) -> dict[str, Any]:
        """The `error` object; `data` only where there is some."""
        error: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.data is not None:
            error["data"] = self.data
        return error


class InvalidParams(RpcError):
    """A parameter cannot be used; the message names it."""

    def __init__(self, message: str) -> None:
        super().__init__(INVALID_PARAMS, message)


class Refusal(RpcError):
    """The request is well formed, but the node will not or cannot do it."""

    def __init__(self, message: str, data: Any = None) -> None:
        super().__init__(SERVER_ERROR, message, data)


class Reverted(RpcError):
    """A call or an estimate ended in a revert; `data` is what the contract returned, as hex."""

    def __init__(self, message: str, output: bytes) -> None:
        super().__init__(REVERTED, message, "0x" + output.hex())
