"""Real node processes for tests: started on a free port, spoken to over HTTP, ended or killed."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

__all__ = ["ACCOUNTS", "KEYS", "NodeProcess", "RpcFailure", "load_token", "node_process"]

REPOSITORY = Path(__file__).resolve().parent.parent
ANSWER_LIMIT_S = 120.0

# The first three of the default mnemonic.
ACCOUNTS = (
    "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266",
    "0x70997970c51812dc3a010c7d01b50e0d17dc79c8",
    "0x3c44cdddb6a900fa2b585dd299e03d12fa4293bc",
)
KEYS = (
    "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
    "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
    "0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a",
)

# The options travel as JSON; what cannot start says so in one line and exits with 1, as the command does.
LAUNCHER = """
import json, sys
from pathlib import Path
from chain.app import NodeOptions, StartError, run_node
options = json.loads(sys.argv[1])
for name in ("data_dir", "genesis", "import_chain", "load_state", "dump_state"):
    if options.get(name) is not None:
        options[name] = Path(options[name])
try:
    run_node(NodeOptions(**options))
except StartError as error:
    sys.exit(f"Error: {error}")
"""


class RpcFailure(Exception):
    """The answer was an error."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(f"{error['code']}: {error['message']}")
        self.code: int = error["code"]
        self.message: str = error["message"]
        self.data: Any = error.get("data")


class NodeProcess:
    """A running node. Made by `node_process`."""

    def __init__(self, options: dict[str, Any]) -> None:
        command = [sys.executable, "-c", LAUNCHER, json.dumps({"port": 0, **options}, default=str)]
        environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
        )
        self.lines: list[str] = []
        self._errors: list[str] = []
        self._arrived: queue.Queue[str | None] = queue.Queue()
        self._drains = [
            threading.Thread(target=self._drain, args=(stream, keep), daemon=True)
            for stream, keep in ((self.process.stdout, self._out), (self.process.stderr, self._errors.append))
        ]
        for thread in self._drains:
            thread.start()
        self.url = self._wait_for_url()

    def _out(self, line: str) -> None:
        self.lines.append(line)
        self._arrived.put(line)

    def _drain(self, stream: Any, keep: Any) -> None:
        with stream:
            for line in stream:
                keep(line)
        self._arrived.put(None)

    def _wait_for_url(self) -> str:
        ended = 0
        while ended < 2:
            line = self._arrived.get(timeout=ANSWER_LIMIT_S)
            if line is None:
                ended += 1
            elif line.startswith("{"):
                return str(json.loads(line)["url"])
            elif line.startswith("Listening on "):
                return line.split()[-1]
        self.finish()
        raise NodeDidNotStart(self.process.returncode, "".join(self._errors))

    @property
    def ws_url(self) -> str:
        return self.url.replace("http", "ws", 1)

    @property
    def port(self) -> int:
        return int(self.url.rsplit(":", 1)[1])

    @property
    def errors(self) -> str:
        """What it wrote on standard error."""
        return "".join(self._errors)

    def post(self, body: bytes | str, **headers: str) -> tuple[int, dict[str, str], bytes]:
        """POST bytes; returns (status, headers in lower case, body)."""
        raw = body.encode() if isinstance(body, str) else body
        return self.request("POST", raw, **{"Content-Type": "application/json", **headers})

    def request(self, method: str, body: bytes | None = None, **headers: str) -> tuple[int, dict[str, str], bytes]:
        """Any HTTP request; underscores in names of headers stand for dashes."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(self.url, body, named, method=method)
        try:
            with urllib.request.urlopen(request, timeout=ANSWER_LIMIT_S) as answer:
                return answer.status, {k.lower(): v for k, v in answer.headers.items()}, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, {k.lower(): v for k, v in error.headers.items()}, error.read()

    def send(self, message: Any) -> Any:
        """POST a JSON value and return the JSON answer."""
        return json.loads(self.post(json.dumps(message))[2])

    def rpc(self, method: str, *params: Any) -> Any:
        """Call a method; returns its result.

        Raises:
            RpcFailure: The answer was an error.
        """
        answer = self.send({"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)})
        if "error" in answer:
            raise RpcFailure(answer["error"])
        return answer["result"]

    def deploy(self, code: bytes, sender: str = ACCOUNTS[0], **fields: Any) -> str:
        """Send a creation from an unlocked account and return the contract's address."""
        tx_hash = self.rpc("eth_sendTransaction", {"from": sender, "data": "0x" + code.hex(), **fields})
        receipt = self.rpc("eth_getTransactionReceipt", tx_hash)
        assert receipt["status"] == "0x1", receipt
        return str(receipt["contractAddress"])

    def finish(self) -> int:
        """Wait for the end and for all that was written; returns the exit code."""
        code = self.process.wait(ANSWER_LIMIT_S)
        for thread in self._drains:
            thread.join(ANSWER_LIMIT_S)
        return code

    def kill(self) -> None:
        """kill -9."""
        self.process.kill()
        self.finish()

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End it in good order; returns the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            return self.finish()
        except subprocess.TimeoutExpired:
            self.kill()
            raise


class NodeDidNotStart(Exception):
    """The process ended before it listened."""

    def __init__(self, code: int, errors: str) -> None:
        super().__init__(f"exit code {code}: {errors}")
        self.code = code
        self.errors = errors


@contextlib.contextmanager
def node_process(**options: Any) -> Iterator[NodeProcess]:
    """A node with `chain.app.NodeOptions` given by name; ended on the way out."""
    node = NodeProcess(options)
    try:
        yield node
    finally:
        node.stop()


def load_token() -> tuple[list[dict[str, Any]], bytes]:
    """The ERC-20 in Wasm: (ABI, module)."""
    folder = REPOSITORY / "contracts" / "erc20"
    return json.loads((folder / "erc20.json").read_text()), (folder / "erc20.wasm").read_bytes()
