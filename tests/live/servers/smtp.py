"""A small mail server: it greets, and takes every mail."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class MailServer:
    """A server that runs until its context ends. `mails` are the bodies it took."""

    port: int
    mails: list[bytes] = field(default_factory=list)


@contextmanager
def serve() -> Iterator[MailServer]:
    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"220 mail.example ESMTP\r\n")
            for line in self.rfile:
                word = line.split()[0].upper()
                if word == b"DATA":
                    self.wfile.write(b"354 go on\r\n")
                    self.mail()
                self.wfile.write(ANSWERS.get(word, b"250 OK\r\n"))
                if word == b"QUIT":
                    return

        def mail(self) -> None:
            lines = []
            while (line := self.rfile.readline()) not in (b".\r\n", b""):
                lines.append(line)
            served.mails.append(b"".join(lines))

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = True
        daemon_threads = True

    with Server(("127.0.0.1", 0), Handler) as server:
        served = MailServer(port=server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield served
        finally:
            server.shutdown()
            thread.join()


ANSWERS = {b"EHLO": b"250-mail.example\r\n250 8BITMIME\r\n", b"DATA": b"250 taken\r\n", b"QUIT": b"221 bye\r\n"}
