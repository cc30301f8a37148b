"""requests: `requests_client.py URL` prints one JSON line for each step."""

import json
import sys

import requests


def show(name: str, response: requests.Response) -> None:
    kind = response.headers.get("content-type", "")
    told = (
        response.json() if "json" in kind and response.content else response.text if "text" in kind else len(response.content)
    )
    print(json.dumps([name, response.status_code, told]), flush=True)


def main(url: str) -> None:
    with requests.Session() as client:
        client.headers["authorization"] = "Bearer token-1"
        show("root", client.get(url))
        show("head", client.head(url))
        show("item", client.get(f"{url}/items/7"))
        show("search", client.get(f"{url}/search", params={"q": "a b", "page": 2}))
        show("create", client.post(f"{url}/items", json={"name": "Lamp", "price": 1.5}))
        show("patch", client.patch(f"{url}/items/9", json={"name": "ü"}))
        show("delete", client.delete(f"{url}/items/9"))
        show("form", client.post(f"{url}/form", data=[("a", "1"), ("a", "2"), ("b", "x y")]))
        show("upload", client.post(f"{url}/upload", files={"f": ("a.txt", b"file content")}))
        show("chunked", client.post(f"{url}/items", data=iter([b'{"a"', b": 1}"])))
        show("words", client.get(f"{url}/words"))
        show("large", client.get(f"{url}/large"))
        show("redirect", client.get(f"{url}/redirect"))
        show("cookies", client.get(f"{url}/cookies"))
        show("cookies again", client.get(f"{url}/cookies"))
        show("broken", client.get(f"{url}/broken"))
        with client.get(f"{url}/events", stream=True) as events:
            print(json.dumps(["events", [line.decode() for line in events.iter_lines() if line]]), flush=True)
        with client.get(f"{url}/stream", stream=True) as stream:
            print(json.dumps(["stream", [line.decode() for line in stream.iter_lines()]]), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
