"""Metering: what running a module costs, written into the module itself.

Enters: a `ValidModule` and a `Schedule`. Leaves: a `MeteredModule` whose own code counts gas (and stack height) so that
an engine needs no support for either. The rule is PROTOCOL section 3: gas is exact whenever it can be seen (a host
call, memory.grow, the end of a frame); between such points charges may move.

Reading order: `schedule` (prices, data only), `blocks` (where charges go), `stack_height` (which functions count),
`inject` (the rewriting). Must not import anything of Ethereum or of an engine.
"""

from ewasm.metering.inject import MeteredModule, instrument

__all__ = ["MeteredModule", "instrument"]
