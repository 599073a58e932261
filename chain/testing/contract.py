"""A deployed contract as a Python object: functions of its ABI are methods.

A function that only reads is called and its value comes back; any other is sent, and its receipt comes back. A revert
is an exception that knows reason, custom error and data.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chain.accounts import checksum_address
from chain.reverts import revert_reason
from chain.testing.abi import Abi, AbiError, DecodedError, Event, explain_revert

if TYPE_CHECKING:
    from chain.testing.local import LocalChain

__all__ = [
    "Artifact",
    "Contract",
    "Receipt",
    "RequestFailed",
    "Reverted",
    "creation_data",
    "read_artifact",
    "reverts",
]


class RequestFailed(Exception):
    """The node answered with an error that is no revert.

    Attributes:
        code: Of JSON-RPC.
        reason: The node's words.
    """

    def __init__(self, method: str, error: Mapping[str, Any]) -> None:
        self.code = error.get("code")
        self.reason = str(error.get("message", error))
        super().__init__(f"{method}: {self.reason}")


class Reverted(Exception):
    """A contract reverted.

    Attributes:
        data: What it returned.
        reason: Text of `Error(string)` or of a panic, or None.
        error: Custom error of the contract's ABI, or None.
    """

    def __init__(self, data: bytes, contract: Contract | None = None) -> None:
        self.data = data
        self.reason = revert_reason(data)
        abi = contract.abi if contract is not None else None
        self.error: DecodedError | None = abi.decode_error(data) if abi is not None else None
        text = explain_revert(data, abi)
        super().__init__("execution reverted" if text is None else f"execution reverted: {text}")


@contextlib.contextmanager
def reverts(reason: str | re.Pattern[str] | None = None) -> Iterator[None]:
    """Expect a revert inside: any, one whose reason or custom error's name is `reason`, or whose text matches it.

    Raises:
        AssertionError: There was none, or with another reason.
    """
    try:
        yield
    except Reverted as error:
        if reason is None:
            return
        name = error.error.name if error.error is not None else None
        found = bool(reason.search(str(error))) if isinstance(reason, re.Pattern) else reason in (error.reason, name)
        if not found:
            raise AssertionError(f"expected a revert with {reason!r}, got: {error}") from error
    else:
        raise AssertionError("expected a revert" + (f" with {reason!r}" if reason is not None else "") + ", got none")


@dataclass(frozen=True, slots=True)
class Receipt:
    """A mined transaction; gas is whole gas. `logs` are (address, topics, data)."""

    transaction_hash: str
    ok: bool
    block_number: int
    gas_used: int
    contract_address: str | None
    logs: tuple[tuple[bytes, tuple[bytes, ...], bytes], ...]
    contract: Contract | None
    chain: LocalChain

    @classmethod
    def parse(cls, raw: Mapping[str, Any], contract: Contract | None, chain: LocalChain) -> Receipt:
        created = raw.get("contractAddress")
        return cls(
            transaction_hash=raw["transactionHash"],
            ok=raw.get("status") == "0x1",
            block_number=int(raw["blockNumber"], 16),
            gas_used=int(raw["gasUsed"], 16),
            contract_address=checksum_address(bytes.fromhex(created[2:])) if created else None,
            logs=tuple(
                (
                    bytes.fromhex(log["address"][2:]),
                    tuple(bytes.fromhex(topic[2:]) for topic in log["topics"]),
                    bytes.fromhex(log["data"][2:]),
                )
                for log in raw["logs"]
            ),
            contract=contract,
            chain=chain,
        )

    @property
    def events(self) -> list[Event]:
        """Logs that the contract's ABI knows, whichever contract wrote them."""
        if self.contract is None:
            return []
        found = (self.contract.abi.decode_log(*log) for log in self.logs)
        return [event for event in found if event is not None]

    @property
    def gas_report(self) -> dict[str, Any]:
        """Where the gas went: see `ewasm_gasReport`."""
        return dict(self.chain.request("ewasm_gasReport", self.transaction_hash))


class Contract:
    """A contract at an address.

    `token.balanceOf(who)` calls, `token.transfer(who, 5)` sends; both take `sender`, `value`, and sending takes `gas`.
    `token["transfer(address,uint256)"]` is for overloaded names and for names that Python or this class uses itself.
    """

    def __init__(self, chain: LocalChain, address: str, abi: Abi, receipt: Receipt | None = None) -> None:
        self.chain = chain
        self.address = address
        self.abi = abi
        self.receipt = receipt
        """Of its creation, where this object deployed it."""

    def __repr__(self) -> str:
        return f"<Contract {self.address}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Contract) and (other.chain, other.address) == (self.chain, self.address)

    def __hash__(self) -> int:
        return hash(self.address)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("__") or not any(item.name == name for item in self.abi.functions):
            raise AttributeError(f"the ABI of {self!r} has no function {name}")
        return self[name]

    def __getitem__(self, name: str) -> Callable[..., Any]:
        self.abi.function(name, -1) if "(" in name else None

        def run(*args: Any, sender: Any = None, value: int = 0, gas: int | None = None) -> Any:
            item = self.abi.function(name, len(args))
            if item.is_view:
                return self.call(name, *args, sender=sender, value=value)
            return self.send(name, *args, sender=sender, value=value, gas=gas)

        run.__name__ = name
        return run

    def encode(self, name: str, *args: Any) -> bytes:
        """Call data."""
        item = self.abi.function(name, len(args))
        return item.digest[:4] + item.encode(args)

    def call(self, name: str, *args: Any, sender: Any = None, value: int = 0) -> Any:
        """What a function would return, also one that writes; nothing is changed."""
        item = self.abi.function(name, len(args))
        data = self.chain.call(self, self.encode(name, *args), sender=sender, value=value, contract=self)
        return item.decode_output(data)

    def send(self, name: str, *args: Any, sender: Any = None, value: int = 0, gas: int | None = None) -> Receipt:
        """Call a function in a transaction."""
        data = self.encode(name, *args)
        return self.chain.send(self, data, sender=sender, value=value, gas=gas, contract=self)


@dataclass(frozen=True, slots=True)
class Artifact:
    """Code of either kind, and its ABI."""

    code: bytes
    abi: Abi


def read_artifact(code: str | Path | bytes, abi: str | Path | Sequence[Mapping[str, Any]] | None) -> Artifact:
    """Code and ABI from files or values.

    Raises:
        FileNotFoundError: With the path; for a module that is not built, with what builds it.
        AbiError: The ABI's file holds none.
    """
    from ewasm.cli.files import read_code

    if isinstance(code, (str, Path)):
        path = Path(code)
        if not path.is_file():
            hint = "; build it with: ewasm build" if path.suffix == ".wasm" else ""
            raise FileNotFoundError(f"{path}: no such file{hint}")
        if abi is None and path.with_suffix(".json").is_file():
            abi = path.with_suffix(".json")
        data = read_code(path)
    else:
        data = code
    if isinstance(abi, (str, Path)):
        try:
            raw = json.loads(Path(abi).read_text(encoding="utf-8"))
        except ValueError as error:
            raise AbiError(f"{abi}: no JSON: {error}") from None
        raw = raw.get("abi") if isinstance(raw, dict) else raw
        if not isinstance(raw, list) or not all(isinstance(entry, dict) for entry in raw):
            raise AbiError(f"{abi}: no ABI: a list of functions and events is needed")
        abi = raw
    return Artifact(data, Abi.parse(abi or []))


def creation_data(code: bytes, arguments: bytes) -> bytes:
    """Transaction data that creates a contract (see `ewasm.initcode`).

    Raises:
        AbiError: Arguments for a module without a constructor.
    """
    from ewasm.contract import is_wasm
    from ewasm.errors import ModuleError
    from ewasm.initcode import with_arguments, wrap_runtime
    from ewasm.wasm.decode import decode

    if not is_wasm(code):
        return code + arguments
    try:
        has_deploy = any(export.name == "deploy" for export in decode(code).exports)
    except ModuleError:
        # The node says what is wrong with it.
        return code
    if has_deploy:
        return with_arguments(code, arguments) if arguments else code
    if arguments:
        raise AbiError("constructor arguments need a module that exports a function deploy")
    return wrap_runtime(code)
