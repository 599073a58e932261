"""Pauses of the collector end as they began, nested, across threads and through errors."""

from __future__ import annotations

import gc
from threading import Event, Thread

import pytest

from ewasm.engine.collection import collection_paused


def test_nested_pauses_end_with_the_outermost() -> None:
    assert gc.isenabled()
    with collection_paused():
        with collection_paused():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()


def test_an_error_ends_it() -> None:
    with pytest.raises(KeyError), collection_paused():
        raise KeyError
    assert gc.isenabled()


def test_it_stays_off_where_it_was_off() -> None:
    gc.disable()
    try:
        with collection_paused():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_the_last_thread_to_leave_ends_it() -> None:
    inside, leave = Event(), Event()

    def work() -> None:
        with collection_paused():
            inside.set()
            leave.wait(10)

    thread = Thread(target=work)
    with collection_paused():
        thread.start()
        assert inside.wait(10)
    assert not gc.isenabled()
    leave.set()
    thread.join()
    assert gc.isenabled()
