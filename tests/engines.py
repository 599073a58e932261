"""The engines that every test of the VM runs on."""

from __future__ import annotations

from ewasm.fuzz.oracle import available_engines

ENGINES = available_engines()
