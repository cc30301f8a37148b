"""Which live value stands for which recorded one in this run, and when two values mean the same."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from operator import is_
from types import MappingProxyType
from urllib.parse import quote, unquote

from normalizers.base import When
from normalizers.moments import moment_of
from normalizers.pipeline import explain, volatile
from normalizers.tokens import claim_varies
from replayer import signed, wrapped
from replayer.digests import Digests
from wiretape.case import Request
from wiretape.tree import Tree, same, walk

LONG = 12  # characters from which a bound value is replaced inside a longer text, too
_TEXT_LIMIT = 65536
_TIME = r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?: ?(?:Z|[+-]\d\d(?::?\d\d)?))?"
_UUID = re.compile(r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")
_WHOLE = 2048  # characters of a text that may be bound as a whole
_URL = re.compile(r"https?://[^/]*(?=/)")
_HEX = re.compile(r"(?<![0-9A-Za-z])[0-9a-fA-F]{32,128}(?![0-9A-Za-z])")
_ONE_WORD = re.compile(r"[^\s{}\[\]\"]{38,512}")
# Words within a text: first without the slash that parts a path, then with what base64 may hold; each as in a URL, too.
_WORDS = tuple(
    re.compile(rf"({_TIME}|{word})", re.ASCII)
    for word in (r"[\w.~+-]+", r"[\w.~+%-]+={0,2}", r"[\w.~+/-]+={0,2}", r"[\w.~+/%-]+={0,2}")
)


class Bindings:
    """The pairs recorded -> live of one run.

    A pair is made only for a value the service itself made up: one that has been in a request or in an answer served (`learn`)
    came from outside, so it must come back as it was.
    """

    def __init__(self) -> None:
        self._live: dict[str, str] = {}
        self._recorded: dict[str, str] = {}
        self._long: list[str] = []
        self._known: set[str] = set()
        self._texts: list[str] = []
        self._digests = Digests()
        self._until: dict[str, float] = {}
        self.version = 0

    def __len__(self) -> int:
        return len(self._live)

    def settled(self, value: str) -> bool:
        """Whether it is known what a recorded value is in this run: another one that stands for it, or itself."""
        return value in self._live or self._is_known(value)

    @property
    def pairs(self) -> Mapping[str, str]:
        """Recorded -> live, in the order they were bound."""
        return MappingProxyType(self._live)

    def learn(self, tree: Tree) -> None:
        """Every scalar in `tree` came from outside the service."""
        for _, value in walk(tree):
            if isinstance(value, list | dict) or value is None:
                continue
            text = str(value)
            self._known.add(text)
            if len(text) > LONG:
                self._texts.append(text)

    def stand[T: Tree](self, tree: T) -> T:
        """The tree with every recorded value replaced by the live one that stands for it; the very same object if none is."""
        return _replaced(self, tree) if self._live else tree  # type: ignore[return-value]

    def text(self, text: str) -> str:
        """The same for one string: as a whole, or inside it where the bound value is long enough to be unmistakable."""
        whole = self._live.get(text)
        if whole is not None:
            return whole
        if len(text) <= LONG:
            return text
        if self._live and (digest := self._digest(text)) is not None:
            return digest
        found = [value for value in self._long if value in text]
        if found:
            pattern = "|".join(re.escape(value) for value in sorted(found, key=len, reverse=True))
            text = re.sub(pattern, lambda match: self._written(match[0]), text)
        elif self._live:
            text = _HEX.sub(lambda match: self._digest(match[0]) or match[0], text)
        return wrapped.within(text, self.text) if self._long else text

    def _written(self, form: str) -> str:
        """The live value in the form in which the recorded one is written."""
        live = self._live.get(form)
        if live is not None:
            return live
        plain = unquote(form)
        return _quoted(self._live[plain], "" if _quoted(plain, "") == form else "/")

    def _digest(self, text: str) -> str | None:
        """The hash of a live value, where this is the hash of what it stands for."""
        return self._digests.live(text, self._live)

    def recorded(self, value: Tree) -> Tree:
        """The recorded value a live one stands for; the value itself where it stands for none."""
        return self._recorded.get(value, value) if isinstance(value, str) else value

    def meet(self, recorded: Tree, live: Tree, when: When) -> bool:
        """Whether the two mean the same here: equal, bound to each other, or of one volatile kind and agreeing.

        A value that names one thing (a UUID, a token) agrees with another only if both are fresh; then they are bound. Nothing
        is bound unless all of the tree agrees.
        """
        return same(recorded, live) or self.meet_all((recorded,), (live,), when)

    def meet_all(self, recorded: Sequence[Tree], live: Sequence[Tree], when: When) -> bool:
        """`meet` for each pair, all or nothing."""
        if len(recorded) != len(live):
            return False
        mark = self.mark()
        if all(self._meets(left, right, when) for left, right in zip(recorded, live, strict=True)):
            return True
        self.undo(mark)
        return False

    def alike(self, when: When) -> Callable[[Tree, Tree], bool]:
        """`meet` for a finding that shows where two asks differ: it binds nothing."""

        def means(recorded: Tree, live: Tree) -> bool:
            mark = self.mark()
            met = self.meet(recorded, live, when)
            self.undo(mark)
            return met

        return means

    def mark(self) -> int:
        """A point to go back to with `undo`."""
        return len(self._live)

    def undo(self, mark: int) -> None:
        """Forgets the pairs made since `mark`."""
        while len(self._live) > mark:
            recorded, live = self._live.popitem()
            del self._recorded[live]
            for form in reversed(_forms(recorded)):
                if self._long and self._long[-1] == form:
                    self._long.pop()
            self.version += 1

    def _meets(self, recorded: Tree, live: Tree, when: When) -> bool:
        if isinstance(recorded, dict) and isinstance(live, dict):
            return recorded.keys() == live.keys() and all(
                self._meets(value, live[key], when) for key, value in recorded.items()
            )
        if isinstance(recorded, list) and isinstance(live, list):
            return len(recorded) == len(live) and all(self._meets(*pair, when) for pair in zip(recorded, live, strict=True))
        if same(recorded, live) or (self._live and isinstance(recorded, str) and self.text(recorded) == live):
            return True
        if not isinstance(recorded, str) or not isinstance(live, str):
            found = explain(recorded, live, when)
            return found is not None and (not found.identity or self._bind(str(recorded), str(live)))
        return self._texts_meet(recorded, live, when)

    def _texts_meet(self, recorded: str, live: str, when: When) -> bool:
        if (inner := wrapped.trees(recorded, live)) is not None:
            return self._meets(*inner, when) and self._bind_whole(recorded, live, when)
        if (judged := self._form_meets(recorded, live, when)) is not None:
            return judged
        found = explain(recorded, live, when)
        if found is not None:
            return not found.identity or self._bind_spelled(recorded, live)
        if len(recorded) <= _TEXT_LIMIT and len(live) <= _TEXT_LIMIT:
            return self._parts_meet(recorded, live, when) and self._bind_whole(recorded, live, when)
        return False

    def _form_meets(self, recorded: str, live: str, when: When) -> bool | None:
        """What says more than a token, of which only the look would be compared; None where it is no such text."""
        digest = self._digest(recorded) if self._live else None
        if digest is not None:
            return digest == live and (digest in self._recorded or self._bind(recorded, live))
        named = self._names_meet(recorded, live)
        return self._signed_meet(recorded, live, when) if named is None else named

    def _signed_meet(self, recorded: str, live: str, when: When) -> bool | None:
        """Whether two signed tokens say the same (by bindings, times by their clocks); None where they say nothing."""
        mine = signed.read(recorded)
        if mine is None:
            return None
        theirs = signed.read(live)
        if theirs is None or mine.form != theirs.form or not same(mine.header, theirs.header):
            return False
        if mine.at is not None and theirs.at is not None and not when.agree(mine.at, theirs.at):
            return False
        said, says = mine.payload, theirs.payload
        if not mine.claims or not isinstance(said, dict) or not isinstance(says, dict):
            return self._meets(said, says, when) and self._bind(recorded, live)
        claims = said.keys() == says.keys() and all(
            self._meets(value, says[name], when) or claim_varies(name, value, says[name], when) for name, value in said.items()
        )
        return claims and self._bind(recorded, live)

    def _parts_meet(self, recorded: str, live: str, when: When) -> bool:
        """Texts that are JSON, or that hold values between equal words: `/orders/<uuid>`, `created at <timestamp>`."""
        if recorded[:1] in ("{", "[") and recorded[:1] == live[:1]:
            try:
                return self._meets(json.loads(recorded), json.loads(live), when)
            except (ValueError, RecursionError):
                pass  # it only looked like JSON
        for words in _WORDS:
            mark = self.mark()
            if self._words_meet(words.split(recorded), words.split(live), when):
                return True
            self.undo(mark)
        return False

    def _words_meet(self, left: Sequence[str], right: Sequence[str], when: When) -> bool:
        one_word = len(left) == 3 and not left[0] and not left[2]
        if one_word or len(left) != len(right):
            return False
        return all(
            mine == theirs or (at % 2 == 1 and self._word_meets(mine, theirs, when))
            for at, (mine, theirs) in enumerate(zip(left, right, strict=True))
        )

    def _names_meet(self, recorded: Tree, live: Tree) -> bool | None:
        """Whether two words with UUIDs in them (`task-<uuid>`) name the same; None where they are no such words. They are not
        judged as tokens: the UUID may be bound already, to another."""
        if not isinstance(recorded, str) or not isinstance(live, str) or not _ONE_WORD.fullmatch(recorded):
            return None
        left, right = _UUID.split(recorded), _UUID.split(live)
        if len(left) < 3 or len(left) != len(right) or left[::2] != right[::2] or not any(left[::2]):
            return None
        return all(
            self.text(mine) == theirs or self._bind(mine, theirs) for mine, theirs in zip(left[1::2], right[1::2], strict=True)
        )

    def _word_meets(self, recorded: str, live: str, when: When) -> bool:
        if self.text(recorded) == live:
            return True
        if "%" in recorded and (plain := (unquote(recorded), unquote(live))) != (recorded, live):
            return self._texts_meet(*plain, when)
        if (judged := self._form_meets(recorded, live, when)) is not None:
            return judged
        found = explain(recorded, live, when)
        return found is not None and (not found.identity or self._bind(recorded, live))

    def _bind(self, recorded: str, live: str) -> bool:
        if recorded in self._live or live in self._recorded or self._is_known(recorded) or self._is_known(live):
            return False
        self._take(recorded, live)
        return True

    def _take(self, recorded: str, live: str) -> None:
        self._live[recorded] = live
        self._recorded[live] = recorded
        if len(recorded) >= LONG:
            self._long.extend(_forms(recorded))
        self.version += 1

    def _bind_whole(self, recorded: str, live: str, when: When) -> bool:
        """A text whose words were bound may hold more that is the service's own (when a signed URL expires): it comes back as
        it is, or as the path of a URL."""
        if len(recorded) > _WHOLE or "\n" in recorded or self.text(recorded) in (recorded, live):
            return True
        for mine, theirs in ((recorded, live), (_URL.sub("", recorded), _URL.sub("", live))):
            if len(mine) >= LONG and self.text(mine) != theirs and self._bind(mine, theirs):
                moments = (moment.at for word in words(mine) if (moment := moment_of(word)) and moment.at > when.recorded)
                self._until[mine] = min(moments, default=math.inf)
        return True

    def expired(self, text: str, at: float) -> bool:
        """Whether a recorded text that was bound as a whole says a moment, later than it was made, that was over at `at`."""
        return self._until.get(text, math.inf) < at and text in self._live

    def declare(self, recorded: str, live: str) -> None:
        """A link says that the one stands for the other, wherever the values came from; no short one, which would be taken for
        others that look the same."""
        if recorded != live and len(recorded) >= LONG and recorded not in self._live and live not in self._recorded:
            self._take(recorded, live)

    def _bind_spelled(self, recorded: Tree, live: Tree) -> bool:
        """A codec's value may compare otherwise than it is written (a UUID without its hyphens, as `str` shows it): both forms
        are bound, so that it is found again by either."""
        if not isinstance(recorded, str) or not isinstance(live, str):
            return self._bind(str(recorded), str(live))
        written, compared = (str(recorded), str(live)), (str.__str__(recorded), str.__str__(live))
        other_words = all(mine != theirs for mine, theirs in zip(written, compared, strict=True))
        return self._bind(*compared) and (not other_words or self._bind(*written))

    def _is_known(self, text: str) -> bool:
        return text in self._known or (len(text) >= LONG and any(text in known for known in self._texts))


def standing(request: Request, bindings: Bindings) -> Request:
    """The request with live values in place of the recorded ones they stand for."""
    if not len(bindings):
        return request
    return replace(
        request,
        target=bindings.text(request.target),
        headers=tuple((name, bindings.text(value)) for name, value in request.headers),
        body=replace(request.body, value=bindings.stand(request.body.value)),
        trailers=tuple((name, bindings.text(value)) for name, value in request.trailers),
    )


def words(text: str) -> Iterator[str]:
    """The words in a text that might stand for others by themselves."""
    return chain.from_iterable(pattern.findall(text) for pattern in (*_WORDS, _UUID))


def may_vary(value: Tree) -> bool:
    """Whether a recorded value may mean the same as one that differs from it: it is of a kind that varies, or holds such words.

    False is certain: `meet` then takes nothing but the value itself, whatever is bound.
    """
    if isinstance(value, dict | list) or volatile(value):
        return True
    if not isinstance(value, str):
        return False
    if len(value) > _TEXT_LIMIT or value[:1] in ("{", "["):
        return True
    return any(len(word) >= LONG or volatile(word) for words in _WORDS for word in words.findall(value))


def _forms(text: str) -> tuple[str, ...]:
    """How a value is written within longer texts: as it is, and in a URL."""
    return (text,) if text.isalnum() else tuple(dict.fromkeys((text, _quoted(text, "/"), _quoted(text, ""))))


def _quoted(text: str, safe: str) -> str:
    return quote(text.encode("utf-8", "surrogatepass"), safe=safe)


def _replaced(bindings: Bindings, tree: Tree) -> Tree:
    if isinstance(tree, str):
        return bindings.text(tree)
    if isinstance(tree, list):
        items = [_replaced(bindings, item) for item in tree]
        return tree if all(map(is_, items, tree)) else items
    if isinstance(tree, dict):
        entries = {key: _replaced(bindings, value) for key, value in tree.items()}
        return tree if all(map(is_, entries.values(), tree.values())) else entries
    return tree
