"""Gas of the examples, step by step: the file gas.json, and the tables of README.md.

    python -m contracts.measure          print the tables
    python -m contracts.measure --write  write gas.json, and the tables into README.md
    python -m contracts.measure --check  compare with both; what became dearer or cheaper is printed

Gas is that of whole transactions on Prague; what instructions cost of it is kept beside it.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from chain.transition import Executed
from contracts.build import FOLDER
from contracts.world import ALICE, BOB, CAROL, World, artifact
from ewasm.initcode import with_arguments, wrap_runtime

__all__ = ["EVM_TOKENS", "TOKENS", "differences", "readme", "snapshot", "tables"]

Gas = dict[str, dict[str, list[int]]]

TOKENS = {
    "C": "erc20/erc20.wasm",
    "Zig": "erc20_zig/erc20.wasm",
    "AssemblyScript": "erc20_as/erc20.wasm",
    "Rust": "erc20_rust/erc20.wasm",
    "Solidity": "erc20_solidity/erc20.wasm",
}
EVM_TOKENS = {"Solidity, EVM": "erc20_solidity/erc20.bin", "Vyper, EVM": "evm/token.bin"}
HASHERS = {"C": "sha256", "Zig": "sha256_zig", "AssemblyScript": "sha256_as", "Rust": "sha256_rust"}
STEPS = ("deploy", "transfer", "approve", "transferFrom", "balanceOf")
# Gas of an ERC-20 on Arbitrum Stylus and of one in Solidity beside it, from github.com/LimeChain/stylus-benchmark.
STYLUS = {"transfer": (37_417, 35_000), "approve": (31_573, 27_005), "transferFrom": (44_683, 41_212)}
MARKS = ("<!-- measured: {} -->", "<!-- end -->")
ENDLESS = 2**256 - 1
TOKEN_ARGUMENTS = encode(["string", "string", "uint256"], ["Gold", "GLD", 10**24])


class Meter:
    """Runs transactions that must succeed and notes their gas: of the whole, and of instructions."""

    def __init__(self, engine: str) -> None:
        self.world = World(engine)
        self.steps: dict[str, list[int]] = {}

    def note(self, step: str, done: Executed, fails: bool = False) -> bytes:
        if (done.error is None) is fails:
            raise ValueError(f"{step}: {done.error}")
        self.steps[step] = [done.gas_used, done.split.instructions]
        return done.created or bytes(done.output)

    def deploy(self, step: str, code: bytes) -> bytes:
        return self.note(step, self.world.send(None, code))

    def call(self, step: str, to: bytes, signature: str, *values: Any, **how: Any) -> bytes:
        return self.note(step, self.world.call(to, signature, *values, **how))


def _creation(file: str, arguments: bytes = b"") -> bytes:
    """What deploys an artifact: EVM init code, a module with its constructor, or a wrapped one without."""
    code = artifact(file)
    if file.endswith(".bin"):
        return code + arguments
    return with_arguments(code, arguments) if arguments else wrap_runtime(code)


def _token(meter: Meter, file: str) -> None:
    token = meter.deploy("deploy", _creation(file, TOKEN_ARGUMENTS))
    meter.call("transfer", token, "transfer(address,uint256)", BOB, 250)
    meter.call("approve", token, "approve(address,uint256)", BOB, 250)
    meter.call("transferFrom", token, "transferFrom(address,address,uint256)", ALICE, CAROL, 100, sender=BOB)
    meter.call("balanceOf", token, "balanceOf(address)", ALICE)


def _hasher(meter: Meter, file: str) -> None:
    hasher = meter.deploy("deploy", _creation(f"sha256/{file}.wasm"))
    for size in (0, 1_000):
        meter.note(f"{size} bytes", meter.world.send(hasher, b"a" * size))


def _erc721(meter: Meter) -> None:
    nft = meter.deploy("deploy", _creation("erc721/erc721.wasm", encode(["string", "string"], ["Deeds", "DEED"])))
    meter.call("mint", nft, "mint(address,uint256)", ALICE, 7)
    meter.call("approve", nft, "approve(address,uint256)", BOB, 7)
    meter.call("transferFrom", nft, "transferFrom(address,address,uint256)", ALICE, BOB, 7, sender=BOB)
    meter.call("safeTransferFrom", nft, "safeTransferFrom(address,address,uint256)", BOB, CAROL, 7, sender=BOB)
    meter.call("setApprovalForAll", nft, "setApprovalForAll(address,bool)", BOB, True)


def _factory(meter: Meter) -> None:
    factory = meter.deploy("deploy", _creation("factory/factory.wasm"))
    code = wrap_runtime(artifact("counter/counter.wasm"))
    meter.call("make", factory, "make(bytes)", code)
    meter.call("make2", factory, "make2(bytes,bytes32)", code, b"s" * 32)
    meter.call("addressOf", factory, "addressOf(bytes,bytes32)", code, b"s" * 32)


def _proxy(meter: Meter) -> None:
    first, second = (meter.world.deploy(_creation(f"{name}.wasm")) for name in ("counter/counter", "proxy/counter_by"))
    proxy = meter.deploy("deploy", _creation("proxy/proxy.wasm", encode(["address", "bytes"], [first, b""])))
    meter.call("first increment", proxy, "increment()")
    meter.call("increment", proxy, "increment()")
    meter.call("increment without the proxy", first, "increment()")
    meter.call("upgradeTo", proxy, "upgradeTo(address)", second)


def _multisig(meter: Meter) -> None:
    arguments = encode(["address[]", "uint256"], [[ALICE, BOB, CAROL], 2])
    wallet = meter.deploy("deploy", _creation("multisig/multisig.wasm", arguments))
    meter.note("receive wei", meter.world.send(wallet, b"", value=5))
    which = meter.world.read(wallet, "hashOf(address,uint256,bytes)(bytes32)", CAROL, 5, b"")
    meter.call("first confirm", wallet, "confirm(bytes32)", which)
    meter.call("revoke", wallet, "revoke(bytes32)", which)
    meter.call("confirm again", wallet, "confirm(bytes32)", which)
    meter.call("second confirm", wallet, "confirm(bytes32)", which, sender=BOB)
    meter.call("execute", wallet, "execute(address,uint256,bytes)", CAROL, 5, b"")


def _exchange(meter: Meter) -> None:
    world = meter.world
    gold = world.deploy(_creation("erc20/erc20.wasm", TOKEN_ARGUMENTS))
    silver = world.deploy(_creation("evm/token.bin", TOKEN_ARGUMENTS))
    market = meter.deploy("deploy", _creation("exchange/exchange.wasm", encode(["address"] * 2, [gold, silver])))
    for token in (gold, silver):
        world.call(token, "approve(address,uint256)", market, ENDLESS)
    meter.call("first addLiquidity", market, "addLiquidity(uint256,uint256,uint256)", 10**20, 10**20, 0)
    meter.call("addLiquidity", market, "addLiquidity(uint256,uint256,uint256)", 10**18, 10**18, 10**18)
    meter.call("swap Wasm for EVM", market, "swap(address,uint256,uint256)", gold, 10**18, 1)
    meter.call("swap EVM for Wasm", market, "swap(address,uint256,uint256)", silver, 10**18, 1)
    meter.call("quote", market, "quote(address,uint256)", gold, 10**18)
    meter.call("removeLiquidity", market, "removeLiquidity(uint256,uint256,uint256)", 10**18, 1, 1)


def _bn128(meter: Meter) -> None:
    curve = meter.deploy("deploy", _creation("bn128/bn128.wasm"))
    g, k = (1, 2), 2**255 - 19
    meter.call("add", curve, "add(uint256,uint256,uint256,uint256)", *g, *g)
    meter.call("mul", curve, "mul(uint256,uint256,uint256)", *g, k)
    for name, number, values in (("add", 6, (*g, *g)), ("mul", 7, (*g, k))):
        data = b"".join(value.to_bytes(32, "big") for value in values)
        meter.note(f"precompile {name}", meter.world.send(bytes(19) + bytes([number]), data))


def _reentrancy(meter: Meter, ending: str) -> None:
    for guarded in (0, 1):
        bank = meter.deploy("deploy bank", _creation(f"reentrancy/bank.{ending}", guarded.to_bytes(32, "big")))
        meter.call("deposit", bank, "deposit()", value=500)
        code = _creation(f"reentrancy/attacker.{ending}", bank.rjust(32, b"\0"))
        thief = meter.deploy("deploy attacker", code)
        done = meter.world.call(thief, "attack()", value=100)
        meter.note("attack refused" if guarded else "attack", done, fails=bool(guarded))


def _evm(meter: Meter) -> None:
    library = meter.deploy("deploy library", artifact("evm/root.bin"))
    text = (FOLDER / "evm/roots.bin").read_text()
    place = "__$" + keccak(text="roots.sol:Root").hex()[:34] + "$__"
    roots = meter.deploy("deploy its user", bytes.fromhex(text.replace(place, library.hex())))
    meter.call("rootOf", roots, "rootOf(uint256)", 10**40)
    counter = meter.world.deploy(_creation("counter/counter.wasm"))
    clones = meter.deploy("deploy clones", artifact("evm/clones.bin"))
    clone = meter.call("clone", clones, "clone(address)", counter)[12:]
    meter.call("first increment through a clone", clone, "increment()")
    relay = meter.deploy("deploy relay", artifact("evm/relay.bin") + counter.rjust(32, b"\0"))
    meter.call("first increment through a relay", relay, "increment()")


SCENARIOS: dict[str, Callable[[Meter], None]] = {
    **{f"ERC-20, {name}": partial(_token, file=file) for name, file in (TOKENS | EVM_TOKENS).items()},
    **{f"SHA-256, {name}": partial(_hasher, file=file) for name, file in HASHERS.items()},
    "ERC-721": _erc721,
    "factory": _factory,
    "proxy": _proxy,
    "multisig": _multisig,
    "exchange": _exchange,
    "alt_bn128": _bn128,
    "reentrancy, Wasm": partial(_reentrancy, ending="wasm"),
    "reentrancy, EVM": partial(_reentrancy, ending="bin"),
    "EVM contracts": _evm,
}


def snapshot(engine: str = "native") -> Gas:
    """[gas, gas of instructions] of every step of every example."""
    found: Gas = {}
    for name, run in SCENARIOS.items():
        meter = Meter(engine)
        run(meter)
        found[name] = meter.steps
    return found


def _row(name: str, file: str, steps: dict[str, list[int]], wanted: tuple[str, ...]) -> str:
    cells = [f"{steps[step][0]:,}" + (f" ({steps[step][1]:,})" if steps[step][1] else "") for step in wanted]
    return f"| {name} | {len(artifact(file)):,} | {' | '.join(cells)} |"


def _stylus(gas: Gas) -> list[str]:
    """How far tokens are from Solidity's on the EVM, there and here."""

    def row(name: str, pairs: list[tuple[int, int]]) -> str:
        return f"| {name} | " + " | ".join(f"{(this - that) / that:+.1%}" for this, that in pairs) + " |"

    solidity = gas["ERC-20, Solidity, EVM"]
    lines = [f"| against Solidity on the EVM | {' | '.join(STYLUS)} |", "|---" * (1 + len(STYLUS)) + "|"]
    lines.append(row("Stylus, there", list(STYLUS.values())))
    for name in TOKENS:
        steps = gas[f"ERC-20, {name}"]
        lines.append(row(f"{name}, here", [(steps[step][0], solidity[step][0]) for step in STYLUS]))
    return lines


def tables(gas: Gas) -> dict[str, list[str]]:
    """Lines of Markdown, by the mark they stand behind."""
    tokens = [f"| language | bytes | {' | '.join(STEPS)} |", "|---" * (2 + len(STEPS)) + "|"]
    tokens += [_row(name, file, gas[f"ERC-20, {name}"], STEPS) for name, file in (TOKENS | EVM_TOKENS).items()]
    hashers = ["| language | bytes | deploy | 0 bytes | 1000 bytes |", "|---|---|---|---|---|"]
    for name, file in HASHERS.items():
        steps = gas[f"SHA-256, {name}"]
        hashers.append(_row(name, f"sha256/{file}.wasm", steps, ("deploy", "0 bytes", "1000 bytes")))
    others = ["| example | step | gas | of instructions |", "|---|---|---|---|"]
    for name, steps in gas.items():
        if not name.startswith(("ERC-20", "SHA-256")):
            others += [f"| {name} | {step} | {whole:,} | {part:,} |" for step, (whole, part) in steps.items()]
    return {"tokens": tokens, "stylus": _stylus(gas), "hashers": hashers, "examples": others}


def readme(gas: Gas) -> str:
    """The text of README.md with these tables in it."""
    text = (FOLDER / "README.md").read_text()
    for name, lines in tables(gas).items():
        start, end = MARKS[0].format(name), MARKS[1]
        before, rest = text.split(start + "\n", 1)
        text = before + "\n".join([start, *lines, ""]) + rest[rest.index(end) :]
    return text


def differences(gas: Gas) -> list[str]:
    """What is not as gas.json has it."""
    kept = json.loads((FOLDER / "gas.json").read_text())
    found = []
    for name in kept.keys() | gas.keys():
        old, new = kept.get(name, {}), gas.get(name, {})
        steps = [step for step in old.keys() | new.keys() if old.get(step) != new.get(step)]
        found += [f"{name}, {step}: {old.get(step)} -> {new.get(step)}" for step in steps]
    return sorted(found)


def _json(gas: Gas) -> str:
    blocks = []
    for name, steps in gas.items():
        lines = ",\n".join(f"    {json.dumps(step)}: {json.dumps(pair)}" for step, pair in steps.items())
        blocks.append(f"  {json.dumps(name)}: {{\n{lines}\n  }}")
    return "{\n" + ",\n".join(blocks) + "\n}\n"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m contracts.measure", description="Gas of the examples.")
    parser.add_argument("--write", action="store_true", help="write gas.json, and the tables into README.md")
    parser.add_argument("--check", action="store_true", help="compare with both")
    options = parser.parse_args()
    gas = snapshot()
    if options.write:
        (FOLDER / "gas.json").write_text(_json(gas))
        (FOLDER / "README.md").write_text(readme(gas))
    elif options.check:
        wrong = differences(gas)
        if readme(gas) != (FOLDER / "README.md").read_text():
            wrong.append("README.md: its tables are not current")
        print("\n".join(wrong) or "as expected")
        return 1 if wrong else 0
    else:
        print("\n\n".join("\n".join(lines) for lines in tables(gas).values()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
