"""Code of the system contracts as their EIPs deploy it (4788, 2935, 7002, 7251), and what a block's calls to it do.

`run_known` does in Python what the code would do, where the code is the EIP's own; tests hold one against the other.
"""

from __future__ import annotations

from typing import Any

__all__ = [
    "BEACON_ROOTS",
    "CONSOLIDATION_REQUESTS",
    "HISTORY_STORAGE",
    "SYSTEM_CODE",
    "WITHDRAWAL_REQUESTS",
    "run_known",
]

BEACON_ROOTS = bytes.fromhex("000f3df6d732807ef1319fb7b8bb8522d0beac02")
HISTORY_STORAGE = bytes.fromhex("0000f90827f1c53a10cb7a02335b175320002935")
WITHDRAWAL_REQUESTS = bytes.fromhex("00000961ef480eb55e80d19ad83579a64c007002")
CONSOLIDATION_REQUESTS = bytes.fromhex("0000bbddc7ce488642fb579f8b00f3a590007251")

RING_SLOTS = 8_191

SYSTEM_CODE: dict[bytes, bytes] = {
    # EIP-4788
    bytes.fromhex("000f3df6d732807ef1319fb7b8bb8522d0beac02"): bytes.fromhex(
        "3373fffffffffffffffffffffffffffffffffffffffe14604d57602036146024575f5ffd5b5f35801560495762001fff"
        "810690815414603c575f5ffd5b62001fff01545f5260205ff35b5f5ffd5b62001fff42064281555f359062001fff0155"
        "00"
    ),
    # EIP-2935
    bytes.fromhex("0000f90827f1c53a10cb7a02335b175320002935"): bytes.fromhex(
        "3373fffffffffffffffffffffffffffffffffffffffe14604657602036036042575f35600143038111604257611fff81"
        "430311604257611fff9006545f5260205ff35b5f5ffd5b5f35611fff60014303065500"
    ),
    # EIP-7002
    bytes.fromhex("00000961ef480eb55e80d19ad83579a64c007002"): bytes.fromhex(
        "3373fffffffffffffffffffffffffffffffffffffffe1460cb5760115f54807fffffffffffffffffffffffffffffffff"
        "ffffffffffffffffffffffffffffffff146101f457600182026001905f5b5f8211156068578101908302848302900491"
        "6001019190604d565b909390049250505036603814608857366101f457346101f4575f5260205ff35b34106101f45760"
        "0154600101600155600354806003026004013381556001015f35815560010160203590553360601b5f5260385f601437"
        "604c5fa0600101600355005b6003546002548082038060101160df575060105b5f5b8181146101835782810160030260"
        "040181604c02815460601b8152601401816001015481526020019060020154807fffffffffffffffffffffffffffffff"
        "ff00000000000000000000000000000000168252906010019060401c908160381c81600701538160301c816006015381"
        "60281c81600501538160201c81600401538160181c81600301538160101c81600201538160081c816001015353600101"
        "60e1565b910180921461019557906002556101a0565b90505f6002555f6003555b5f54807fffffffffffffffffffffff"
        "ffffffffffffffffffffffffffffffffffffffffff14156101cd57505f5b6001546002828201116101e25750505f6101"
        "e8565b01600290035b5f555f600155604c025ff35b5f5ffd"
    ),
    # EIP-7251
    bytes.fromhex("0000bbddc7ce488642fb579f8b00f3a590007251"): bytes.fromhex(
        "3373fffffffffffffffffffffffffffffffffffffffe1460d35760115f54807fffffffffffffffffffffffffffffffff"
        "ffffffffffffffffffffffffffffffff1461019a57600182026001905f5b5f8211156068578101908302848302900491"
        "6001019190604d565b9093900492505050366060146088573661019a573461019a575f5260205ff35b341061019a5760"
        "0154600101600155600354806004026004013381556001015f358155600101602035815560010160403590553360601b"
        "5f5260605f60143760745fa0600101600355005b6003546002548082038060021160e7575060025b5f5b818114610129"
        "5782810160040260040181607402815460601b8152601401816001015481526020018160020154815260200190600301"
        "54905260010160e9565b910180921461013b5790600255610146565b90505f6002555f6003555b5f54807fffffffffff"
        "ffffffffffffffffffffffffffffffffffffffffffffffffffffff141561017357505f5b600154600182820111610188"
        "5750505f61018e565b01600190035b5f555f6001556074025ff35b5f5ffd"
    ),
}


def run_known(state: Any, address: bytes, code: bytes, data: bytes) -> bytes | None:
    """What the code answers to the system's own call at the start or end of a block, its writes done.

    Args:
        state: py-evm's state.
        address: Of the contract.
        code: What stands there.
        data: 32 bytes for the first two contracts, empty for the others.

    Returns:
        The output, or None (and nothing written) where the code has to run: other code, or requests that wait.
    """
    if code != SYSTEM_CODE.get(address):
        return None
    if address == BEACON_ROOTS:
        slot = state.timestamp % RING_SLOTS
        state.set_storage(address, slot, state.timestamp)
        state.set_storage(address, slot + RING_SLOTS, int.from_bytes(data, "big"))
    elif address == HISTORY_STORAGE:
        state.set_storage(address, (state.block_number - 1) % RING_SLOTS, int.from_bytes(data, "big"))
    elif any(state.get_storage(address, slot) for slot in range(4)):
        # Excess, count, head and tail of a queue: all zero as long as nobody has asked for anything.
        return None
    return b""
