"""The file broker under several processes: every message once, and half-written files harm nobody."""

from __future__ import annotations

import multiprocessing
from pathlib import Path
from queue import Empty
from typing import Any

import pytest
from kombu import Connection, Exchange, Queue

from tests.patience import PATIENCE
from webapp.celery import app
from webapp.file_broker import Transport

MESSAGES, READERS, WRITERS = 300, 2, 2


def connect(folder: Path) -> Any:
    options = {"data_folder_in": str(folder / "queue"), "data_folder_out": str(folder / "queue"), "control_folder": str(folder / "control")}
    return Connection("filesystem://", transport=Transport, transport_options=options)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for room in ("queue", "control"):
        (tmp_path / room).mkdir()
    return tmp_path


def write(folder: Path, writer: int) -> None:
    channel = connect(folder).channel()
    for number in range(MESSAGES):
        channel._put("bell", {"number": writer * MESSAGES + number, "padding": "x" * 5000})


def read(folder: Path, results: Any, written: Any) -> None:
    channel = connect(folder).channel()
    while True:
        over = written.is_set()
        try:
            results.put(channel._get("bell")["number"])
        except Empty:
            if over:
                return
        except Exception as error:
            results.put(repr(error))
            return


def test_readers_and_writers_at_once(folder: Path) -> None:
    context = multiprocessing.get_context("fork")
    results, written = context.Queue(), context.Event()
    readers = [context.Process(target=read, args=(folder, results, written)) for _ in range(READERS)]
    writers = [context.Process(target=write, args=(folder, number)) for number in range(WRITERS)]
    for process in (*readers, *writers):
        process.start()
    for process in writers:
        process.join(PATIENCE)
    written.set()
    found = [results.get(timeout=PATIENCE) for _ in range(WRITERS * MESSAGES)]
    for process in readers:
        process.join(PATIENCE)
    assert sorted(found, key=str) == sorted(range(WRITERS * MESSAGES), key=str)
    assert not list((folder / "queue").iterdir())


def test_what_a_killed_writer_left_is_thrown_away(folder: Path) -> None:
    channel = connect(folder).channel()
    (folder / "queue" / "1_a.bell.msg").write_text("")
    (folder / "queue" / "2_b.bell.msg.0.part").write_text('{"num')
    channel._put("bell", {"number": 1})
    assert channel._get("bell") == {"number": 1}
    with pytest.raises(Empty):
        channel._get("bell")


def bind(folder: Path, number: int) -> None:
    with connect(folder) as connection:
        for index in range(10):
            Queue(f"q{number}.{index}", Exchange("bells"), routing_key="ring")(connection.channel()).declare()


def test_bindings_made_at_once_are_all_kept(folder: Path) -> None:
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=bind, args=(folder, number)) for number in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(PATIENCE)
    channel = connect(folder).channel()
    assert {row.queue for row in channel.get_table("bells")} == {f"q{number}.{index}" for number in range(4) for index in range(10)}
    channel._delete("q1.1", "bells", "ring", "")
    assert len(channel.get_table("bells")) == 39


def test_the_application_uses_it() -> None:
    assert isinstance(app.connection_for_write("filesystem://").transport, Transport)
