"""httpx, HTTP/2: `httpx2_client.py URL` prints one JSON line for each step."""

import json
import sys
from contextlib import suppress

import httpx

HTTP2 = True


def show(name: str, response: httpx.Response) -> None:
    kind = response.headers.get("content-type", "")
    told = (
        response.json() if "json" in kind and response.content else response.text if "text" in kind else len(response.content)
    )
    print(json.dumps([name, response.status_code, response.http_version, told]), flush=True)


def main(url: str, http2: bool) -> None:
    with httpx.Client(base_url=url, http1=not http2, http2=http2, headers={"x-api-key": "k1"}, verify=False) as client:
        show("root", client.get("/"))
        show("head", client.head("/"))
        show("item", client.get("/items/7"))
        show("item again", client.get("/items/7"))
        show("search", client.get("/search", params=[("q", "a b"), ("page", "2"), ("q", "ü&=")]))
        show("create", client.post("/items", json={"name": "Lamp", "price": 1.50, "tags": ["x", None]}))
        show("replace", client.put("/items/8", json={"name": "Desk"}))
        show("delete", client.delete("/items/8"))
        show("form", client.post("/form", data={"b": "2 3", "a": "ü"}))
        show("upload", client.post("/upload", files={"f": ("a.txt", b"file content"), "g": ("b.txt", b"file content")}))
        show("words", client.get("/words"))
        show("stream", client.get("/stream"))
        show("large", client.get("/large"))
        show("redirect", client.get("/redirect", follow_redirects=True))
        show("cookies", client.get("/cookies"))
        show("cookies again", client.get("/cookies"))
        show("broken", client.get("/broken"))
        show("missing", client.get("/nothing/here"))
        with client.stream("GET", "/events") as events:
            print(json.dumps(["events", [line for line in events.iter_lines() if line]]), flush=True)


if __name__ == "__main__":
    with suppress(BrokenPipeError):
        main(sys.argv[1], HTTP2)
