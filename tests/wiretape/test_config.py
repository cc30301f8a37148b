"""Configuration: the file, the environment, the flags, and how they are told what is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from wiretape.config import Address, Config, Recording, Service, Target, load_config
from wiretape.errors import ConfigError
from wiretape.protocols import CODECS
from wiretape.schemes import ALIASES, names

TEXT = """\
wiretape: 1
suite: cases
service: {url: http://127.0.0.1:8000, listen: 127.0.0.1:9000, ready: /health}
targets:
  main: {protocol: postgres, listen: 127.0.0.1:15432, upstream: 127.0.0.1:5432}
record: {sample: 0.5, exclude: [/health, 5xx], max_body: 1MiB}
"""
MAIN = Target(
    name="main",
    protocol="postgres",
    listen=Address(host="127.0.0.1", port=15432),
    upstream=Address(host="127.0.0.1", port=5432),
)


def load(folder: Path, text: str | None = TEXT, *, environ: Mapping[str, str] | None = None, **flags: object) -> Config:
    if text is not None:
        (folder / "wiretape.yaml").write_text(text)
    return load_config(**({"file": None, "environ": environ or {}, "cwd": folder} | flags))  # type: ignore[arg-type]


def test_the_file_of_the_issue(tmp_path: Path) -> None:
    assert load(tmp_path) == Config(
        file=tmp_path / "wiretape.yaml",
        suite=tmp_path / "cases",
        home=tmp_path / ".wiretape",
        service=Service(url="http://127.0.0.1:8000", listen=Address(host="127.0.0.1", port=9000), ready="/health"),
        targets={"main": MAIN},
        record=Recording(sample=0.5, exclude=("/health", "5xx"), max_body=1024 * 1024),
    )


def test_the_same_by_flags(tmp_path: Path) -> None:
    config = load(
        tmp_path, None, service="http://127.0.0.1:8000@9000", deps=["main=postgres://127.0.0.1:5432@15432"], suite=Path("x")
    )
    assert config == Config(
        file=None,
        suite=tmp_path / "x",
        home=tmp_path / ".wiretape",
        service=Service(url="http://127.0.0.1:8000", listen=Address(host="127.0.0.1", port=9000)),
        targets={"main": MAIN},
    )


def test_nothing_at_all(tmp_path: Path) -> None:
    config = load(tmp_path, None)
    assert (config.service, config.targets, config.suite) == (None, {}, tmp_path / "suite")


def test_the_nearest_file_upward_is_used_and_paths_are_meant_from_it(tmp_path: Path) -> None:
    (tmp_path / "wiretape.yaml").write_text(TEXT)
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    assert load(below, None).suite == tmp_path / "cases"
    assert load(below, None, suite=Path("mine")).suite == below / "mine"
    assert load(below, None, environ={"WIRETAPE_SUITE": "env"}).suite == below / "env"
    (below / "wiretape.yaml").write_text("wiretape: 1\n")
    assert load(below, None).suite == below / "suite"
    assert load(below, None, file=Path("../../wiretape.yaml")).suite == tmp_path / "cases"
    assert load(below, None, environ={"WIRETAPE_CONFIG": str(tmp_path / "wiretape.yaml")}).home == tmp_path / ".wiretape"


def test_flags_before_environment_before_file(tmp_path: Path) -> None:
    environ = {
        "WIRETAPE_SERVICE_READY": "/env",
        "WIRETAPE_SERVICE": "http://env:1@2",
        "WIRETAPE_SERVICE_LISTEN": "3",
        "WIRETAPE_DEPS": "main=postgres://env:1@2 other=postgres://env:3@4",
        "WIRETAPE_RECORD_SAMPLE": "0.25",
        "WIRETAPE_RECORD_SERIALIZE": "true",
        "WIRETAPE_RECORD_EXCLUDE": "",
    }
    flags = {"service": "http://flag:9", "deps": ["other=postgres://flag:5@6"], "record": {"sample": 0.1, "include": ("GET",)}}
    config = load(tmp_path, environ=environ, **flags)
    assert config.service == Service(url="http://flag:9", listen=Address(host="127.0.0.1", port=3), ready="/env")
    assert config.targets["main"].upstream == Address(host="env", port=1)
    assert config.targets["other"].upstream == Address(host="flag", port=5)
    assert config.record == Recording(
        serialize=True, sample=0.1, include=("GET",), exclude=("/health", "5xx"), max_body=1024 * 1024
    )


def test_flags_that_were_not_given_change_nothing(tmp_path: Path) -> None:
    text = TEXT.replace("sample: 0.5", "serialize: true")
    record = {"serialize": False, "sample": None, "include": (), "max_body": None}
    assert load(tmp_path, text, record=record).record.serialize is True


def test_the_environment_is_expanded_and_targets_are_not(tmp_path: Path) -> None:
    text = """\
wiretape: 1
suite: ${ROOT:-cases}/x
service:
  url: http://127.0.0.1:${PORT}
  ready_timeout: ${WAIT:-2.5}
  command: sh -c 'run --db ${main.port} $${HOME} "${WORD}"'
  env: {DB: "postgres://${main.host}:${main.port}/${NAME:-}", N: 1, T: true}
targets:
  main: {protocol: postgres, upstream: "${HOST:-db.internal}", certificate: keys/server.pem, tls: refuse, user: "${WORD}"}
"""
    config = load(tmp_path, text, environ={"PORT": "8000", "ROOT": "", "WORD": "a: b"})
    assert config.suite == tmp_path / "cases/x"
    assert config.service == Service(
        url="http://127.0.0.1:8000",
        ready_timeout=2.5,
        command=("sh", "-c", 'run --db ${main.port} ${HOME} "a: b"'),
        env={"DB": "postgres://${main.host}:${main.port}/", "N": "1", "T": "true"},
    )
    assert config.targets["main"] == Target(
        name="main",
        protocol="postgres",
        listen=Address(host="127.0.0.1", port=0),
        upstream=Address(host="db.internal", port=5432),
        tls="refuse",
        certificate=tmp_path / "keys/server.pem",
        user="a: b",
    )


@pytest.mark.parametrize(
    ("dep", "target"),
    [
        ("m=postgres://@15432", {"listen": Address(host="127.0.0.1", port=15432)}),
        ("m=postgres://", {"listen": Address(host="127.0.0.1", port=0)}),
        ("m=postgres://db", {"listen": Address(host="127.0.0.1", port=0), "upstream": Address(host="db", port=5432)}),
        ("m=postgres://10.0.0.1@1", {
            "listen": Address(host="127.0.0.1", port=1), "upstream": Address(host="10.0.0.1", port=5432)
        }),
        ("m=postgres://[::1]:5@[::]:6", {"listen": Address(host="::", port=6), "upstream": Address(host="::1", port=5)}),
        ("m=postgres://5432@0.0.0.0:6", {
            "listen": Address(host="0.0.0.0", port=6), "upstream": Address(host="127.0.0.1", port=5432)
        }),
        ("m=postgres://me:p:w@db:1@2", {
            "listen": Address(host="127.0.0.1", port=2), "upstream": Address(host="db", port=1), "user": "me", "password": "p:w"
        }),
    ],
)  # fmt: skip
def test_the_forms_of_a_dependency(tmp_path: Path, dep: str, target: dict[str, object]) -> None:
    expected = Target(name="m", protocol="postgres", **target)  # type: ignore[arg-type]
    assert load(tmp_path, None, deps=[dep]).targets == {"m": expected}


@pytest.mark.parametrize(
    ("size", "value"),
    [("1000", 1000), ("1k", 1000), ("1 KiB", 1024), ("2MB", 2_000_000), ("1GiB", 1 << 30), (5, 5), ("7b", 7)],
)
def test_sizes(tmp_path: Path, size: object, value: int) -> None:
    assert load(tmp_path, None, record={"max_body": size}).record.max_body == value


def head(text: str) -> str:
    return f"wiretape: 1\n{text}\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "wiretape.yaml:1:1: the version is missing; start the file with `wiretape: 1`"),
        ("wiretape: 2\nnew: 1\n", "wiretape.yaml:1:11: this wiretape reads `wiretape: 1`"),
        ("- 1\n", "wiretape.yaml:1:1: the file must be a mapping"),
        ("a: [\n",
            "wiretape.yaml:2:1: not readable as YAML: a value is missing here; quote it if it starts "
            "with `,` `:` or a bracket"),
        (head("sute: x"), "wiretape.yaml:2:1: unknown key 'sute'; did you mean suite?"),
        (head("service: {url: http://x:1, raedy: /}"), "wiretape.yaml:2:28: unknown key 'raedy'; did you mean ready?"),
        (head("targets: {a: {portocol: x}}"), "wiretape.yaml:2:15: unknown key 'portocol'; did you mean protocol?"),
        (head("record: {smaple: 1}"), "wiretape.yaml:2:10: unknown key 'smaple'; did you mean sample?"),
        (head("targets: [main]"), "wiretape.yaml:2:10: targets must be a mapping"),
        (head("suite: [x]"), "wiretape.yaml:2:8: suite: must be a path"),
        (head("service: {url: $X, listen: '${PORT}'}"),
            "wiretape.yaml:2:28: the environment variable PORT is not set; set it, or write ${PORT:-default}"),
        (head("service: {url: x.y}"), "wiretape.yaml:2:16: url: 'x.y' is not a URL; write http://HOST:PORT"),
        (head("service: {url: ftp://x}"), "wiretape.yaml:2:16: url: 'ftp://x' is not a URL; write http://HOST:PORT"),
        (head("service: {url: http://x/api}"),
            "wiretape.yaml:2:16: url: 'http://x/api' is more than http://HOST:PORT; the cases hold the paths"),
        (head("service: {ready: /}"), "wiretape.yaml:2:18: the service needs a `url`, such as http://127.0.0.1:8000"),
        (head("service: {url: http://x, ready: health}"),
            "wiretape.yaml:2:33: ready: must be a path such as /health; leave it out to wait for the port"),
        (head("service: {url: http://x, ready_timeout: 0}"),
            "wiretape.yaml:2:41: ready_timeout: must be a number of seconds, more than 0"),
        (head("service: {url: http://x, ready_timeout: soon}"), "wiretape.yaml:2:41: ready_timeout: must be a number"),
        (head("service: {url: http://x, env: [a]}"), "wiretape.yaml:2:31: env: must be a mapping"),
        (head("service: {url: http://x, command: [[a]]}"), "wiretape.yaml:2:35: command: must be a list of strings"),
        (head("service: {url: http://x, command: 'a \"b'}"), "wiretape.yaml:2:35: command: No closing quotation"),
        (head("targets: {main: {upstream: db.internal}}"),
            "wiretape.yaml:2:28: target main: auto has no usual port; write HOST:PORT"),
        (head("targets: {main: {protocol: auto, upstream: db.internal}}"),
            "wiretape.yaml:2:44: target main: auto has no usual port; write HOST:PORT"),
        (head("targets: {main: {protocol: postgre}}"),
            "wiretape.yaml:2:28: target main: unknown protocol 'postgre'; did you mean postgres?"),
        (head("targets: {main: {protocol: postgres, listen: 65536}}"),
            "wiretape.yaml:2:46: listen: '65536' is not an address; write PORT or HOST:PORT (port 0 to 65535)"),
        (head("targets: {main: {protocol: postgres, tls: maybe}}"),
            "wiretape.yaml:2:43: tls: must be auto, refuse or passthrough"),
        (head("targets: {a.b: {protocol: postgres}}"),
            "wiretape.yaml:2:27: targets: 'a.b' is not a target's name; use letters, digits, - and _"),
        (head("targets: {rows: {protocol: postgres}}"),
            "wiretape.yaml:2:28: 'rows' cannot name a target: it is a key of postgres calls; choose another name"),
        (head("targets: {ambiguous: {protocol: postgres}}"),
            "wiretape.yaml:2:33: 'ambiguous' cannot name a target: it is a key of postgres calls; choose another name"),
        (head("targets: {a: {protocol: postgres, listen: 7, upstream: 7}}"),
            "wiretape.yaml:2:56: target a would listen where its upstream does, 127.0.0.1:7"),
        (head("targets: {a: {protocol: postgres, listen: 7}, b: {protocol: postgres, listen: 127.0.0.1:7}}"),
            "target a and target b both listen on 127.0.0.1:7; give each an address of its own"),
        (head("service: {url: http://x, listen: 7}\ntargets: {a: {protocol: postgres, listen: 7}}"),
            "target a and the service both listen on 127.0.0.1:7; give each an address of its own"),
        (head("record: {sample: 2}"), "wiretape.yaml:2:18: sample: must be a share from 0 to 1"),
        (head("record: {serialize: maybe}"), "wiretape.yaml:2:21: serialize: must be true or false"),
        (head("record: {max_body: big}"), "wiretape.yaml:2:20: max_body: must be a size such as 1048576, 512KiB or 10MB"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_the_file_is_said_with_its_place(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError) as error:
        load(tmp_path, text)
    assert str(error.value).replace(f"{tmp_path}/", "") == message


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({"file": Path("none.yaml")}, "there is no configuration file none.yaml"),
        ({"environ": {"WIRETAPE_CONFIG": "gone.yaml"}}, "there is no configuration file gone.yaml"),
        ({"service": "8000"}, "--service: url: '8000' is not a URL; write http://HOST:PORT"),
        ({"service": "http://x@y"}, "--service: listen: 'y' is not an address; write PORT or HOST:PORT (port 0 to 65535)"),
        (
            {"deps": ["main"]},
            "--dep: cannot read 'main'; write NAME=PROTOCOL://UPSTREAM@LISTEN, such as main=postgres://127.0.0.1:5432@15432",
        ),
        ({"deps": ["main=redis_like://x"]}, "--dep: cannot read 'main=redis_like://x'; write NAME=PROTOCOL://UPSTREAM@LISTEN, "
            "such as main=postgres://127.0.0.1:5432@15432"),
        ({"deps": ["main=nope://x"]}, "--dep: target main: unknown protocol 'nope'; known: " + ", ".join(names(CODECS))),
        ({"deps": ["a b=postgres://x"]}, "--dep: targets: 'a b' is not a target's name; use letters, digits, - and _"),
        ({"record": {"sample": "x"}}, "--sample: sample: must be a number"),
        ({"record": {"max_body": "0"}}, "--max-body: max_body: must be a size such as 1048576, 512KiB or 10MB"),
        ({"environ": {"WIRETAPE_RECORD_SAMPLE": "x"}}, "WIRETAPE_RECORD_SAMPLE: sample: must be a number"),
        ({"environ": {"WIRETAPE_DEPS": "x"}}, "WIRETAPE_DEPS: cannot read 'x'; write NAME=PROTOCOL://UPSTREAM@LISTEN, "
            "such as main=postgres://127.0.0.1:5432@15432"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_flags_and_environment(tmp_path: Path, flags: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError) as error:
        load(tmp_path, None, **flags)  # type: ignore[arg-type]
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("dep", "protocol", "upstream", "secure", "verify"),
    [
        ("postgresql://db.internal", "postgres", "db.internal:5432", False, False),
        ("postgres://app:p%40ss@db.internal:5433/orders?sslmode=require@15432", "postgres", "db.internal:5433", False, False),
        ("tcp://10.0.0.1:25@2525", "raw", "10.0.0.1:25", False, False),
        ("tcp+tls://10.0.0.1:465", "raw", "10.0.0.1:465", True, False),
        ("auto://10.0.0.1:1", "auto", "10.0.0.1:1", False, False),
    ],
)
def test_schemes(tmp_path: Path, dep: str, protocol: str, upstream: str, secure: bool, verify: bool) -> None:
    target = load(tmp_path, None, deps=[f"main={dep}"]).targets["main"]
    assert (target.protocol, str(target.upstream), target.secure, target.verify) == (protocol, upstream, secure, verify)
    if "orders" in dep:
        assert (target.user, target.password, target.database, target.listen.port) == ("app", "p@ss", "orders", 15432)


def test_every_alias_says_what_it_stands_for() -> None:
    assert {name: (one.codec, one.tls) for name, one in ALIASES.items()} == {
        "postgresql": ("postgres", False),
        "mariadb": ("mysql", False),
        "rediss": ("redis", True),
        "valkey": ("redis", False),
        "mongodb": ("mongo", False),
        "mongodb+tls": ("mongo", True),
        "https": ("http", True),
        "grpc": ("http", False),
        "grpcs": ("http", True),
        "tcp": ("raw", False),
        "tcp+tls": ("raw", True),
    }


def test_a_target_without_a_protocol_is_found_out(tmp_path: Path) -> None:
    assert load(tmp_path, head("targets: {main: {upstream: 'x:1'}}")).targets["main"].protocol == "auto"
