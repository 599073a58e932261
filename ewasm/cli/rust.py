"""Rust sources to modules, with rustc alone: no cargo, no network.

The target is `wasm32v1-none`: MVP instructions and nothing under `core`. Where a toolchain lacks it but has the sources
of its library (rustup's component `rust-src`, Debian's `rust-web-src`), `core` and `compiler_builtins` are built from
them once, in a quarter of a minute, and kept in the user's cache.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ewasm.sdk import FOLDER

__all__ = ["NO_RUST", "Toolchain", "compile_rust", "find_toolchain"]

TARGET = "wasm32v1-none"
NO_RUST = (
    f"no Rust for {TARGET}; run: rustup target add {TARGET}\n(or, with Debian's packages: apt-get install rustc-web "
    "rust-web-src, from whose sources the library is then built once; $RUSTC names another rustc)"
)
CODE_FLAGS = ("--target", TARGET, "-Cpanic=abort", "-Ccodegen-units=1", "-Cembed-bitcode=yes")
OPTIMIZE = "z"

# How to run a command in a folder; what went wrong is told about the source.
Run = Callable[[Sequence[str], Path, Path], None]


@dataclass(frozen=True, slots=True)
class Toolchain:
    rustc: str
    version: str
    """As `rustc --version` says it, such as 1.96.0."""
    library: Path | None
    """The sources of the library, where the target has to be built from them; None if it is installed."""


def _asked(rustc: str, *question: str) -> str:
    try:
        done = subprocess.run([rustc, *question], capture_output=True, text=True, check=False, timeout=60)
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _candidates() -> Iterator[str]:
    """$RUSTC alone, if it is set; else every rustc on the PATH and rustup's and the system's place."""
    if named := os.environ.get("RUSTC"):
        yield named
        return
    places = [*os.environ.get("PATH", "").split(os.pathsep), str(Path.home() / ".cargo" / "bin"), "/usr/bin"]
    seen = set()
    for place in places:
        found = shutil.which("rustc", path=place)
        if found is not None and found not in seen:
            seen.add(found)
            yield found


@cache
def find_toolchain() -> Toolchain | None:
    """The first rustc that has the target or can build it."""
    for rustc in _candidates():
        version = re.match(r"rustc (\S+)", _asked(rustc, "--version"))
        sysroot = _asked(rustc, "--print", "sysroot")
        if version is None or not sysroot:
            continue
        installed = Path(sysroot, "lib", "rustlib")
        library = installed / "src" / "rust" / "library"
        if (installed / TARGET / "lib").is_dir():
            return Toolchain(rustc, version[1], None)
        if (library / "core" / "src" / "lib.rs").is_file() and (library / "compiler-builtins").is_dir():
            return Toolchain(rustc, version[1], library.resolve())
    return None


def _library(toolchain: Toolchain, sources: Path, run: Run) -> Path:
    """The folder with libcore.rlib and libcompiler_builtins.rlib, built unless it is there."""
    cache_home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache_home / "ewasm" / f"rust-{toolchain.version}-{TARGET}"
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        made = Path(scratch, "made")
        made.mkdir()
        # The library uses what only the compiler's own build may use; the variable says that this is one.
        common = ["env", "RUSTC_BOOTSTRAP=1", toolchain.rustc, "--edition=2024", "--crate-type=rlib", *CODE_FLAGS]
        common += ["-Copt-level=s", "--cap-lints=allow", f"--remap-path-prefix={sources}=/library"]
        core, builtins = (sources / name / "src" / "lib.rs" for name in ("core", "compiler-builtins/compiler-builtins"))
        run([*common, "--crate-name=core", "-o", str(made / "libcore.rlib"), str(core)], made, core)
        features = ["--cfg", 'feature="compiler-builtins"', "--cfg", 'feature="mem"']
        out = ["--extern", f"core={made / 'libcore.rlib'}", "-o", str(made / "libcompiler_builtins.rlib")]
        run([*common, "--crate-name=compiler_builtins", *features, *out, str(builtins)], made, builtins)
        try:
            made.rename(folder)
        except OSError:
            # Another process was faster; its result is the same.
            if not folder.is_dir():
                raise
    return folder


def compile_rust(source: Path, out: Path, toolchain: Toolchain, link: Sequence[str], optimize: str, run: Run) -> None:
    """Build a module from a source that uses the crate `ewasm`.

    Args:
        source: The contract: `#![no_std]`, `#![no_main]`, `main` and perhaps `deploy` as `#[no_mangle] extern "C"`.
        out: Where the module goes.
        toolchain: What find_toolchain found.
        link: The linker and its flags.
        optimize: Level such as "z" or "3"; nothing for the usual one.
        run: Runs a command; its errors pass through.
    """
    crate = FOLDER / "rust" / "src" / "lib.rs"
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        common = [toolchain.rustc, *CODE_FLAGS, f"-Copt-level={optimize or OPTIMIZE}"]
        common += [f"--remap-path-prefix={crate.parent}=/ewasm", f"--remap-path-prefix={source.parent}=/contract"]
        if toolchain.library is not None:
            common += ["-L", str(_library(toolchain, toolchain.library, run))]
        made = scratch / "libewasm.rlib"
        run(
            [*common, "--edition=2021", "--crate-name=ewasm", "--crate-type=rlib", "-o", str(made), str(crate)],
            scratch,
            crate,
        )
        archive = scratch / "libcontract.a"
        flags = ["--edition=2021", "--crate-name=contract", "--crate-type=staticlib", "-Clto=fat", "-Dwarnings"]
        run([*common, *flags, "--extern", f"ewasm={made}", "-o", str(archive), str(source)], scratch, source)
        exports = ["--export=main", "--export-if-defined=deploy"]
        run([*link, *exports, "-o", str(out), str(archive)], scratch, source)
