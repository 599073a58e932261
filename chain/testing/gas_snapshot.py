"""`.gas-snapshot`: the gas of each test, in a file that review sees.

One line a measurement, sorted: `tests/test_token.py::test_transfer (gas: 51174)`; a named one has its name behind a
space. The format is the one of forge's file, with pytest's names.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

__all__ = ["BadSnapshot", "Difference", "compare", "format_table", "read", "write"]

_LINE = re.compile(r"(?P<name>\S.*) \(gas: (?P<gas>\d+)\)")


class BadSnapshot(ValueError):
    """The file cannot be read; the text says where."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A measurement that is not what the file says; None where one of the two has none."""

    name: str
    stored: int | None
    found: int | None

    @property
    def change(self) -> int:
        return (self.found or 0) - (self.stored or 0)

    @property
    def percent(self) -> float | None:
        """Of what is stored; None where nothing is, or nothing was used."""
        return 100 * self.change / self.stored if self.stored and self.found is not None else None


def read(path: Path) -> dict[str, int]:
    """The stored measurements.

    Raises:
        BadSnapshot: No file, or a line that is none of its format.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise BadSnapshot(f"{path}: {error.strerror}; write it with --gas-snapshot-update") from None
    stored: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        match = _LINE.fullmatch(line)
        if match is None:
            raise BadSnapshot(f"{path}:{number}: not of the form NAME (gas: NUMBER): {line!r}")
        stored[match["name"]] = int(match["gas"])
    return stored


def write(path: Path, gas: Mapping[str, int]) -> None:
    """Store the measurements, sorted by name."""
    path.write_text("".join(f"{name} (gas: {gas[name]})\n" for name in sorted(gas)), encoding="utf-8")


def compare(stored: Mapping[str, int], found: Mapping[str, int], tolerance_percent: float = 0.0) -> list[Difference]:
    """What differs by more than the tolerance, or is not stored; what was not measured this time is no difference."""
    differences = []
    for name in sorted(found):
        before, now = stored.get(name), found[name]
        if before is None or abs(now - before) * 100 > before * tolerance_percent:
            differences.append(Difference(name, before, now))
    return differences


def format_table(differences: list[Difference]) -> list[str]:
    """Lines of a table, the largest change first."""
    rows = [("stored", "now", "change", "%", "test")]
    for item in sorted(differences, key=lambda d: (-abs(d.change), d.name)):
        percent = item.percent
        rows.append(
            (
                "-" if item.stored is None else f"{item.stored:,}",
                "-" if item.found is None else f"{item.found:,}",
                "new" if item.stored is None else f"{item.change:+,}",
                "" if percent is None else f"{percent:+.2f}",
                item.name,
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    return [
        "  ".join([*(cell.rjust(width) for cell, width in zip(row[:4], widths, strict=True)), row[4]]) for row in rows
    ]
