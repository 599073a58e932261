"""A campaign: cases by seed, each compared on all engines, and what differs made small.

A case runs twice: with its gas, and with a random part of what that run used, where the run has to fail (or not, if
what it needs less of is behind its last observation) on every engine alike. The metering of each contract is proven.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from ewasm.contract import Contract, check
from ewasm.engine.native import instrument_contract
from ewasm.errors import ModuleError
from ewasm.fuzz.case import Case
from ewasm.fuzz.oracle import compare, observer
from ewasm.fuzz.shrink import shrink
from ewasm.fuzz.v8 import NotComparable
from ewasm.metering.prove import Unproven, prove

__all__ = ["SOURCES", "Finding", "Source", "Verdict", "examine", "make_sources", "run_campaign", "shrunk"]

SOURCES = ("own", "smith")


class Source(Protocol):
    """Something that makes cases by seed."""

    @property
    def name(self) -> str: ...

    def make(self, seed: int) -> Case: ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one case.

    Attributes:
        reasons: What differs; empty if all is well.
        outcome: How it ended on the reference engine, with its gas.
        short: How it ended there with less.
        not_comparable: Engine -> why it was left out.
        host_calls: How many were compared.
    """

    reasons: tuple[str, ...]
    outcome: str = "none"
    short: str = "none"
    not_comparable: dict[str, str] = field(default_factory=dict)
    host_calls: int = 0


@dataclass(frozen=True, slots=True)
class Finding:
    """A case that differs."""

    seed: int
    case: Case
    reasons: tuple[str, ...]


def make_sources(names: Sequence[str]) -> tuple[Source, ...]:
    """
    Raises:
        RuntimeError: What a source needs is not installed.
    """
    made: list[Source] = []
    if "own" in names:
        try:
            from ewasm.fuzz.strategies import OwnSource
        except ImportError:
            raise RuntimeError("hypothesis is not installed: pip install hypothesis (or --source smith)") from None
        made.append(OwnSource())
    if "smith" in names:
        from ewasm.fuzz.smith import SmithSource

        made.append(SmithSource())
    return tuple(made)


def run_campaign(
    seeds: range, sources: Sequence[Source], engines: Sequence[str]
) -> Iterator[tuple[int, Case, Verdict]]:
    """Make and examine the case of each seed; sources take turns by seed, so that a seed alone names its case."""
    for seed in seeds:
        source = sources[seed % len(sources)]
        for other in sources:
            if hasattr(other, "ahead"):
                other.ahead(range(seed + (sources.index(other) - seed) % len(sources), seeds.stop, len(sources)))
        case = source.make(seed)
        yield seed, case, examine(case, engines)


def examine(case: Case, engines: Sequence[str]) -> Verdict:
    """Run a case on the engines, the first of which is the reference."""
    try:
        contract = check(case.code, case.rules)
    except ModuleError as error:
        return Verdict((f"the source made what the gate refuses: {error}",))
    metered = instrument_contract(contract, case.rules)
    try:
        prove(contract.valid, metered, contract.schedule, stack_height=case.rules.limits.stack_height)
    except Unproven as error:
        return Verdict((f"metering not proven: {error}",))
    try:
        return _run(case, contract, engines)
    except RuntimeError as error:
        return Verdict((f"fault: {error}",))


def _run(case: Case, contract: Contract, engines: Sequence[str]) -> Verdict:
    first, *others = engines
    reference = observer(case.code, first, case.rules, contract)
    whole = reference(case.request)
    used = whole.result.gas_used
    short_request = replace(case.request, gas=used * case.short // 1_000)
    short = reference(short_request)
    reasons: list[str] = []
    left_out: dict[str, str] = {}
    for engine in others:
        run = observer(case.code, engine, case.rules, contract)
        try:
            reasons += [f"{engine}: {found}" for found in compare(whole, run(case.request))]
            reasons += [f"{engine}, {short_request.gas} gas: {found}" for found in compare(short, run(short_request))]
        except NotComparable as reason:
            left_out[engine] = str(reason)
        except RuntimeError as error:
            reasons.append(f"{engine}: fault: {error}")
    calls = len(whole.calls) + len(short.calls)
    return Verdict(tuple(reasons), whole.result.status.value, short.result.status.value, left_out, calls)


def shrunk(finding: Finding, source: Source, engines: Sequence[str]) -> Case:
    """The smallest case found that still differs on these engines."""

    def fails(case: Case) -> bool:
        verdict = examine(case, engines)
        return bool(verdict.reasons) and not verdict.reasons[0].startswith("the source made")

    case = finding.case
    smaller: Callable[[int, Callable[[Case], bool]], Case] | None = getattr(source, "smaller", None)
    if smaller is not None:
        # Hypothesis leaves out choices; what is left over is cut from the module below.
        case = smaller(finding.seed, fails)
    return replace(case, code=shrink(case.code, lambda code: fails(replace(case, code=code))))
