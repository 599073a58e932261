"""What a block costs by the number of accounts in the state: `python -m tests.bench.node_state`.

Each state lives in a process and a database of its own, so that neither warms the other's caches; blocks are made in
turns, and the median of each side counts. The first state is written by a process before it, so that what that left in
memory is in nobody's way. A block is fifty transfers between accounts drawn from all there are, or
twenty calls of a contract that writes a fresh slot each. What is timed is what a node does for a block: transactions
are decoded and their senders recovered, the block is built and committed; beside it stands the building alone.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["BLOCKS", "KINDS", "MEASURES", "WARM_UP", "Side", "compare"]

REPOSITORY = Path(__file__).resolve().parent.parent.parent
TRANSFERS = 50
WRITES = 20
# Accounts with keys, so that one sends as seldom as another.
KEYS = 4_000
WARM_UP = 10
BLOCKS = 100
KINDS = ("transfers", "storage writes")
MEASURES = ("processor", "clock", "processor, building alone")
CONTRACT = b"\xcc" * 20
# The slot is the first word of the call data, the value one: PUSH1 1, PUSH0, CALLDATALOAD, SSTORE.
CODE = bytes.fromhex("60015f355500")
SEED = 1


@dataclass
class Side:
    """A state of one size.

    Attributes:
        made_s: What it took to write the first state.
        peak_mb: Resident memory at its most while that was written.
        end_mb: As `peak_mb`, of the process that made the blocks, behind the last.
        size_mb: Of the database.
        seconds: By kind of block and what was timed (one of `MEASURES`).
    """

    accounts: int
    made_s: float = 0.0
    peak_mb: float = 0.0
    end_mb: float = 0.0
    size_mb: float = 0.0
    seconds: dict[tuple[str, str], list[float]] = field(
        default_factory=lambda: {(kind, measure): [] for kind in KINDS for measure in MEASURES}
    )

    def median(self, kind: str, measure: str) -> float:
        """Seconds a block, those of the warm-up left out."""
        return statistics.median(self.seconds[kind, measure][WARM_UP:])


def _key(number: int) -> bytes:
    return (number + 1).to_bytes(32, "big")


def _people(accounts: int) -> tuple[list[bytes], list[bytes], list[bytes]]:
    """Keys, the addresses of these, and all addresses."""
    from chain.crypto import address_of_key

    keys = [_key(number) for number in range(min(accounts, KEYS))]
    senders = [address_of_key(key) for key in keys]
    chance = random.Random(SEED)
    return keys, senders, senders + [chance.randbytes(20) for _ in range(accounts - len(senders))]


def _make(accounts: int, directory: Path) -> None:
    """Write the first state, and say what that took."""
    from chain.blockchain import Blockchain, ChainConfig
    from chain.forks import Fork
    from chain.genesis import GenesisAccount, dev_genesis
    from chain.store import SqliteStore
    from tests.unit.chain.support import machine

    people = _people(accounts)[2]
    began = time.perf_counter()
    contract = GenesisAccount(nonce=1, code=CODE)
    genesis = dev_genesis(31337, Fork.PRAGUE, dict.fromkeys(people, 10**18), {CONTRACT: contract})
    Blockchain.open(ChainConfig(), genesis, SqliteStore(directory), machine()).close()
    made_s = time.perf_counter() - began
    _answer(made_s=made_s, peak_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def _serve(accounts: int, directory: Path) -> None:
    """Answer each line on standard input, a kind of block, with a line of what it cost."""
    import chain.blockchain as opened
    from chain.forks import Fork
    from chain.genesis import dev_genesis
    from chain.records import decode_block_row
    from chain.store import SqliteStore
    from chain.transaction import Tx, sign_tx
    from tests.unit.chain.support import machine

    keys, senders, people = _people(accounts)
    store = SqliteStore(directory)
    first = decode_block_row(store.reader[b"b" + store.reader[opened.HEAD_KEY]]).header
    # The state of block 0 is there: it is not made again to know its root.
    vars(opened)["write_genesis"] = lambda *_: first
    chain = opened.Blockchain.open(opened.ChainConfig(), dev_genesis(31337, Fork.PRAGUE), store, machine())
    chance = random.Random(SEED + 1)
    nonces = dict.fromkeys(senders, 0)
    fees: Any = {"max_priority_fee_per_gas": 10**9, "max_fee_per_gas": 10**12}
    for line in sys.stdin:
        raws = []
        for _ in range(TRANSFERS if line.strip() == KINDS[0] else WRITES):
            place = chance.randrange(len(senders))
            sender = senders[place]
            nonce = nonces[sender]
            nonces[sender] = nonce + 1
            if line.strip() == KINDS[0]:
                tx = Tx(2, 31337, nonce, 21_000, chance.choice(people), 1, b"", b"", **fees)
            else:
                tx = Tx(2, 31337, nonce, 80_000, CONTRACT, 0, chance.randbytes(32), b"", **fees)
            raws.append(sign_tx(tx, keys[place]).encode())
        cpu, clock = time.process_time(), time.perf_counter()
        txs = [chain.decode_transaction(raw) for raw in raws]
        decoded = time.process_time()
        built = chain.build_block(txs)
        end = time.process_time()
        _answer(**dict(zip(MEASURES, (end - cpu, time.perf_counter() - clock, end - decoded), strict=True)))
        if len(built.block.transactions) != len(txs) or any(made.status != "success" for made in built.outcomes):
            raise SystemExit("a transaction of the block failed")
    chain.close()


def _answer(**facts: float) -> None:
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


class _Child:
    def __init__(self, accounts: int, directory: Path) -> None:
        self.side = Side(accounts)
        self._directory = directory
        command = [sys.executable, "-m", "tests.bench.node_state", "--directory", str(directory)]
        made = subprocess.run(
            [*command, "--make", str(accounts)], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True, check=True
        )
        facts = json.loads(made.stdout)
        self.side.made_s, self.side.peak_mb = facts["made_s"], facts["peak_mb"]
        self._process = subprocess.Popen(
            [*command, "--serve", str(accounts)],
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def _read(self) -> dict[str, float]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the process with {self.side.accounts:,} accounts ended")
        facts: dict[str, float] = json.loads(line)
        return facts

    def block(self, kind: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(kind + "\n")
        self._process.stdin.flush()
        facts = self._read()
        for measure in MEASURES:
            self.side.seconds[kind, measure].append(facts[measure])

    def end(self) -> Side:
        pages = int(Path(f"/proc/{self._process.pid}/statm").read_text().split()[1])
        self.side.end_mb = pages * 4096 / 2**20
        self._process.communicate()
        self.side.size_mb = sum(path.stat().st_size for path in self._directory.iterdir()) / 2**20
        return self.side


def compare(sizes: Sequence[int], blocks: int) -> list[Side]:
    """Blocks on states of these sizes, in turns."""
    with tempfile.TemporaryDirectory() as directory:
        children = []
        for accounts in sizes:
            place = Path(directory) / str(accounts)
            place.mkdir()
            children.append(_Child(accounts, place))
        for number in range(blocks):
            for kind in KINDS:
                # Whoever was second last time is first now.
                for child in children if number % 2 else reversed(children):
                    child.block(kind)
        return [child.end() for child in children]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs=2, default=[1_000, 1_000_000])
    parser.add_argument("--blocks", type=int, default=BLOCKS)
    parser.add_argument("--make", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--serve", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--directory", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.make is not None:
        _make(options.make, options.directory)
        return 0
    if options.serve is not None:
        _serve(options.serve, options.directory)
        return 0
    small, large = compare(options.sizes, WARM_UP + options.blocks)
    for side in (small, large):
        print(
            f"{side.accounts:>9,} accounts: written in {side.made_s:.1f} s, {side.peak_mb:.0f} MB at the most, "
            f"{side.end_mb:.0f} MB at the end, {side.size_mb:.0f} MB on disk"
        )
    for kind in KINDS:
        for measure in MEASURES:
            first, second = small.median(kind, measure), large.median(kind, measure)
            print(
                f"block of {kind}, {measure}: {first * 1e3:.2f} ms, {second * 1e3:.2f} ms, ratio {second / first:.2f}"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
