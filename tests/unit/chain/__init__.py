"""Tests of the chain core."""
