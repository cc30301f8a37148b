"""What a REST path says of the things behind it: the collection, one thing of it, and what its id is called elsewhere."""

from __future__ import annotations

import re

_ID = re.compile(r"[^/]*\d[^/]*")  # a segment of a path that is no word
_VERSION = re.compile(r"v\d+", re.IGNORECASE)


def collection(target: str) -> str:
    """The path of a request up to its last word: `/users/3/orders` of `/users/3/orders?x=1`, and of `/users/3/orders/17`."""
    segments = target.partition("?")[0].rstrip("/").split("/")
    while len(segments) > 1 and _ID.fullmatch(segments[-1]) and not _VERSION.fullmatch(segments[-1]):
        segments.pop()
    return "/".join(segments)


def of_collection(target: str, path: str) -> bool:
    """Whether a request is for the collection at `path` or one thing in it, not for what belongs to that."""
    asked = target.partition("?")[0].rstrip("/")
    return asked == path or (asked.startswith(f"{path}/") and "/" not in asked[len(path) + 1 :])


def word(path: str) -> str:
    """The last word of a collection's path: `orders`."""
    return path.rpartition("/")[2]


def id_names(path: str) -> frozenset[str]:
    """What the id of a thing of the collection is called where it is not the thing itself: `order_id`, `orderId`."""
    name = word(path)
    one = f"{name[:-3]}y" if name.endswith("ies") else re.sub(r"(?<=[xsz])es$|(?<=[cs]h)es$|s$", "", name)
    return frozenset((f"{one}_id", f"{one}Id", f"{one}ID", f"{one}-id")) if one else frozenset()
