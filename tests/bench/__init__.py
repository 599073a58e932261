"""Benchmarks. `python -m tests.bench` prints one table of ratios, both sides of each measured in the same run."""
