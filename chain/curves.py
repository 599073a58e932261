"""The precompiles over elliptic curves, in place of the base's, which are in Python and take minutes for a block.

Prices and failures are those of the EIPs, and so the base's: a malformed input takes all gas of the frame.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from eth.exceptions import VMError

from chain import bls12_381, bn128
from chain.forks import Fork

__all__ = ["curve_precompiles"]

Precompile = Callable[[Any], Any]
Price = Callable[[int], int]
"""Gas for the length of the input in bytes; ValueError for a length that there is not."""

MSM_MULTIPLIER = 1_000
# EIP-2537: thousandths of the price of so many single multiplications, for 1 to 128 of them and more.
G1_DISCOUNTS = (
    1000, 949, 848, 797, 764, 750, 738, 728, 719, 712, 705, 698, 692, 687, 682, 677,
    673, 669, 665, 661, 658, 654, 651, 648, 645, 642, 640, 637, 635, 632, 630, 627,
    625, 623, 621, 619, 617, 615, 613, 611, 609, 608, 606, 604, 603, 601, 599, 598,
    596, 595, 593, 592, 591, 589, 588, 586, 585, 584, 582, 581, 580, 579, 577, 576,
    575, 574, 573, 572, 570, 569, 568, 567, 566, 565, 564, 563, 562, 561, 560, 559,
    558, 557, 556, 555, 554, 553, 552, 551, 550, 549, 548, 547, 547, 546, 545, 544,
    543, 542, 541, 540, 540, 539, 538, 537, 536, 536, 535, 534, 533, 532, 532, 531,
    530, 529, 528, 528, 527, 526, 525, 525, 524, 523, 522, 522, 521, 520, 520, 519,
)  # fmt: skip
G2_DISCOUNTS = (
    1000, 1000, 923, 884, 855, 832, 812, 796, 782, 770, 759, 749, 740, 732, 724, 717,
    711, 704, 699, 693, 688, 683, 679, 674, 670, 666, 663, 659, 655, 652, 649, 646,
    643, 640, 637, 634, 632, 629, 627, 624, 622, 620, 618, 615, 613, 611, 609, 607,
    606, 604, 602, 600, 598, 597, 595, 593, 592, 590, 589, 587, 586, 584, 583, 582,
    580, 579, 578, 576, 575, 574, 573, 571, 570, 569, 568, 567, 566, 565, 563, 562,
    561, 560, 559, 558, 557, 556, 555, 554, 553, 552, 552, 551, 550, 549, 548, 547,
    546, 545, 545, 544, 543, 542, 541, 541, 540, 539, 538, 537, 537, 536, 535, 535,
    534, 533, 532, 532, 531, 530, 530, 529, 528, 528, 527, 526, 526, 525, 524, 524,
)  # fmt: skip


def _precompile(name: str, price: Price, run: Callable[[bytes], bytes]) -> Precompile:
    def precompile(computation: Any) -> Any:
        data = computation.msg.data_as_bytes
        try:
            gas = price(len(data))
        except ValueError as error:
            raise VMError(f"{name}: {error}") from error
        computation.consume_gas(gas, reason=name)
        try:
            computation.output = run(data)
        except ValueError as error:
            raise VMError(f"{name}: {error}") from error
        return computation

    return precompile


def _fixed(gas: int, size: int | None = None) -> Price:
    """One price; for inputs of one size, if there is one."""

    def price(length: int) -> int:
        if size is not None and length != size:
            raise ValueError(f"{length} bytes where there should be {size}")
        return gas

    return price


def _counted(length: int, size: int) -> int:
    count, rest = divmod(length, size)
    if rest or not count:
        raise ValueError(f"{length} bytes are not one or more times {size}")
    return count


def _msm_price(gas: int, size: int, discounts: tuple[int, ...]) -> Price:
    def price(length: int) -> int:
        count = _counted(length, size)
        return count * gas * discounts[min(count, len(discounts)) - 1] // MSM_MULTIPLIER

    return price


def _pairing_price(length: int) -> int:
    return 32_600 * _counted(length, 384) + 37_700


_BLS12_381 = {
    0x0B: _precompile("BLS12_G1ADD", _fixed(375, 256), bls12_381.g1_add),
    0x0C: _precompile("BLS12_G1MSM", _msm_price(12_000, 160, G1_DISCOUNTS), bls12_381.g1_msm),
    0x0D: _precompile("BLS12_G2ADD", _fixed(600, 512), bls12_381.g2_add),
    0x0E: _precompile("BLS12_G2MSM", _msm_price(22_500, 288, G2_DISCOUNTS), bls12_381.g2_msm),
    0x0F: _precompile("BLS12_PAIRING_CHECK", _pairing_price, bls12_381.pairing_check),
    0x10: _precompile("BLS12_MAP_FP_TO_G1", _fixed(5_500, 64), bls12_381.map_fp_to_g1),
    0x11: _precompile("BLS12_MAP_FP2_TO_G2", _fixed(23_800, 128), bls12_381.map_fp2_to_g2),
}


def _bn128(add_gas: int, mul_gas: int, pairing_gas: int, pair_gas: int) -> dict[int, Precompile]:
    def pairing_price(length: int) -> int:
        if length % bn128.PAIR_BYTES:
            raise ValueError(f"{length} bytes are not a multiple of {bn128.PAIR_BYTES}")
        return pairing_gas + pair_gas * (length // bn128.PAIR_BYTES)

    return {
        0x06: _precompile("BN254_ADD", _fixed(add_gas), bn128.add),
        0x07: _precompile("BN254_MUL", _fixed(mul_gas), bn128.mul),
        0x08: _precompile("BN254_PAIRING", pairing_price, bn128.pairing_check),
    }


def curve_precompiles(fork: Fork) -> dict[bytes, Precompile]:
    """By address, those that the fork has."""
    found: dict[int, Precompile] = {}
    if fork >= Fork.BYZANTIUM:
        # EIP-196 and 197, then EIP-1108.
        found |= _bn128(150, 6_000, 45_000, 34_000) if fork >= Fork.ISTANBUL else _bn128(500, 40_000, 100_000, 80_000)
    if fork >= Fork.PRAGUE:
        found |= _BLS12_381
    return {number.to_bytes(20, "big"): precompile for number, precompile in found.items()}
