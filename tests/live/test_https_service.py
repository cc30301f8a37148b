"""TLS in front of the service, HTTP/2 with it: TLS or plain text on the same port, and gRPC over TLS as a dependency."""

from __future__ import annotations

import concurrent.futures
import ssl
import subprocess
from pathlib import Path

import grpc
import httpx
import pytest

from recorder.capture import Kind
from recorder.taps import watch
from recorder.wire import Listener
from tests.live.wholeprogram import Program
from tests.recorder.conftest import recording
from tests.recorder.tlsservers import AUTHORITY, Authority
from wiretape.config import Address

SECURE = """
import ssl
def work(name):
    return "hello " + name
_wrap = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
_wrap.load_cert_chain("leaf.pem")
"""


def test_an_https_service_takes_tls_and_plain_text(tmp_path: Path, free_port) -> None:
    program = Program(folder=tmp_path, port=free_port(), front=free_port(), work=SECURE)
    (tmp_path / "leaf.pem").write_bytes(Authority(tmp_path / "other").leaf.read_bytes())
    app = (tmp_path / "app.py").read_text()
    served = "server = ThreadingHTTPServer(("
    app = app.replace("ThreadingHTTPServer((", served).replace(").serve_forever()", ")")
    app += "server.socket = _wrap.wrap_socket(server.socket, server_side=True)\nserver.serve_forever()\n"
    (tmp_path / "app.py").write_text(app)
    url = f"https://127.0.0.1:{program.port}"
    authority = tmp_path / ".wiretape/ca" / AUTHORITY
    front = f"localhost:{program.front}"
    drive = f"curl -sS --cacert {authority} https://{front}/a && curl -sS http://{front}/b"
    done = program.run("record", "--service", f"{url}@{program.front}", "--drive", drive, *program.command)
    assert done.returncode == 0, done.stderr
    for name in ("a", "b"):
        assert program.case(f"get-{name}-200")["response"]["body"] == f"hello {name}"  # type: ignore[index]
    done = program.run("replay", "--service", url, *program.command)
    assert "2 passed, 0 failed" in done.stdout, done.stdout + done.stderr


class Echo(grpc.GenericRpcHandler):
    def service(self, call: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
        return grpc.unary_unary_rpc_method_handler(lambda request, _: b"echo " + request)


@pytest.mark.parametrize("target", ["", "orders"], ids=["service", "dependency"])
def test_grpc_over_tls(target: str, tmp_path: Path) -> None:
    other = Authority(tmp_path / "other")
    key, *chain = other.leaf.read_bytes().split(b"-----BEGIN CERTIFICATE-----")
    credentials = grpc.ssl_server_credentials([(key, b"".join(b"-----BEGIN CERTIFICATE-----" + each for each in chain))])
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(2), handlers=[Echo()])
    port = server.add_secure_port("127.0.0.1:0", credentials)
    server.start()
    listener = Listener(
        target=target,
        protocol="http",
        listen=Address(host="127.0.0.1", port=0),
        upstream=Address(host="127.0.0.1", port=port),
        upstream_tls=True,
        verify=True,
        ca=other.certificate,
    )
    try:
        with recording(tmp_path, listener) as recorder:
            trusted = grpc.ssl_channel_credentials((tmp_path / "ca" / AUTHORITY).read_bytes())
            with grpc.secure_channel(f"localhost:{recorder.port()}", trusted) as channel:
                assert channel.unary_unary("/shop.Orders/Place")(b"\x08\x01", timeout=10) == b"echo \x08\x01"
    finally:
        server.stop(0).wait()
    seen = watch(recorder.records(), 10_000)
    if target:
        assert [one.interaction.operation for one in seen.outbound] == ["POST /shop.Orders/Place"]
        assert seen.facts[target]["versions"] == ["2"]
    else:
        assert [(one.exchange.target, one.exchange.version) for one in seen.inbound] == [("/shop.Orders/Place", "2")]


@pytest.mark.parametrize("alpn", ["h2", "http/1.1"])
def test_curl_and_httpx_get_the_version_the_service_speaks(alpn: str, tmp_path: Path, free_port) -> None:
    """Node's HTTP/2 server, with or without HTTP/2."""
    other = Authority(tmp_path / "other")
    port = free_port()
    (tmp_path / "s.js").write_text(f"""
const fs = require("fs"), pem = fs.readFileSync("{other.leaf}");
const answer = (req, res) => res.end("version " + req.httpVersion);
const options = {{ key: pem, cert: pem, allowHTTP1: true, ALPNProtocols: ["{alpn}"] }};
const h2 = "{alpn}" === "h2";
const made = h2 ? require("http2").createSecureServer(options, answer) : require("https").createServer(options, answer);
made.listen({port}, "127.0.0.1", () => console.log("ready"));
""")
    with subprocess.Popen(["node", str(tmp_path / "s.js")], stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout
            assert server.stdout.readline() == "ready\n"
            at = Address(host="127.0.0.1", port=port)
            listener = Listener(
                target="", protocol="http", listen=Address(host="127.0.0.1", port=0), upstream=at, upstream_tls=True
            )
            wanted = "2" if alpn == "h2" else "1.1"
            with recording(tmp_path, listener) as recorder:
                url = f"https://localhost:{recorder.port()}/"
                authority = tmp_path / "ca" / AUTHORITY
                told = subprocess.run(
                    ["curl", "-sS", "--cacert", str(authority), "-w", " %{http_version}", url],
                    capture_output=True,
                    text=True,
                    check=True,
                )
                assert told.stdout in (f"version {wanted}.0 {wanted}", f"version {wanted} {wanted}")

                trusted = ssl.create_default_context(cafile=authority)
                with httpx.Client(http2=True, verify=trusted, trust_env=False) as client:
                    assert client.get(url).http_version == f"HTTP/{wanted}"
        finally:
            server.terminate()
    seen = watch(recorder.records(), 10_000)
    assert [one.exchange.version for one in seen.inbound] == [wanted] * 2
    assert not [record for record in recorder.records() if record.kind == Kind.UNREADABLE]
