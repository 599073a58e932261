"""Gas as a contract sees it."""

from __future__ import annotations

from ewasm.eei.frame import Frame
from ewasm.errors import ArgumentOutOfRange

_SIGN_I64 = 1 << 63


def use_gas(frame: Frame, gas: int) -> None:
    """Charge `gas`; its use in 2018 was metering by hand. A negative amount would mint gas, so it fails."""
    if gas & _SIGN_I64:
        raise ArgumentOutOfRange("useGas of a negative amount")
    frame.charge_gas(gas)


def get_gas_left(frame: Frame) -> int:
    """Whole gas left once this call is paid for, fractions dropped."""
    frame.charge(frame.prices["context"])
    return frame.gas_left
