"""One case of a campaign: a contract, its rules, and the message that starts it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ewasm.fuzz.generate import Below, generate_by
from ewasm.fuzz.world import message
from ewasm.message import Kind, Message
from ewasm.metering.schedule import SCHEDULES
from ewasm.rules import EWASM_2026, Rules

__all__ = ["GAS", "Case", "case_rules", "own_case"]

GAS = {"flat": 30_000, "design": 2_500, "EWASM_2026": 3_000}
"""Schedule -> gas: enough for most contracts to end, and little enough for the interpreter."""

_SIZES = (10, 40, 120)
_INPUT_BYTES = 64


@dataclass(frozen=True, slots=True)
class Case:
    """Attributes:
    source: What made it: "own" or "smith".
    short: Thousandths of the gas that the message's run used, with which it is run once more.
    """

    source: str
    code: bytes
    rules: Rules
    request: Message
    short: int


def case_rules(schedule: str, live_pages: int = EWASM_2026.limits.live_pages) -> Rules:
    """The rules of a case: EWASM_2026 with a schedule, room for memory, and the functions of `debug`."""
    limits = replace(EWASM_2026.limits, live_pages=live_pages)
    return replace(
        EWASM_2026, schedule=SCHEDULES[schedule], namespaces=EWASM_2026.namespaces | {"debug"}, limits=limits
    )


def own_case(below: Below) -> Case:
    """The case that these choices make."""
    schedule = tuple(GAS)[below(len(GAS))]
    # Seldom so little room that growing fails the frame.
    rules = case_rules(schedule, 2) if below(8) == 7 else case_rules(schedule)
    made_under = rules
    if below(4) < 3:
        # Not every engine has wide arithmetic: most cases should be for all.
        made_under = replace(rules, features=rules.features - {"wide_arithmetic"})
    code = generate_by(below, made_under, _SIZES[below(len(_SIZES))])
    gas = GAS[schedule]
    data = below(1 << 8 * _INPUT_BYTES).to_bytes(_INPUT_BYTES, "little")
    way = below(16)
    if way == 14:
        request = message(gas=gas + rules.activation_gas(code), kind=Kind.CREATE)
    else:
        request = message(gas=gas, input_data=data, is_static=way == 15)
    return Case("own", code, rules, request, below(1_000))
