"""Matching of logs, blooms, and the life of filters."""

from __future__ import annotations

import pytest

from chain.block import Log, bloom_of
from chain.filters import Filter, FilterLimit, FilterRegistry, LogQuery, bloom_has, bloom_may_match, log_matches

A, B = b"\xaa" * 20, b"\xbb" * 20
T1, T2, T3 = b"\x01" * 32, b"\x02" * 32, b"\x03" * 32
LOG = Log(A, (T1, T2), b"data")


@pytest.mark.parametrize(
    ("query", "matches"),
    [
        (LogQuery(), True),
        (LogQuery(frozenset({A})), True),
        (LogQuery(frozenset({A, B})), True),
        (LogQuery(frozenset({B})), False),
        (LogQuery(topics=(frozenset({T1}),)), True),
        (LogQuery(topics=(frozenset({T2}),)), False),
        (LogQuery(topics=(None, frozenset({T2}))), True),
        (LogQuery(topics=(frozenset({T3, T1}), frozenset({T3, T2}))), True),
        (LogQuery(topics=(None, None)), True),
        (LogQuery(topics=(None, None, None)), False),
        (LogQuery(frozenset({A}), (frozenset({T3}),)), False),
    ],
)
def test_log_matches(query: LogQuery, matches: bool) -> None:
    assert log_matches(query, LOG) is matches


def test_bloom_never_hides_a_match() -> None:
    bloom = int.from_bytes(bloom_of([LOG]), "big")
    assert bloom_has(bloom, A)
    assert bloom_has(bloom, T2)
    assert bloom_may_match(LogQuery(frozenset({A}), (None, frozenset({T2, T3}))), bloom)
    assert not bloom_may_match(LogQuery(frozenset({B})), bloom)
    assert not bloom_may_match(LogQuery(topics=(frozenset({T3}),)), bloom)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_filters_expire_when_nobody_polls_them() -> None:
    clock = Clock()
    registry = FilterRegistry(lifetime_s=10, clock=clock)
    polled, forgotten = (registry.install(Filter("block", 1, b"")) for _ in range(2))
    clock.now = 8
    assert registry.get(polled) is not None
    clock.now = 15
    assert registry.get(polled) is not None
    assert registry.get(forgotten) is None
    assert registry.uninstall(polled)
    assert not registry.uninstall(polled)
    assert len(registry) == 0


def test_number_of_filters_is_limited() -> None:
    clock = Clock()
    registry = FilterRegistry(lifetime_s=10, limit=2, clock=clock)
    for _ in range(2):
        registry.install(Filter("log", 0, b""))
    with pytest.raises(FilterLimit, match="too many filters"):
        registry.install(Filter("log", 0, b""))
    clock.now = 11
    registry.install(Filter("log", 0, b""))


def test_pending_filters_keep_the_newest_hashes() -> None:
    registry = FilterRegistry()
    item = Filter("pending", 0, b"")
    registry.install(item)
    registry.install(Filter("block", 0, b""))
    registry.announce_pending([b"1", b"2", b"3"], limit=2)
    assert item.pending == [b"2", b"3"]
