"""The whole path in half a minute: `make demo`.

Starts a node with its database in a temporary folder, deploys an ERC-20 compiled from C, moves tokens, makes EVM and
WebAssembly contracts call each other, undoes some of it, restarts the node on the same data and looks again. Everything
goes through JSON-RPC with web3.py, and every step is checked: the exit code is 0 only if all of them held.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from web3 import HTTPProvider, Web3
from web3.exceptions import ContractLogicError, Web3Exception

from ewasm.initcode import with_arguments, wrap_runtime

FOLDER = Path(__file__).resolve().parent
START_LIMIT_S = 30.0
SUPPLY = 1_000_000


class DemoError(Exception):
    """A step did not do what it should."""


def expect(what: str, found: object, wanted: object) -> None:
    """Stop the demo unless a step gave what it should."""
    if found != wanted:
        raise DemoError(f"{what}: expected {wanted!r}, found {found!r}")


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextlib.contextmanager
def running_node(data: Path, out: Console) -> Iterator[Web3]:
    """A node process on `data`; ends it in good order on the way out."""
    port = free_port()
    log = data.parent / f"node-{port}.log"
    command = [sys.executable, "-m", "ewasm.cli", "node", "--port", str(port), "--data-dir", str(data)]
    started = time.monotonic()
    with log.open("wb") as sink:
        process = subprocess.Popen(command, stdout=sink, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
    try:
        web3 = Web3(HTTPProvider(f"http://127.0.0.1:{port}"))
        while not web3.is_connected():
            if process.poll() is not None or time.monotonic() - started > START_LIMIT_S:
                raise DemoError(f"the node did not start:\n{log.read_text(errors='replace')}")
            time.sleep(0.02)
        seconds = time.monotonic() - started
        out.print(f"[bold]node[/] answers at http://127.0.0.1:{port} after {seconds:.2f} s, data in {data}")
        try:
            yield web3
        except Web3Exception as error:
            raise DemoError(f"{error}; the node says:\n{log.read_text(errors='replace')[-4_000:]}") from error
    finally:
        process.send_signal(signal.SIGINT if os.name == "posix" else signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def abi_of(name: str) -> Any:
    return json.loads((FOLDER / f"{name}.json").read_text())


class Session:
    """One node, the account that pays, and a row for every transaction."""

    def __init__(self, web3: Web3, out: Console) -> None:
        self.web3 = web3
        self.out = out
        self.owner = web3.eth.accounts[0]
        self.rows: list[tuple[str, bool, int, int, int, int]] = []

    def mined(self, title: str, transaction: dict[str, Any], *, succeeds: bool = True) -> Any:
        """Send `transaction`, note its gas, and hold its status against what is expected."""
        web3 = self.web3
        transaction_hash = web3.eth.send_transaction({"from": self.owner, **transaction})  # type: ignore[typeddict-item]
        receipt = web3.eth.wait_for_transaction_receipt(transaction_hash)
        expect(f"{title}: status", receipt["status"], int(succeeds))
        answer = web3.provider.make_request("ewasm_gasReport", [Web3.to_hex(transaction_hash)])  # type: ignore[arg-type]
        if "error" in answer:
            raise DemoError(f"ewasm_gasReport: {answer['error']}")
        report = answer["result"]
        expect(f"{title}: gas used in receipt and report", report["gasUsed"], receipt["gasUsed"])
        self.rows.append(
            (title, succeeds, *(report[f"gas{part}"] for part in ("Used", "Instructions", "Eei", "Other")))
        )
        return receipt

    def deploy(self, title: str, name: str, code: bytes) -> Any:
        receipt = self.mined(title, {"data": Web3.to_hex(code)})
        return self.web3.eth.contract(address=receipt["contractAddress"], abi=abi_of(name))

    def refused(self, title: str, function: Any, reason: str) -> None:
        """Call without a transaction and read why it reverts."""
        try:
            function.call({"from": self.owner})
        except ContractLogicError as error:
            if reason not in str(error):
                raise DemoError(f"{title}: expected {reason!r}, the node says {error}") from error
        else:
            raise DemoError(f"{title}: it should have reverted with {reason!r}")
        self.out.print(f"[bold]{title}[/] reverts: [yellow]{reason}[/]")

    def transact(self, title: str, function: Any, *, succeeds: bool = True) -> Any:
        fields: dict[str, Any] = {"to": function.address, "data": function._encode_transaction_data()}
        if not succeeds:
            fields["gas"] = 500_000  # there is no estimate of what fails
        return self.mined(title, fields, succeeds=succeeds)

    def show(self) -> None:
        caption = "EEI: host functions. other: intrinsic gas, code deposit, EVM, less refunds"
        table = Table(title="Gas of each transaction", caption=caption)
        table.add_column("transaction", no_wrap=True)
        for column in ("gas used", "instructions", "EEI", "other"):
            table.add_column(column, justify="right", no_wrap=True)
        for title, succeeds, *gas in self.rows:
            table.add_row(title if succeeds else f"[yellow]{title}: reverted[/]", *(f"{part:,}" for part in gas))
        self.out.print(table)


def show_balances(token: Any, names: dict[str, str], out: Console) -> dict[str, int]:
    balances = {name: int(token.functions.balanceOf(address).call()) for name, address in names.items()}
    out.print("[bold]balances[/] " + ", ".join(f"{name} {amount:,}" for name, amount in balances.items()))
    return balances


def play(session: Session) -> tuple[str, dict[str, str], dict[str, int]]:
    """Every step on the first node. Returns the token's address, who holds tokens, and how many."""
    web3, out = session.web3, session.out
    owner, bob = list(web3.eth.accounts)[:2]

    code = (FOLDER / "erc20/erc20.wasm").read_bytes()
    arguments = web3.codec.encode(["string", "string", "uint256"], ["Gold", "GLD", SUPPLY])
    token = session.deploy("deploy token (Wasm)", "erc20/erc20", with_arguments(code, arguments))
    functions = token.functions
    expect("name", functions.name().call(), "Gold")
    expect("symbol", functions.symbol().call(), "GLD")
    expect("decimals", functions.decimals().call(), 18)
    expect("totalSupply", functions.totalSupply().call(), SUPPLY)
    expect("stored code", bytes(web3.eth.get_code(token.address)), code)
    out.print(f"[bold]token[/] {functions.name().call()} at {token.address}, {len(code):,} bytes of WebAssembly")

    receipt = session.transact("transfer 1,000 to Bob", functions.transfer(bob, 1_000))
    events = list(token.events.Transfer().process_receipt(receipt))
    expect("number of Transfer events", len(events), 1)
    event = events[0]
    expect("Transfer event", dict(event["args"]), {"from": owner, "to": bob, "value": 1_000})
    out.print(f"[bold]event[/] Transfer from {owner} to {bob}: {event['args']['value']:,}")
    session.refused("transfer more than there is", functions.transfer(bob, SUPPLY * 2), "ERC20: insufficient balance")

    forwarder_code = (FOLDER / "crossvm/forwarder.wasm").read_bytes()
    forwarder = session.deploy("deploy forwarder (Wasm)", "crossvm/forwarder", wrap_runtime(forwarder_code))
    payer_code = bytes.fromhex((FOLDER / "crossvm/payer.bin").read_text())
    payer = session.deploy("deploy payer (EVM)", "crossvm/payer", payer_code)

    session.transact("give the payer 500", functions.transfer(payer.address, 500))
    session.transact("EVM to Wasm: pay Bob 200", payer.functions.pay(token.address, bob, 200))
    expect("payer's balance", functions.balanceOf(payer.address).call(), 300)
    undone = payer.functions.payThenRevert(token.address, bob, 100)
    session.refused("payment that the payer undoes", undone, "Payer: undone on request")
    session.transact("EVM to Wasm", undone, succeeds=False)
    expect("payer's balance after the undone payment", functions.balanceOf(payer.address).call(), 300)

    touch = payer.functions.touch()._encode_transaction_data()
    session.transact("Wasm to EVM: touch", forwarder.functions.forward(payer.address, touch))
    expect("touches", payer.functions.touches().call(), 1)
    session.transact("Wasm to EVM", forwarder.functions.forwardThenRevert(payer.address, touch), succeeds=False)
    expect("touches after the undone call", payer.functions.touches().call(), 1)
    failing = payer.functions.touchThenRevert()._encode_transaction_data()
    caught = forwarder.functions.tryForward(payer.address, failing)
    expect("what tryForward reports", caught.call()[0], False)
    session.transact("Wasm to EVM, revert caught", caught)
    expect("touches after the caught revert", payer.functions.touches().call(), 1)
    expect("calls the forwarder kept", forwarder.functions.forwarded().call(), 1)
    out.print("[bold]undone[/] tokens and counters are what they were before the reverted calls")

    names = {"owner": owner, "Bob": bob, "payer": payer.address}
    balances = show_balances(token, names, out)
    expect("balances", balances, {"owner": SUPPLY - 1_500, "Bob": 1_200, "payer": 300})
    return token.address, names, balances


def main() -> int:
    out = Console(highlight=False, soft_wrap=True)
    started = time.monotonic()
    try:
        with tempfile.TemporaryDirectory(prefix="ewasm-demo-") as folder:
            data = Path(folder, "data")
            with running_node(data, out) as web3:
                session = Session(web3, out)
                address, names, balances = play(session)
                session.show()
                height = web3.eth.block_number
            out.print("[bold]restart[/] on the same data")
            with running_node(data, out) as web3:
                expect("block number after the restart", web3.eth.block_number, height)
                token = web3.eth.contract(address=Web3.to_checksum_address(address), abi=abi_of("erc20/erc20"))
                expect("balances after the restart", show_balances(token, names, out), balances)
    except DemoError as error:
        out.print("[red]error:[/]", end=" ")
        out.print(error, markup=False)
        return 1
    out.print(f"[green]everything held[/] ({time.monotonic() - started:.1f} s)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
