"""A simulated shop under load, whose truth is known: requests, the calls each caused, and when all of it happened.

Discrete events, no clock: every latency is drawn from a seeded generator. What the shop does is written as generators that
yield the calls they make, so that reading it tells what the truth is.
"""

from __future__ import annotations

import heapq
import json
import random
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from functools import cached_property

from recorder.attribute import Outbound, Window
from recorder.evidence import Said, Told, said, told
from recorder.routes import Routes
from wiretape.protocols.base import Ask, Interaction
from wiretape.protocols.http import Exchange
from wiretape.tree import Tree

type Sql = tuple[str, tuple[Tree, ...]]
type Handler = Generator[Sql, list[list[Tree]], tuple[int, Tree]]


@dataclass(kw_only=True)
class Recording:
    """What the attributor sees, and `truth`: for each call the window that made it, -1 for none."""

    windows: list[Window] = field(default_factory=list)
    exchanges: list[Exchange] = field(default_factory=list)
    outbound: list[Outbound] = field(default_factory=list)
    truth: dict[int, int] = field(default_factory=dict)  # by id of the interaction

    @cached_property
    def routes(self) -> Routes:
        return Routes((one.method, one.target) for one in self.exchanges)

    def request(self, window: int) -> Said:
        return said(self.exchanges[window], self.routes)

    def call(self, outbound: Outbound) -> Told:
        one = outbound.interaction
        params = one.fields["params"]
        assert isinstance(params, list)
        return told(Ask(target="main", operation=one.operation, shape=one.operation, values=tuple(params)), one.fields)


class Database:
    """Just enough state for answers to depend on who asks when."""

    def __init__(self, random_: random.Random) -> None:
        self._random = random_
        self.orders: list[tuple[int, int, str, float]] = []

    def answer(self, sql: str, params: tuple[Tree, ...]) -> list[list[Tree]]:
        first = params[0] if params else None
        match sql.split()[0], sql:
            case "insert", _:
                self.orders.append((len(self.orders) + 5000, int(str(params[0])), str(params[1]), float(str(params[3]))))
                return [[self.orders[-1][0]]]
            case _, "select * from users where id = ?" | "select tier from users where id = ?":
                return [[first, f"user {first}"]] if "*" in sql else [["gold" if int(str(first)) % 3 else "basic"]]
            case _, "select id, sku, total from orders where user_id = ?":
                return [[one, sku, total] for one, user, sku, total in self.orders if user == first][-5:]
            case _, "select sku from baskets where user = ?":
                return [[f"SKU{(int(str(first)) + n) % 5}"] for n in range(1 + int(str(first)) % 3)]
            case _, "select title from items where sku = ?":
                return [[f"title of {first}"]]
            case _, "select price from items where sku = ?":
                return [[10.0 + int(str(first)[3:]) % 17]]
            case _, "select id, name from users where email like ?":
                number = int(str(first).strip("%u"))
                return [[number * 10 + n, f"user {number * 10 + n}"] for n in range(3)]
            case _, "select count(*) from orders":
                return [[len(self.orders)]]
            case _, "select max(id) from orders":
                return [[max((one for one, *_ in self.orders), default=0)]]
        return [[1]]


class Shop:
    """Clients that keep `load` requests in flight; ids from 1 to `ids`; a poller if `background`; a route that asks for each
    line of what it found if `baskets`. Each route is asked `warm` times alone first."""

    def __init__(
        self,
        *,
        load: int,
        requests: int,
        ids: int,
        background: bool = False,
        baskets: bool = False,
        seed: int = 1,
        warm: int = 3,
    ) -> None:
        self._random = random.Random(seed)
        self._ids, self._load, self._requests, self._warm = ids, load, requests, warm
        self._database = Database(self._random)
        self._queue: list[tuple[float, int, Callable[[float], None]]] = []
        self._order = 0
        self._started = 0
        self._free = list(range(8 if load > 1 else 1))
        self._waiting: list[Callable[[float, int], None]] = []
        self._transactions = 0
        self._background = background
        self._kinds = [self._user, self._order_, self._search, self._stats, self._health, *([self._basket] if baskets else [])]
        self.recording = Recording()

    def run(self) -> Recording:
        now = 0.0
        for kind in self._kinds * self._warm:
            self._begin(kind, now, again=False)
            now = self._drain() + 0.02
        if self._background:
            self._at(now, lambda at: self._poll(at))
        for _ in range(self._load):
            self._next(now)
        self._drain()
        rec = self.recording
        order = sorted(range(len(rec.windows)), key=lambda n: rec.windows[n].started)
        place = {old: new for new, old in enumerate(order)}
        rec.windows = [rec.windows[n] for n in order]
        rec.exchanges = [rec.exchanges[n] for n in order]
        rec.truth = {one: place.get(window, -1) for one, window in rec.truth.items()}
        return rec

    def _at(self, time: float, do: Callable[[float], None]) -> None:
        self._order += 1
        heapq.heappush(self._queue, (time, self._order, do))

    def _drain(self) -> float:
        now = 0.0
        while self._queue:
            now, _, do = heapq.heappop(self._queue)
            do(now)
        return now

    def _poll(self, now: float) -> None:
        if self._started < self._requests:
            self._call(now, -2, ("select * from jobs where state = 'new'", ()), lambda at, _: self._at(at + 0.01, self._poll))

    def _next(self, now: float) -> None:
        if self._started < self._requests:
            self._begin(self._random.choices(self._kinds, [40, 25, 15, 10, 10, 30][: len(self._kinds)])[0], now)

    def _begin(self, kind: Callable[[], tuple[str, str, Tree, Handler]], now: float, *, again: bool = True) -> None:
        self._started += again
        method, target, content, handler = kind()
        number = len(self.recording.windows)
        self.recording.windows.append(Window(started=now, ended=now))
        self.recording.exchanges.append(_exchange(method, target, content, 0, None, now, now))
        connection: list[int] = []

        def step(at: float, rows: list[list[Tree]] | None) -> None:
            try:
                sql = handler.send(rows) if rows is not None else next(handler)  # type: ignore[arg-type]
            except StopIteration as over:
                status, body = over.value
                self.recording.windows[number] = Window(started=now, ended=at)
                self.recording.exchanges[number] = _exchange(method, target, content, status, body, now, at)
                if again:
                    self._next(at)
                return
            self._at(
                at + self._random.expovariate(1 / 0.003),
                lambda later: self._call(later, number, sql, step, connection),
            )

        step(now, None)

    def _call(
        self,
        now: float,
        window: int,
        sql: Sql,
        then: Callable[[float, list[list[Tree]]], None],
        held: list[int] | None = None,
    ) -> None:
        held = [] if held is None else held

        def go(at: float, connection: int) -> None:
            text, params = sql
            if text == "begin":
                self._transactions += 1
                held[:] = [connection, self._transactions]
            transaction = held[1] if held else None
            rows = self._database.answer(text, params)
            ended = at + self._random.expovariate(1 / 0.002)
            role = {"begin": "begin", "commit": "end"}.get(text, "query")
            one = Interaction(
                operation=text,
                fields={"params": list(params), "rows": [list(row) for row in rows]} if role == "query" else {"params": []},
                started=at,
                ended=ended,
                transaction=transaction,
                role=role,  # type: ignore[arg-type]
            )
            self.recording.outbound.append(Outbound(target="main", connection=connection, interaction=one))
            self.recording.truth[id(one)] = window
            if text == "commit":
                held.clear()
            self._at(ended, lambda later: (None if held else self._release(later, connection), then(later, rows))[1])

        if held:
            go(now, held[0])
        elif self._free:
            go(now, self._free.pop())
        else:
            self._waiting.append(go)

    def _release(self, now: float, connection: int) -> None:
        if self._waiting:
            self._waiting.pop(0)(now, connection)
        else:
            self._free.append(connection)

    def _id(self) -> int:
        return self._random.randint(1, self._ids)

    def _user(self) -> tuple[str, str, Tree, Handler]:
        one = self._id()

        def handle() -> Handler:
            user = (yield "select * from users where id = ?", (one,))[0]
            orders = yield "select id, sku, total from orders where user_id = ?", (one,)
            return 200, {
                "id": one,
                "name": user[1],
                "orders": [dict(zip(("id", "sku", "total"), o, strict=True)) for o in orders],
            }

        return "GET", f"/users/{one}", None, handle()

    def _order_(self) -> tuple[str, str, Tree, Handler]:
        user, sku, quantity = self._id(), f"SKU{self._random.randint(1, max(self._ids // 10, 10))}", self._random.randint(1, 5)

        def handle() -> Handler:
            yield "select tier from users where id = ?", (user,)
            yield "begin", ()
            price = float(str((yield "select price from items where sku = ?", (sku,))[0][0]))
            one = (yield "insert into orders values (?, ?, ?, ?)", (user, sku, quantity, price * quantity))[0][0]
            yield "update items set stock = stock - ? where sku = ?", (quantity, sku)
            yield "commit", ()
            return 201, {"order": one, "total": price * quantity}

        return "POST", "/orders", {"user_id": user, "sku": sku, "qty": quantity}, handle()

    def _search(self) -> tuple[str, str, Tree, Handler]:
        term = f"u{self._id()}"

        def handle() -> Handler:
            found = yield "select id, name from users where email like ?", (f"%{term}%",)
            return 200, [{"id": row[0], "name": row[1]} for row in found]

        return "GET", f"/search?q={term}", None, handle()

    def _basket(self) -> tuple[str, str, Tree, Handler]:
        user = self._id()

        def handle() -> Handler:
            lines = yield "select sku from baskets where user = ?", (user,)
            found: list[Tree] = []
            for (sku,) in lines:
                found.append({"sku": sku, "title": (yield "select title from items where sku = ?", (sku,))[0][0]})
            return 200, found

        return "GET", f"/users/{user}/basket", None, handle()

    def _stats(self) -> tuple[str, str, Tree, Handler]:
        def handle() -> Handler:
            count = (yield "select count(*) from orders", ())[0][0]
            last = (yield "select max(id) from orders", ())[0][0]
            return 200, {"n": count, "m": last}

        return "GET", "/stats", None, handle()

    def _health(self) -> tuple[str, str, Tree, Handler]:
        def handle() -> Handler:
            yield "select 1 as ok", ()
            return 200, {"ok": True}

        return "GET", "/health", None, handle()


def _exchange(method: str, target: str, content: Tree, status: int, body: Tree, started: float, ended: float) -> Exchange:
    json_type = (("content-type", "application/json"),)
    return Exchange(
        method=method,
        target=target,
        request_headers=json_type,
        request_body=b"" if content is None else json.dumps(content).encode(),
        request_trailers=(),
        status=status,
        reason="",
        response_headers=json_type,
        response_body=json.dumps(body).encode(),
        response_trailers=(),
        interim=(),
        started=started,
        ended=ended,
        incomplete="",
    )
