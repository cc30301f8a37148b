"""The service under test as a process of ours: started in a group of its own, waited for, always stopped whole."""

from __future__ import annotations

import asyncio
import contextlib
import difflib
import os
import re
import signal
import ssl
from collections import deque
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

from wiretape.config import Address
from wiretape.errors import ConfigError, TargetError

LAST_LINES = 8
TERM_GRACE = 5.0
_POLL = 0.02
_PROBE = 5.0
_PLACE = re.compile(r"\$\{([A-Za-z0-9_-]+)\.(\w+)\}")


def expand(text: str, addresses: Mapping[str, Address]) -> str:
    """`text` with `${NAME.port}`, `${NAME.host}` and `${NAME.address}` replaced by where the listener NAME really listens; a
    Unix socket has `${NAME.path}` and `${NAME.address}`.

    Raises ConfigError for a name that is no listener and for a property there is not.
    """

    def value(found: re.Match[str]) -> str:
        name, part = found[1], found[2]
        address = addresses.get(name)
        if address is None:
            near = difflib.get_close_matches(name, addresses, 1)
            hint = f"did you mean {near[0]}?" if near else f"targets are: {', '.join(sorted(addresses)) or 'none'}"
            raise ConfigError(f"{found[0]}: there is no target named {name}; {hint}")
        parts = parts_of(address)
        if part not in parts:
            raise ConfigError(f"{found[0]}: {name} has {', '.join(parts)}, not {part}")
        return parts[part]

    return _PLACE.sub(value, text)


def parts_of(address: Address) -> dict[str, str]:
    """What a service may be told of where a listener is."""
    if address.path:
        return {"path": address.path, "address": str(address)}
    return {"port": str(address.port), "host": address.host, "address": str(address)}


def expand_command(command: Sequence[str], addresses: Mapping[str, Address]) -> tuple[str, ...]:
    """`expand` over the words of a command."""
    return tuple(expand(word, addresses) for word in command)


def expand_env(env: Mapping[str, str], addresses: Mapping[str, Address]) -> dict[str, str]:
    """`expand` over the values of an environment."""
    return {name: expand(value, addresses) for name, value in env.items()}


def endpoint(url: str) -> Address:
    """The TCP endpoint of an http or https URL."""
    parts = urlsplit(url)
    return Address(host=parts.hostname or "127.0.0.1", port=parts.port or (443 if parts.scheme == "https" else 80))


class ServiceProcess:
    """A running command. Its output goes to `output` as it comes, and the last lines are kept for the error message."""

    def __init__(self, process: asyncio.subprocess.Process, command: Sequence[str], output: BinaryIO | None) -> None:
        self._process = process
        self._command = command
        self._output = output
        self._tail: deque[bytes] = deque(maxlen=LAST_LINES)
        self._pump = asyncio.ensure_future(self._copy())

    @classmethod
    async def start(
        cls,
        command: Sequence[str],
        env: Mapping[str, str],
        cwd: Path | None = None,
        output: BinaryIO | None = None,
        without: Collection[str] = (),
    ) -> ServiceProcess:
        """Start `command` in a process group of its own. `env` is added to our environment but for what `without` names;
        `output` takes stdout and stderr.

        Raises TargetError where the command cannot be started at all.
        """
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                env={**{name: value for name, value in os.environ.items() if name not in without}, **env},
                cwd=cwd,
                start_new_session=True,
            )
        except OSError as error:
            reason = error.strerror or error
            raise TargetError(f"cannot start the service: {' '.join(command)}: {reason}; check the command") from None
        return cls(process, command, output)

    @property
    def pid(self) -> int:
        """The process that leads the group, and a session of its own."""
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """The exit code once the process has ended (negative: the signal that ended it), else None."""
        return self._process.returncode

    async def wait_ready(self, url: str, ready: str = "", timeout: float = 30.0) -> None:  # noqa: ASYNC109 - the caller's limit
        """Return once `url` answers: its path `ready` with a status below 500, or, where that is empty, once the port is open.

        Raises TargetError if the process ends first, or after `timeout` seconds.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        answer = "nothing"
        while True:
            if self._process.returncode is not None:
                raise TargetError(await self._ended())
            answer = await probe(url, ready, min(_PROBE, max(_POLL, deadline - loop.time())))
            if not answer:
                return
            if loop.time() > deadline:
                what = f"{url.rstrip('/')}{ready}" if ready else f"the port of {url}"
                raise TargetError(
                    f"the service was not ready after {timeout:g} s: {what} gave {answer}; "
                    f"check service.url and service.ready, or raise service.ready_timeout{self._last_lines()}"
                )
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(self._process.wait()), _POLL)

    async def wait(self) -> int:
        """Wait until the process has ended; its exit code."""
        return await self._process.wait()

    async def stop(self, grace: float = TERM_GRACE) -> None:
        """Stop the whole process group: TERM, and KILL for what is left after `grace` seconds. Safe to call again."""
        if self._signal(signal.SIGTERM):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._gone(), grace)
            self._signal(signal.SIGKILL)
        await self._process.wait()
        await self._drain()

    async def _gone(self) -> None:
        await self._process.wait()
        while self._signal(0):  # noqa: ASYNC110 - no event tells that a group is empty
            await asyncio.sleep(_POLL)

    def _signal(self, number: int) -> bool:
        """Whether anything was left in the group to take the signal."""
        try:
            os.killpg(self._process.pid, number)
        except (ProcessLookupError, PermissionError):
            return False
        return True

    async def _copy(self) -> None:
        stream = self._process.stdout
        assert stream is not None
        unfinished = b""
        while data := await stream.read(65536):
            *lines, unfinished = (unfinished + data).split(b"\n")
            self._tail.extend(lines)
            unfinished = unfinished[-4096:]
            if self._output is not None:
                with contextlib.suppress(OSError, ValueError):
                    self._output.write(data)
                    self._output.flush()
        if unfinished:
            self._tail.append(unfinished)

    async def _drain(self) -> None:
        """Take what is still in the pipe; a daemon that left the group may hold it open, so not for ever."""
        done, _ = await asyncio.wait([self._pump], timeout=0.5)
        if not done:
            self._pump.cancel()
            await asyncio.wait([self._pump])

    async def _ended(self) -> str:
        code = await self._process.wait()
        await self._drain()
        how = f"was killed by signal {-code}" if code < 0 else f"exited with code {code}"
        return f"the service {how} before it was ready: {' '.join(self._command)}{self._last_lines()}"

    def _last_lines(self) -> str:
        lines = [line.decode(errors="replace").rstrip() for line in self._tail]
        return "".join(f"\n  | {line}" for line in lines)


async def probe(url: str, ready: str = "", limit: float = _PROBE) -> str:
    """Empty if the service at `url` is ready (see `ServiceProcess.wait_ready`), else what came instead. `limit` in seconds."""
    try:
        return await asyncio.wait_for(_probe(url, ready), limit)
    except TimeoutError:
        return f"no answer within {limit:.1f} s"
    except OSError as error:
        return (error.strerror or str(error)).lower() if not isinstance(error, ConnectionRefusedError) else "connection refused"
    except (ValueError, asyncio.LimitOverrunError):
        return "an answer that is not HTTP"


async def _probe(url: str, ready: str) -> str:
    at = endpoint(url)
    reader, writer = await asyncio.open_connection(at.host, at.port, ssl=_unverified() if url.startswith("https:") else None)
    try:
        if not ready:
            return ""
        writer.write(f"GET {ready} HTTP/1.1\r\nHost: {at}\r\nAccept: */*\r\nConnection: close\r\n\r\n".encode())
        line = await reader.readline()
        if not line:
            return "a closed connection"
        status = int(line.split(maxsplit=2)[1]) if line.startswith(b"HTTP/") and len(line.split()) > 1 else 0
        if not status:
            return "an answer that is not HTTP"
        return "" if status < 500 else f"status {status}"
    finally:
        writer.close()


def _unverified() -> ssl.SSLContext:
    """Only asks whether anything answers, so who answers does not matter."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
