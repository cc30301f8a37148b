"""What the server says unasked, and what it lets a client wait for: delivered when its turn has come, never before."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from normalizers.base import When
from replayer.book import Book
from replayer.mocks import Mocks
from tests.replayer.conftest import TOY, toy_ask, toy_call
from wiretape.case import Call
from wiretape.config import Address, Target
from wiretape.protocols.base import Answers, Ask, Miss, Waiting

NOW = When(recorded=0.0, live=0.0)


class Lines:
    """A server of lines: `sub` subscribes, anything else is asked."""

    def __init__(self, facts: Any, answers: Answers, target: str) -> None:
        self._answers = answers
        self._subscribed = self.closed = self.upgrade = False
        self.waiting: Ask | None = None

    @property
    def pause(self) -> float | None:
        return self.waiting.blocks if self.waiting else None

    def greet(self) -> bytes:
        return b"hello\n"

    def receive(self, data: bytes) -> bytes:
        out = b""
        for line in data.decode().splitlines():
            if line == "sub":
                self._subscribed = True
                out += b"subscribed\n"
                continue
            ask = toy_ask(toy_call(line))
            answer = self._answers.take(ask)
            if isinstance(answer, Waiting):
                self.waiting = ask
            else:
                out += self._said(answer)
        return out

    def resume(self, answer: Call | Miss) -> bytes:
        self.waiting = None
        return self._said(answer)

    def push(self, call: Call) -> bytes | None:
        return f"{call.operation}\n".encode() if self._subscribed else None

    def tick(self) -> bytes:
        self.waiting = None
        return b"nothing\n"

    def upgraded(self) -> bytes:
        raise AssertionError

    @staticmethod
    def _said(answer: Call | Miss) -> bytes:
        return b"miss\n" if isinstance(answer, Miss) else f"{answer.fields['is']}\n".encode()


@asynccontextmanager
async def serving(toy: Any, home: Path, *calls: Call, session: tuple[Call, ...] = ()) -> AsyncIterator[Any]:
    """A book, not begun, and a way to connect to its mock."""
    codec = replace(TOY, responder=Lines)
    case = toy.case("here", *calls)
    book = Book(toy.suite(case, session=session), {"main": codec}, when=NOW)
    target = Target(name="main", protocol="toy", listen=Address(host="127.0.0.1", port=0))
    mocks = Mocks({"main": target}, {}, {"main": codec}, book, home)
    await mocks.start()
    writers = []

    async def connect() -> Callable[..., Any]:
        reader, writer = await asyncio.open_connection("127.0.0.1", mocks.addresses["main"].port)
        writers.append(writer)

        async def say(line: str = "") -> str:
            if line:
                writer.write(line.encode() + b"\n")
            return (await asyncio.wait_for(reader.readline(), 10)).decode().strip()

        assert await say() == "hello"
        return say

    try:
        yield book, lambda: book.begin(case, NOW), connect
    finally:
        for writer in writers:
            writer.close()
        await mocks.stop()


QUEUED, JOB = toy_call("INSERT job 7", **{"is": "queued"}), toy_call("POP job", **{"is": "job 7"})
NEWS = toy_call("message news")


def test_a_worker_gets_its_job_once_the_job_is_queued(toy: Any, tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(toy, tmp_path, QUEUED, JOB) as (book, begin, connect):
            worker, web = await connect(), await connect()
            begin()
            assert await worker("POP job") == "nothing"  # it waited in vain: nobody has queued a job
            job = asyncio.ensure_future(worker("POP job"))
            assert await web("INSERT job 7") == "queued"
            assert await job == "job 7"
            assert await worker("POP job") == "nothing"
            assert book.lanes[0].settled
            assert [(seen.ask.operation, seen.how) for seen in book.end().seen] == [
                ("INSERT job 7", "first"),
                ("POP job", "first"),
            ]

    asyncio.run(run())


def test_waiting_goes_on_from_one_case_to_the_next(toy: Any, tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(toy, tmp_path, JOB) as (_, begin, connect):
            worker = await connect()
            job = asyncio.ensure_future(worker("POP job"))
            await asyncio.sleep(0)
            begin()
            assert await job == "job 7"

    asyncio.run(run())


def test_a_job_of_the_session_is_handed_out_once(toy: Any, tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(toy, tmp_path, session=(JOB,)) as (_, _, connect):
            worker = await connect()
            assert [await worker("POP job") for _ in range(2)] == ["job 7", "nothing"]

    asyncio.run(run())


def test_a_message_goes_to_one_who_subscribed_after_the_write_it_followed(toy: Any, tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(toy, tmp_path, QUEUED, NEWS) as (book, begin, connect):
            deaf, listener, web = await connect(), await connect(), await connect()
            begin()
            assert await listener("sub") == "subscribed"
            assert await web("INSERT job 7") == "queued"
            assert await listener() == "message news"
            assert await deaf("SELECT 1") == "miss"  # and not the message
            assert [entry.used for entry in book.end().expected] == [1, 1]

    asyncio.run(run())


def test_a_message_waits_for_its_subscriber(toy: Any, tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(toy, tmp_path, NEWS) as (book, begin, connect):
            listener = await connect()
            begin()
            assert await listener("SELECT 1") == "miss"
            assert not book.lanes[0].settled
            assert await listener("sub") == "subscribed"
            assert await listener() == "message news"
            assert book.lanes[0].settled

    asyncio.run(run())


def test_only_the_writes_that_concern_a_job_are_waited_for(toy: Any, tmp_path: Path) -> None:
    """Another write that the recording happened to have before it may come later, or not at all."""
    other = toy_call("INSERT note 'else'", **{"is": "noted"})
    queued, job = toy_call("INSERT job 'jobs'", **{"is": "queued"}), toy_call("POP job 'jobs'", **{"is": "job 7"})

    async def run() -> None:
        async with serving(toy, tmp_path, other, queued, job) as (book, begin, _):
            begin()
            desk = book.answers()
            asked = toy_ask(job)
            assert isinstance(desk.take(asked), Waiting)
            desk.take(toy_ask(queued))
            assert desk.turn(asked) == job

    asyncio.run(run())


def test_a_read_shows_a_write_only_once_that_was_seen(toy: Any, tmp_path: Path) -> None:
    """Two readers and a writer: which reader comes first is chance, but none sees what is not written yet."""
    before, after = toy_call("SELECT 'task'", **{"is": "pending"}), toy_call("SELECT 'task'", **{"is": "done"})
    write = toy_call("INSERT result 'task'", **{"is": "stored"})

    async def run() -> None:
        async with serving(toy, tmp_path, before, write, after) as (book, begin, _):
            begin()
            desk = book.answers()
            asked = toy_ask(before)
            assert [desk.take(asked), desk.take(asked)] == [before, before]
            desk.take(toy_ask(write))
            assert desk.take(asked) == after

    asyncio.run(run())


def test_a_message_recorded_for_each_of_two_goes_to_both(toy: Any, tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(toy, tmp_path, NEWS, NEWS) as (book, begin, connect):
            listeners = [await connect(), await connect()]
            for listener in listeners:
                assert await listener("sub") == "subscribed"
            begin()
            assert [await listener() for listener in listeners] == ["message news", "message news"]
            assert book.lanes[0].settled

    asyncio.run(run())
