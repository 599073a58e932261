"""A JSON-RPC client of one connection, for the commands that talk to a node."""

from __future__ import annotations

import http.client
import json
from typing import Any
from urllib.parse import urlsplit

from ewasm.cli.output import Failure

__all__ = ["Rpc", "RpcError"]

TIMEOUT_S = 120
METHOD_NOT_FOUND = -32601


class RpcError(Failure):
    """The node answered with an error."""

    def __init__(self, method: str, error: dict[str, Any]) -> None:
        self.method = method
        self.error = error
        self.code = error.get("code")
        self.data = error.get("data")
        text = str(error.get("message", error))
        facts = {"ok": False, "method": method, "error": error}
        super().__init__(text if self.code == 3 else f"{method}: {text}", facts)


class Rpc:
    """One HTTP connection, kept open from call to call."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise Failure(f"--rpc {url}: an http:// or https:// address is needed")
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        try:
            self._connection = kind(parts.hostname, parts.port, timeout=TIMEOUT_S)
        except ValueError as error:
            raise Failure(f"--rpc {url}: {error}") from None
        self._path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._url = url
        self._last_id = 0

    def close(self) -> None:
        self._connection.close()

    def call(self, method: str, *parameters: Any) -> Any:
        """The `result` of one request.

        Raises:
            RpcError: The node answered with an error.
            Failure: No node answered, or not with JSON-RPC.
        """
        self._last_id += 1
        request = {"jsonrpc": "2.0", "id": self._last_id, "method": method, "params": list(parameters)}
        try:
            self._connection.request(
                "POST", self._path, json.dumps(request).encode(), {"Content-Type": "application/json"}
            )
            response = self._connection.getresponse()
            body = response.read()
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise Failure(f"no node answers at {self._url}: {reason}; start one with: ewasm node") from None
        try:
            answer = json.loads(body)
        except ValueError:
            answer = None
        if not isinstance(answer, dict) or ("result" not in answer and "error" not in answer):
            raise Failure(f"{self._url} answered {response.status} and no JSON-RPC: {body[:80]!r}")
        if answer.get("error") is not None:
            told = answer["error"]
            raise RpcError(method, told if isinstance(told, dict) else {"message": str(told)})
        return answer["result"]

    def try_call(self, method: str, *parameters: Any) -> Any:
        """As `call`, but None where the node does not know the method."""
        try:
            return self.call(method, *parameters)
        except RpcError as error:
            if error.code == METHOD_NOT_FOUND:
                return None
            raise
