"""Tests of `ewasm.spectest`."""
