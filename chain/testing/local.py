"""A chain of the test's own, in its process: the node of `ewasm node` without a server.

Requests go the way of JSON-RPC's (`request`), so a test sees what a client would. The chain is in memory and mines
each transaction at once.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from chain.accounts import checksum_address
from chain.app import NodeOptions, all_methods, open_node
from chain.rpc.dispatch import Dispatcher
from chain.testing.contract import Contract, Receipt, RequestFailed, Reverted, creation_data, read_artifact

__all__ = ["LocalChain"]


class LocalChain:
    """A running chain; `close` ends its threads.

    Args:
        options: As for `ewasm node`; the defaults are the command's.
    """

    def __init__(self, options: NodeOptions | None = None) -> None:
        self.node = open_node(options or NodeOptions())
        self.node.start()
        self.dispatcher = Dispatcher(self.node, all_methods())
        self.accounts: tuple[str, ...] = tuple(checksum_address(account.address) for account in self.node.accounts)
        self.gas_mined = 0
        """Gas of every transaction mined so far, those of blocks that were taken back included."""
        self._stop_counting = self.node.events.listen("newHeads", self._count)

    def close(self) -> None:
        """Finish the work at hand and stop."""
        self._stop_counting()
        self.node.stop()

    def __enter__(self) -> LocalChain:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _count(self, header: Any) -> None:
        self.gas_mined += header.gas_used

    # Requests

    def request(self, method: str, *params: Any) -> Any:
        """The result of a JSON-RPC request.

        Raises:
            Reverted: A contract reverted.
            RequestFailed: The node answered with any other error.
        """
        answer = self.answer({"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)})
        if "error" in answer:
            error = answer["error"]
            if error.get("code") == 3:
                raise Reverted(bytes.fromhex(str(error.get("data") or "0x")[2:]))
            raise RequestFailed(method, error)
        return answer["result"]

    def answer(self, message: Any) -> Any:
        """A JSON-RPC message, parsed, to its answer, parsed (None for a notification)."""
        encoded = self.dispatcher.answer_now(message)
        return None if encoded is None else orjson.loads(encoded)

    # Blocks, time, snapshots

    @property
    def block_number(self) -> int:
        return self.node.head.number

    @property
    def timestamp(self) -> int:
        """Of the latest block, in seconds."""
        return self.node.head.timestamp

    def mine(self, blocks: int = 1) -> None:
        """Mine blocks, with whatever waits."""
        self.node.own(self.node.mine, blocks).result()

    def travel(self, seconds: int) -> None:
        """Mine a block that many seconds after the latest one; the clock goes on from there."""
        self.node.own(self.node.mine, 1, 0, self.timestamp + seconds).result()

    def snapshot(self) -> int:
        """Remember state, clock, pool and settings; returns what `revert` takes."""
        return self.node.own(self.node.snapshot).result()

    def revert(self, snapshot: int) -> None:
        """Go back to a snapshot, which is used up with all later ones.

        Raises:
            ValueError: There is no such snapshot (any more).
        """
        if not self.node.own(self.node.revert, snapshot).result():
            raise ValueError(f"there is no snapshot {snapshot}: each is good for one revert")

    @contextlib.contextmanager
    def undone(self) -> Iterator[None]:
        """What happens inside is undone at its end."""
        kept = self.snapshot()
        try:
            yield
        finally:
            self.revert(kept)

    # Accounts

    def balance(self, account: Any) -> int:
        """Wei of an account or contract."""
        return int(self.request("eth_getBalance", _address(account), "latest"), 16)

    def code(self, account: Any) -> bytes:
        """Stored code."""
        return bytes.fromhex(self.request("eth_getCode", _address(account), "latest")[2:])

    def storage(self, account: Any, slot: int) -> int:
        """One word of storage."""
        return int(self.request("eth_getStorageAt", _address(account), hex(slot), "latest"), 16)

    def set_balance(self, account: Any, wei: int) -> None:
        """Give an account so much, from nowhere."""
        self.request("anvil_setBalance", _address(account), hex(wei))

    @contextlib.contextmanager
    def impersonate(self, account: Any) -> Iterator[str]:
        """Take transactions from an account without its key, inside."""
        self.request("anvil_impersonateAccount", _address(account))
        try:
            yield _address(account)
        finally:
            self.request("anvil_stopImpersonatingAccount", _address(account))

    # Transactions

    def send(
        self,
        to: Any = None,
        data: bytes = b"",
        *,
        sender: Any = None,
        value: int = 0,
        gas: int | None = None,
        contract: Contract | None = None,
    ) -> Receipt:
        """Send a transaction from an unlocked account (the first unless given); mined when this returns.

        Raises:
            Reverted: It reverts. Without `gas` it is then not sent at all, with it it is in a block.
            RequestFailed: It fails in another way, or is refused.
        """
        transaction = {"from": _address(sender or self.accounts[0]), "data": "0x" + data.hex(), "value": hex(value)}
        if to is not None:
            transaction["to"] = _address(to)
        if gas is not None:
            transaction["gas"] = hex(gas)
        try:
            digest = self.request("eth_sendTransaction", transaction)
        except Reverted as error:
            raise Reverted(error.data, contract) from None
        raw = self.request("eth_getTransactionReceipt", digest)
        if raw is None:
            message = f"{digest} waits in the pool: the chain does not mine by itself (automine is off)"
            raise RequestFailed("eth_sendTransaction", {"code": -32000, "message": message})
        receipt = Receipt.parse(raw, contract, self)
        if not receipt.ok:
            frame = self.request("debug_traceTransaction", digest, {"tracer": "callTracer"})
            if frame.get("error") == "execution reverted":
                raise Reverted(bytes.fromhex(frame.get("output", "0x")[2:]), contract)
            report = self.request("ewasm_gasReport", digest) or {}
            error_text = report.get("error") or frame.get("error")
            raise RequestFailed("eth_sendTransaction", {"code": -32000, "message": error_text or "transaction failed"})
        return receipt

    def call(
        self, to: Any, data: bytes, *, sender: Any = None, value: int = 0, contract: Contract | None = None
    ) -> bytes:
        """Run without a transaction.

        Raises:
            Reverted, RequestFailed: As `send`.
        """
        transaction = {"to": _address(to), "data": "0x" + data.hex(), "value": hex(value)}
        transaction["from"] = _address(sender or self.accounts[0])
        try:
            return bytes.fromhex(self.request("eth_call", transaction, "latest")[2:])
        except Reverted as error:
            raise Reverted(error.data, contract) from None

    def deploy(
        self,
        code: str | Path | bytes,
        *args: Any,
        abi: str | Path | Sequence[Mapping[str, Any]] | None = None,
        sender: Any = None,
        value: int = 0,
        gas: int | None = None,
    ) -> Contract:
        """Deploy a module (.wasm, .wat), EVM init code (.bin), or bytes of either.

        Args:
            code: File or bytes. A module without `deploy` is wrapped in an init module.
            *args: For the constructor.
            abi: JSON file or list; a file's neighbour that ends in .json unless given.
            sender: Account that deploys, the first unless given.
            value: Wei for the constructor.
            gas: Limit; estimated unless given.

        Raises:
            Reverted: The constructor reverted.
            RequestFailed: The node refused the code, with the gate's reason.
            AbiError: The arguments do not fit the constructor.
        """
        artifact = read_artifact(code, abi)
        contract = Contract(self, "0x" + bytes(20).hex(), artifact.abi)
        data = creation_data(artifact.code, artifact.abi.constructor.encode(args))
        receipt = self.send(None, data, sender=sender, value=value, gas=gas, contract=contract)
        return Contract(self, receipt.contract_address or "", artifact.abi, receipt)

    def at(self, address: Any, abi: str | Path | Sequence[Mapping[str, Any]]) -> Contract:
        """A contract that is there already."""
        return Contract(self, _address(address), read_artifact(b"", abi).abi)


def _address(account: Any) -> str:
    account = getattr(account, "address", account)
    return "0x" + account.hex() if isinstance(account, bytes) else str(account)
