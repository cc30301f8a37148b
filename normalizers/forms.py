"""Texts known by their form: `like ORD-{6 hex}`, `timestamp %d/%m/%Y %H:%M`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from normalizers.base import Paired
from wiretape.tree import Tree

# From the narrowest to the widest: the first that holds every character seen is the one to name.
ALPHABETS: Mapping[str, str] = MappingProxyType(
    {
        "digits": "0-9",
        "hex": "0-9a-f",
        "HEX": "0-9A-F",
        "lower": "a-z",
        "upper": "A-Z",
        "base36": "0-9a-z",
        "BASE36": "0-9A-Z",
        "letters": "A-Za-z",
        "alnum": "0-9A-Za-z",
        "base64": "0-9A-Za-z+/_=-",
    }
)
_YEAR = re.compile(r"%[YyGcxDs]")
_FIELD = re.compile(r"\{(\d{1,4})(?:-(\d{1,4}))? (\w+)\}")


@dataclass(frozen=True, slots=True)
class Like(Paired):
    """A text of this form: `{6 hex}` and `{1-3 digits}` stand for so many characters of an alphabet, all else for itself."""

    name: str
    form: re.Pattern[str]

    @classmethod
    def parse(cls, text: str) -> Like | None:
        """The kind a rule names so; None where it is another, or names an alphabet there is not."""
        word, _, pattern = text.partition(" ")
        if word != "like" or not pattern:
            return None
        fields = list(_FIELD.finditer(pattern))
        if any(found[3] not in ALPHABETS for found in fields):
            return None
        form, done = "", 0
        for found in fields:
            times = found[1] if found[2] is None else f"{found[1]},{found[2]}"
            if found[2] is not None and int(found[2]) < int(found[1]):
                return None
            form += re.escape(pattern[done : found.start()]) + f"[{ALPHABETS[found[3]]}]{{{times}}}"
            done = found.end()
        return cls(text, re.compile(form + re.escape(pattern[done:])))

    def recognises(self, value: Tree) -> bool:
        return isinstance(value, str) and bool(self.form.fullmatch(value))

    def takes(self, recorded: Tree, live: Tree) -> bool:  # noqa: ARG002 - the form says it all
        return self.recognises(live)

    def fault(self) -> str:
        return f"not {self.name}"


@dataclass(frozen=True, slots=True)
class Written(Paired):
    """A moment as `datetime.strptime` reads it with this format."""

    name: str
    form: str

    @classmethod
    def parse(cls, text: str) -> Written | None:
        """The kind a rule names so; None where it is another, or no format."""
        word, _, form = text.partition(" ")
        if word != "timestamp" or "%" not in form:
            return None
        kind = cls(text, form)
        try:
            readable = kind.recognises(datetime(2020, 2, 3, 4, 5, 6, 7).astimezone().strftime(form))
        except ValueError:
            return None
        return kind if readable else None

    def recognises(self, value: Tree) -> bool:
        if not isinstance(value, str):
            return False
        # Without a year the 29th of February could not be read.
        year = "" if _YEAR.search(self.form) else "%Y "
        try:
            datetime.strptime(f"2024 {value}" if year else value, year + self.form)
        except ValueError:
            return False
        return True

    def takes(self, recorded: Tree, live: Tree) -> bool:  # noqa: ARG002 - the form says it all
        return self.recognises(live)

    def fault(self) -> str:
        return f"no longer a {self.name}"
