"""Print the table of contracts/README.md: size and gas of each ERC-20.

python -m contracts.measure
"""

from __future__ import annotations

from eth_abi.abi import encode

from chain.forks import Fork
from chain.store import MemoryStore
from chain.transaction import Tx
from chain.transition import BlockEnv, Executed, apply_tx, open_state
from chain.trie import EMPTY_ROOT
from contracts.build import FOLDER
from ewasm.cli.abi import parse_signature
from ewasm.initcode import with_arguments
from ewasm.rules import EWASM_2026
from ewasm.vm import VM

__all__ = ["TOKENS", "table"]

TOKENS = {"C": "erc20/erc20.wasm", "Zig": "erc20_zig/erc20.wasm", "AssemblyScript": "erc20_as/erc20.wasm"}
OWNER, FRIEND = bytes([0xA1]) * 20, bytes([0xB0]) * 20
GAS = 10_000_000
CALLS = (
    ("transfer(address,uint256)", (FRIEND, 250)),
    ("approve(address,uint256)", (FRIEND, 250)),
    ("balanceOf(address)", (OWNER,)),
)


def _cell(done: Executed) -> str:
    if done.error is not None:
        raise SystemExit(f"a transaction failed: {done.error}")
    return f"{done.gas_used:,} ({done.split.instructions:,})"


def table() -> list[str]:
    """Lines of Markdown."""
    env = BlockEnv(
        fork=Fork.PRAGUE,
        chain_id=1,
        number=1,
        timestamp=1,
        coinbase=bytes(20),
        gas_limit=GAS,
        base_fee=0,
        excess_blob_gas=0,
        blob_base_fee_override=1,
    )
    names = [signature.split("(")[0] for signature, _ in CALLS]
    lines = [f"| language | bytes | deploy | {' | '.join(names)} |", "|---" * (3 + len(CALLS)) + "|"]
    for language, file in TOKENS.items():
        state = open_state(env, VM(EWASM_2026, "native"), MemoryStore().writer, EMPTY_ROOT, (bytes(32),))
        module = (FOLDER / file).read_bytes()
        code = with_arguments(module, encode(["string", "string", "uint256"], ["Gold", "GLD", 1_000_000]))
        done = apply_tx(state, Tx(0, 1, 0, GAS, None, 0, code, OWNER, gas_price=0), env)
        address, cells = done.created, [_cell(done)]
        for nonce, (signature, values) in enumerate(CALLS, 1):
            parsed = parse_signature(signature)
            data = parsed.selector + encode(parsed.inputs, values)
            cells.append(_cell(apply_tx(state, Tx(0, 1, nonce, GAS, address, 0, data, OWNER, gas_price=0), env)))
        lines.append(f"| {language} | {len(module):,} | {' | '.join(cells)} |")
    return lines


if __name__ == "__main__":
    print("\n".join(table()))
