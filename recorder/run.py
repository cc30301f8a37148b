"""One recording from start to end: listeners up, service started and ready, traffic watched, everything stopped in order."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from pathlib import Path

from recorder import capture
from recorder.addon import Proxy
from recorder.capture import CaptureWriter
from recorder.chooser import Ways
from recorder.directory import Directory, Terms
from recorder.gate import Gate
from recorder.local import LocalCapture
from recorder.wire import FORWARD, Listener, Tape
from wiretape.ca import ensure_ca
from wiretape.config import Address, Config, Service
from wiretape.config import Proxy as ProxyOptions
from wiretape.errors import ConfigError, StoreError, TargetError
from wiretape.options import LOOPBACK
from wiretape.service import ServiceProcess, endpoint, expand, expand_command, expand_env, probe
from wiretape.trust import proxied, trusting

_TICK = 0.05
_QUIET = 0.2
_SETTLE = 2.0


class Recording:
    """Runs once. `speak` gets every line for the person at the terminal; `listeners` counts as it goes, for a live display."""

    def __init__(self, config: Config, drive: str, speak: Callable[[str], None], *, local: bool = False) -> None:
        self._config = config
        self._service = _service(config)
        self._drive = drive
        self._speak = speak
        self._stop = asyncio.Event()
        self.listeners = _listeners(config, self._service)
        self._proxy = _proxy(config.proxy) if config.proxy else None
        self._local = LocalCapture() if local else None
        if local and not self._service.command:
            raise ConfigError("local capture follows a process that wiretape starts; give its command after --")

    async def run(self) -> None:
        """Record until a signal, the end of the drive command, or the end of the service.

        Raises TargetError where a port is taken, the service does not start or ends by itself, or the drive command fails; the
        requests captured until then can be compiled all the same.
        """
        home = self._config.home
        try:
            authority = ensure_ca(home)
        except OSError as error:
            raise StoreError(f"cannot write to {home}: {error.strerror or error}; make the folder writable") from None
        writer = CaptureWriter(capture.fresh(home), self._speak)
        try:
            with self._signals():
                async with self._proxying(Tape(writer, self._speak), authority), self._running(authority):
                    await self._until_done()
                    await self._settle(writer)
        except BaseException:
            writer.close()
            if not self.requests:
                capture.delete(writer.path)
            raise
        finally:
            writer.close()

    @contextlib.asynccontextmanager
    async def _proxying(self, tape: Tape, authority: Path) -> AsyncIterator[None]:
        """Everything that takes connections is up."""
        told = self._config.proxy
        terms = Terms(passthrough=told.passthrough, verify=told.verify, ca=told.ca) if told else Terms()
        ways = Ways(
            forward=Directory(self.listeners, "proxy", terms) if self._proxy else None,
            local=(self._local, Directory(self.listeners, "local", terms)) if self._local else None,
        )
        listeners = [*self.listeners, *([self._proxy] if self._proxy else []), *(self._local.listeners if self._local else [])]
        with self._local or contextlib.nullcontext():
            async with Proxy(listeners, tape, authority, ways):
                if self._local:
                    self._local.start()
                yield

    @property
    def requests(self) -> int:
        """Requests seen so far, roughly."""
        return self.listeners[0].turns

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        """The first signal ends the recording; a later one, while compiling, does what signals do."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._stop.set)
        try:
            yield
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)

    @property
    def _addresses(self) -> dict[str, Address]:
        return {one.target or "service": one.listen for one in self.listeners if not one.via}

    @contextlib.asynccontextmanager
    async def _running(self, authority: Path) -> AsyncIterator[None]:
        """The service, if we are to start it, ready and in the end stopped."""
        self._process: ServiceProcess | None = None
        if not self._service.command:
            yield
            return
        if not await probe(self._service.url):
            raise TargetError(
                f"something already listens at {self._service.url}; stop it, or leave out the command to record it"
            )
        command = expand_command(self._service.command, self._addresses)
        env = {**self._told(authority), **expand_env(self._service.env, self._addresses)}
        if self._local is not None:
            command = self._local.inside(command)
        self._process = await ServiceProcess.start(command, env, output=sys.stderr.buffer)
        try:
            await self._first(
                self._process.wait_ready(self._service.url, self._service.ready, self._service.ready_timeout), self._stop.wait()
            )
            yield
        finally:
            await self._process.stop()

    def _told(self, authority: Path) -> dict[str, str]:
        """What the service must know to come through us and to trust us."""
        told: dict[str, str] = {}
        if self._proxy is not None:
            told |= proxied(self._proxy.listen, self._addresses.values(), os.environ)
        if self._proxy is not None or self._local is not None or any(one.upstream_tls for one in self.listeners[1:]):
            told |= trusting(authority, os.environ)
        return told

    async def _until_done(self) -> None:
        if self._stop.is_set():
            return
        self._say_where()
        ends: list[Coroutine[object, object, object]] = [self._stop.wait()]
        if self._process is not None:
            ends.append(self._service_ended(self._process))
        if self._drive:
            ends.append(self._driven())
        await self._first(*ends)

    def _say_where(self) -> None:
        front, *targets = self.listeners
        self._speak(f"recording: send requests to http://{front.listen}, which passes them to {self._service.url}")
        for one in targets:
            self._speak(f"recording: {one.target} listens on {one.listen}, which passes to {one.upstream}")
        if self._proxy is not None:
            self._speak(f"recording: the forward proxy listens on {self._proxy.listen} (HTTP_PROXY, HTTPS_PROXY)")
        if self._local is not None:
            self._speak("recording: what the service's processes connect to is redirected to us by the kernel")
        self._say_unverified()
        if not self._drive:
            self._speak("recording: press Ctrl-C to stop and write the cases")

    def _say_unverified(self) -> None:
        """Whose certificates are not looked at though their protocol's clients would look at them."""
        names = [one.target for one in self.listeners[1:] if one.protocol == "http" and one.upstream_tls and not one.verify]
        if self._config.proxy is not None and not self._config.proxy.verify:
            names.append("what the forward proxy reaches")
        if names:
            self._speak(f"recording: upstream certificates are not verified (verify: false): {', '.join(names)}")

    async def _service_ended(self, process: ServiceProcess) -> None:
        code = await process.wait()
        if not self._stop.is_set():
            raise TargetError(f"the service ended with exit code {code} while it was recorded; see its output above")

    async def _driven(self) -> None:
        """Run the drive command; it finds the listener in WIRETAPE_URL."""
        text = expand(self._drive, self._addresses)
        url = f"http://{self.listeners[0].listen}"
        process = await ServiceProcess.start(("/bin/sh", "-c", text), {"WIRETAPE_URL": url}, output=sys.stderr.buffer)
        try:
            code = await process.wait()
        finally:
            await process.stop()
        if code:
            raise TargetError(f"the drive command exited with code {code}: {self._drive}")
        if not self.requests:
            raise TargetError(f"the drive command sent no request to {url}; have it use that address (in WIRETAPE_URL)")

    async def _settle(self, writer: CaptureWriter) -> None:
        """Services finish their work (a COMMIT) after the response: wait until the wires are quiet for a moment."""
        loop = asyncio.get_running_loop()
        end, seen, since = loop.time() + _SETTLE, -1, loop.time()
        while loop.time() < end and loop.time() - since < _QUIET:
            if writer.taken_in != seen:
                seen, since = writer.taken_in, loop.time()
            await asyncio.sleep(_TICK)

    async def _first(self, *awaitables: Coroutine[object, object, object]) -> None:
        """Until one is done; the others are cancelled, and a failure is raised."""
        tasks = [asyncio.ensure_future(one) for one in awaitables]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception):
                raise result


def _proxy(config: ProxyOptions) -> Listener:
    nowhere = Address(host=LOOPBACK, port=9)
    return Listener(target="", protocol=FORWARD, listen=config.listen, upstream=nowhere)


def _service(config: Config) -> Service:
    if config.service is None:
        raise ConfigError("no service to record: give service.url in wiretape.yaml, or --service http://127.0.0.1:8000@9000")
    if config.service.listen is None:
        raise ConfigError("no address to listen on for the service: give service.listen, or --service URL@PORT")
    return config.service


def _listeners(config: Config, service: Service) -> list[Listener]:
    """The service's listener first."""
    assert service.listen is not None
    gate = Gate() if config.record.serialize else None
    found = [
        Listener(
            target="",
            protocol="http",
            listen=service.listen,
            upstream=endpoint(service.url),
            upstream_tls=service.url.startswith("https:"),
            gate=gate,
            trace=config.record.trace,
        )
    ]
    for target in config.targets.values():
        if target.upstream is None:
            raise ConfigError(f"target {target.name} has no upstream to record; give targets.{target.name}.upstream")
        found.append(
            Listener(
                target=target.name,
                protocol=target.protocol,
                listen=target.listen,
                upstream=target.upstream,
                tls=target.tls,
                upstream_tls=target.secure or None,
                verify=target.verify,
                ca=target.ca,
                certificate=target.certificate,
            )
        )
    return found
