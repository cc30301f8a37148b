"""urllib and http.client of the standard library: `urllib_client.py URL` prints one JSON line for each step."""

import http.client
import json
import sys
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen


def show(name: str, request: Request) -> None:
    try:
        with urlopen(request) as response:
            print(json.dumps([name, response.status, response.read().decode("latin-1")[:200]]), flush=True)
    except HTTPError as error:
        print(json.dumps([name, error.code, error.read().decode()]), flush=True)


def main(url: str) -> None:
    show("item", Request(f"{url}/items/7"))
    show("create", Request(f"{url}/items", data=b'{"a": 1}', headers={"Content-Type": "application/json"}))
    show("delete", Request(f"{url}/items/7", method="DELETE"))
    show("missing", Request(f"{url}/missing"))
    show("redirect", Request(f"{url}/redirect"))
    show("stream", Request(f"{url}/stream"))
    connection = http.client.HTTPConnection(urlsplit(url).netloc)
    for path in ("/", "/items/1", "/large"):
        connection.request("GET", path)
        response = connection.getresponse()
        print(json.dumps(["kept alive", response.status, response.version, len(response.read())]), flush=True)
    connection.close()


if __name__ == "__main__":
    main(sys.argv[1])
