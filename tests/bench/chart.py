"""The picture for the README: bars on a logarithmic scale, one ratio a bar."""

from __future__ import annotations

import math
from collections.abc import Mapping
from html import escape
from pathlib import Path

from tests.bench.measure import Row

__all__ = ["write_chart"]

_ROWS = (
    ("metered / unmetered Wasm", "kernel ", ": metered / unmetered"),
    ("metered contract / native clang -O2", "kernel ", ": metered / native clang -O2"),
)
_WIDTH, _BAR, _LEFT, _RIGHT = 820, 20, 390, 90
_LEAST = 1e-4


def geomean(ratios: list[float]) -> float:
    """Geometric mean."""
    return math.exp(sum(map(math.log, ratios)) / len(ratios))


def bars(rows: Mapping[str, Row]) -> list[tuple[str, float]]:
    """(label, ratio) of what the picture shows."""
    found = []
    for label, prefix, suffix in _ROWS:
        ratios = [r["ratio"] for name, r in rows.items() if name.startswith(prefix) and name.endswith(suffix)]
        if ratios:
            found.append((f"{label}, geometric mean of {len(ratios)}", geomean(ratios)))
    shown = (
        "256-bit loop: ours / revm",
        "256-bit loop: ours / py-evm",
        "loop of 16 instructions: ours / pywasm",
        "bignum.mul256: ours / define_func",
        "bignum.mulmod256: ours / define_func",
        "ethereum.getCaller: ours / define_func",
        "storageLoad on a chain, warm: ours / define_func",
        "call Wasm -> Wasm / EVM -> EVM",
    )
    found += [(name, rows[name]["ratio"]) for name in shown if name in rows]
    return found


def write_chart(rows: Mapping[str, Row], path: Path) -> None:
    """Write the picture; less is better, the line is 1."""
    shown = bars(rows)
    height = (_BAR + 8) * len(shown) + 40
    span = _WIDTH - _LEFT - _RIGHT
    top = max(4.0, *(ratio for _, ratio in shown))

    def place(ratio: float) -> float:
        return _LEFT + span * math.log(max(ratio, _LEAST) / _LEAST) / math.log(top / _LEAST)

    size = f'viewBox="0 0 {_WIDTH} {height}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="12">',
        f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>',
        '<text x="12" y="18" fill="#333333">time of ours / other, logarithmic; left of the line is faster</text>',
    ]
    for index, (label, ratio) in enumerate(shown):
        y = 30 + index * (_BAR + 8)
        colour = "#2f7d4f" if ratio <= 1 else "#b0762b"
        parts += [
            f'<text x="{_LEFT - 8}" y="{y + 14}" text-anchor="end" fill="#222222">{escape(label)}</text>',
            f'<rect x="{_LEFT}" y="{y}" width="{place(ratio) - _LEFT:.1f}" height="{_BAR}" fill="{colour}"/>',
            f'<text x="{place(ratio) + 6:.1f}" y="{y + 14}" fill="#222222">{ratio:.3g}</text>',
        ]
    one = place(1)
    parts += [f'<line x1="{one:.1f}" y1="26" x2="{one:.1f}" y2="{height - 8}" stroke="#555555"/>', "</svg>", ""]
    path.write_text("\n".join(parts))
