"""`make bench-node`: the node beside anvil and ganache, each ratio from one run on one machine.

The others are npm packages, put into build/npm by `make bench-node-setup`; whichever is not there is left out, with a
line that says so. Load comes over HTTP with signed transactions made beforehand, rounds of all nodes in turns, the best
of several rounds counts. Beside the time on the clock stands the processor time that a node spent on it, which other
work on the machine disturbs less.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from chain.accounts import DEFAULT_MNEMONIC, derive_accounts
from chain.transaction import Tx, sign_tx
from tests.bench.node_state import BLOCKS, KINDS, MEASURES, WARM_UP
from tests.bench.node_state import compare as compare_states

REPOSITORY = Path(__file__).resolve().parent.parent.parent
NPM = REPOSITORY / "build" / "npm" / "node_modules" / ".bin"
ROUNDS = 4
BATCH = 50
TRANSFERS = 200
CALLS = 300
RECIPIENT = b"\x11" * 20
# Init code of a contract that returns 42.
ANSWER = "0x600a600c600039600a6000f3602a60005260206000f3"
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Target:
    """A node under load.

    Attributes:
        pid: Of the process that works, not of a script around it.
        start_s: From the command to the first answer.
        best: Least seconds by measure: (on the clock, of the processor).
    """

    name: str
    port: int
    process: subprocess.Popen[bytes]
    pid: int
    start_s: float
    connection: http.client.HTTPConnection
    contract: str = ""
    best: dict[str, tuple[float, float]] = field(default_factory=dict)

    def post(self, message: Any) -> Any:
        self.connection.request("POST", "/", json.dumps(message), {"Content-Type": "application/json"})
        return json.loads(self.connection.getresponse().read())

    def rpc(self, method: str, *params: Any) -> Any:
        answer = self.post({"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)})
        if "error" in answer:
            raise RuntimeError(f"{self.name}: {method}: {answer['error']}")
        return answer["result"]

    def cpu_s(self) -> float:
        """Processor time so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def memory_mb(self) -> float:
        """Resident memory."""
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * 4096 / 2**20

    def measure(self, name: str, count: int, work: Callable[[], None]) -> None:
        """Keep the least seconds a piece."""
        cpu, clock = self.cpu_s(), time.perf_counter()
        work()
        seconds = (time.perf_counter() - clock) / count, (self.cpu_s() - cpu) / count
        old = self.best.get(name, (float("inf"), float("inf")))
        self.best[name] = min(old[0], seconds[0]), min(old[1], seconds[1])


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def _commands(port: int, directory: Path) -> dict[str, list[str]]:
    ours = [sys.executable, "-m", "ewasm.cli", "node", "--port", str(port), "--quiet"]
    return {
        "ewasm": ours,
        "ewasm, on disk": [*ours, "--data-dir", str(directory)],
        "anvil": [_find("anvil"), "--port", str(port), "--silent"],
        "ganache": [_find("ganache"), "--server.port", str(port), "-m", DEFAULT_MNEMONIC, "--logging.quiet"],
    }


def _find(name: str) -> str:
    found = NPM / name
    return str(found) if found.exists() else (shutil.which(name) or "")


@contextlib.contextmanager
def start(name: str) -> Iterator[Target]:
    """A node on a free port, ready."""
    with tempfile.TemporaryDirectory() as directory:
        port = _free_port()
        began = time.perf_counter()
        process = subprocess.Popen(
            _commands(port, Path(directory))[name], cwd=REPOSITORY, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            target = Target(name, port, process, process.pid, 0.0, connection)
            while True:
                try:
                    target.rpc("eth_blockNumber")
                    break
                except (OSError, http.client.HTTPException):
                    connection.close()
                    if process.poll() is not None or time.perf_counter() - began > 60:
                        raise RuntimeError(f"{name} does not start") from None
                    time.sleep(0.002)
            target.start_s = time.perf_counter() - began
            children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
            if children and not name.startswith("ewasm"):
                target.pid = int(children[0])
            yield target
        finally:
            if target_pid := _child(process.pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(target_pid, 15)
            process.terminate()
            process.wait(30)


def _child(pid: int) -> int | None:
    with contextlib.suppress(OSError):
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return int(children[0]) if children else None
    return None


def _transfers(target: Target, account: int, count: int) -> list[str]:
    key = derive_accounts(DEFAULT_MNEMONIC, 10)[account]
    chain_id = int(target.rpc("eth_chainId"), 16)
    nonce = int(target.rpc("eth_getTransactionCount", "0x" + key.address.hex(), "latest"), 16)
    fees: Any = {"max_priority_fee_per_gas": 10**9, "max_fee_per_gas": 10**11}
    return [
        "0x"
        + sign_tx(Tx(2, chain_id, nonce + i, 21_000, RECIPIENT, 1, b"", b"", **fees), key.private_key).encode().hex()
        for i in range(count)
    ]


def _round(target: Target, number: int) -> None:
    account = 1 + number % 9
    # Nodes close connections that were idle while the others had their turn; this one opens again by itself.
    target.connection.close()
    raws = _transfers(target, account, 2 * TRANSFERS)

    def singly() -> None:
        for raw in raws[:TRANSFERS]:
            target.rpc("eth_sendRawTransaction", raw)

    def batched() -> None:
        for start_at in range(TRANSFERS, 2 * TRANSFERS, BATCH):
            batch = [
                {"jsonrpc": "2.0", "id": i, "method": "eth_sendRawTransaction", "params": [raw]}
                for i, raw in enumerate(raws[start_at : start_at + BATCH])
            ]
            refused = [answer["error"] for answer in target.post(batch) if "error" in answer]
            if refused:
                raise RuntimeError(f"{target.name}: {refused[0]}")
        sender = "0x" + derive_accounts(DEFAULT_MNEMONIC, 10)[account].address.hex()
        # anvil answers before it mines.
        while int(target.rpc("eth_getTransactionCount", sender, "latest"), 16) < 2 * TRANSFERS * (1 + number // 9):
            time.sleep(0.001)

    def calls() -> None:
        for _ in range(CALLS):
            target.rpc("eth_call", {"to": target.contract, "data": "0x"}, "latest")

    target.measure("transfers one by one", TRANSFERS, singly)
    target.measure(f"transfers in batches of {BATCH}", TRANSFERS, batched)
    target.measure("eth_call", CALLS, calls)


def _deploy(target: Target) -> None:
    sender = "0x" + derive_accounts(DEFAULT_MNEMONIC, 1)[0].address.hex()
    tx_hash = target.rpc("eth_sendTransaction", {"from": sender, "data": ANSWER, "gas": hex(200_000)})
    receipt = None
    while receipt is None:
        receipt = target.rpc("eth_getTransactionReceipt", tx_hash)
    target.contract = receipt["contractAddress"]
    assert int(target.rpc("eth_call", {"to": target.contract, "data": "0x"}, "latest"), 16) == 42


def compare(names: list[str], rounds: int) -> list[Target]:
    """Rounds of load on all nodes in turns."""
    with contextlib.ExitStack() as stack:
        targets = [stack.enter_context(start(name)) for name in names]
        for target in targets:
            _deploy(target)
        for number in range(rounds):
            for target in targets:
                _round(target, number)
        return targets


def starts(names: list[str], count: int) -> dict[str, list[float]]:
    """Seconds from the command to the first answer, in turns, in order of length."""
    found: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(count):
        for name in names:
            with start(name) as target:
                found[name].append(target.start_s)
    return {name: sorted(seconds) for name, seconds in found.items()}


def memory(transfers: int) -> list[tuple[int, float]]:
    """(transfers so far, MB) of a node that keeps its chain in memory."""
    with start("ewasm") as target:
        points = [(0, target.memory_mb())]
        done = 0
        while done < transfers:
            for account in range(1, 10):
                raws = _transfers(target, account, 250)
                for at in range(0, 250, 5):
                    target.post(
                        [
                            {"jsonrpc": "2.0", "id": i, "method": "eth_sendRawTransaction", "params": [raw]}
                            for i, raw in enumerate(raws[at : at + 5])
                        ]
                    )
                done += 250
            points.append((done, target.memory_mb()))
        return points


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--starts", type=int, default=10, help="for the rows of starts; 0 leaves them out")
    parser.add_argument("--transfers", type=int, default=10_000, help="for the memory rows; 0 leaves them out")
    parser.add_argument("--accounts", type=int, default=1_000_000, help="for the state row; 0 leaves it out")
    options = parser.parse_args()
    console = Console()
    names = ["ewasm", "ewasm, on disk"]
    for name in ("anvil", "ganache"):
        if _find(name):
            names.append(name)
        else:
            console.print(f"{name} is left out: not in build/npm (make bench-node-setup) and not on the PATH")
    rows: dict[str, dict[str, Any]] = {}
    targets = {target.name: target for target in compare(names, options.rounds)}
    table = Table("what", *names, *(f"speed, ewasm / {name}" for name in names[2:]))
    for measure in next(iter(targets.values())).best:
        for place, unit in ((0, "us"), (1, "us of processor")):
            times = {name: target.best[measure][place] * 1e6 for name, target in targets.items()}
            ratios = {name: times[name] / times["ewasm"] for name in names[2:]}
            rows[f"{measure}, {unit}"] = {"times": times, "ratios": ratios}
            cells = [f"{times[name]:,.0f}" for name in names]
            table.add_row(f"{measure}, {unit}", *cells, *(f"{ratio:.2f}" for ratio in ratios.values()))
    if options.starts:
        taken = starts(names, options.starts)
        for what, place in (("least", 0), ("median", options.starts // 2)):
            times = {name: seconds[place] for name, seconds in taken.items()}
            rows[f"start to first answer, s, {what} of {options.starts}"] = {"times": times}
            cells = [f"{times[name]:.2f}" for name in names]
            table.add_row(f"start to first answer, s, {what} of {options.starts}", *cells, *("" for _ in names[2:]))
    console.print(table)
    if options.transfers:
        points = memory(options.transfers)
        rows["memory, MB"] = {"points": points}
        console.print("memory, MB after transfers: " + ", ".join(f"{mb:.0f} after {count:,}" for count, mb in points))
    if options.accounts:
        small, large = compare_states((1_000, options.accounts), WARM_UP + BLOCKS)
        for kind in KINDS:
            for measure in MEASURES:
                first, second = small.median(kind, measure), large.median(kind, measure)
                ratio = second / first
                rows[f"block of {kind}, {measure}"] = {"small_s": first, "large_s": second, "ratio": ratio}
                console.print(f"block of {kind}, {options.accounts:,} accounts / 1,000, {measure}: {ratio:.2f}")
        console.print(f"{options.accounts:,} accounts: written in {large.made_s:.0f} s, {large.size_mb:.0f} MB on disk")
    target_file = REPOSITORY / "build" / "bench-node.json"
    target_file.parent.mkdir(exist_ok=True)
    target_file.write_text(json.dumps(rows, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
