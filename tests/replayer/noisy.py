"""A service for the tests of learning: `python noisy.py PORT [BEHAVIOUR]`; asks PostgreSQL where DATABASE_URL is set."""

from __future__ import annotations

import json
import os
import random
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

BEHAVIOUR = sys.argv[2] if len(sys.argv) > 2 else ""
CITIES = ("Aachen", "Bonn", "Celle", "Dessau", "Essen", "Fulda")


def rows(sql: str, *params: object) -> list[tuple[object, ...]]:
    import psycopg

    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        found = connection.execute(sql, params)
        return list(found.fetchall()) if found.description else []


def report() -> object:
    cities = [{"city": city, "share": round(random.uniform(0.5, 0.5002), 7), "unit": "%"} for city in set(CITIES)]
    total = 7 if BEHAVIOUR == "other" else 6
    return {"total": total, "cities": cities, "by": f"worker-{random.randrange(16**8):08x}"}


def order() -> object:
    wanted = set(CITIES)
    places = ", ".join(["%s"] * len(wanted))
    found = rows(f"SELECT name, size FROM cities WHERE name IN ({places}) AND size > %s", *wanted, 10)
    number = f"N-{random.randrange(16**8):08x}"
    for _ in range(random.choice([1, 2]) if BEHAVIOUR == "calls" else 1):
        rows("INSERT INTO orders (number, size) VALUES (%s, %s)", number, 11 if BEHAVIOUR == "write" else 10)
    return {"number": number, "cities": sorted(name for name, _ in found)}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        work = {"/report": report, "/order": order, "/plain": lambda: {"ok": True}}[self.path]
        status = random.choice([200, 500]) if BEHAVIOUR == "flapping" else 200
        try:
            told = work()
        except Exception as error:  # noqa: BLE001 - as a framework would
            status, told = 500, {"error": str(error)}
        data = json.dumps(told).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args: object) -> None:
        pass


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
