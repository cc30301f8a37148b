"""The database's own types, learned from the result sets with which drivers ask for them.

asyncpg asks for every type it meets (`typeinfo_tree`), psycopg for those it is told to fetch (`TypeInfo.fetch` and its kin),
and both return what a mock must know to serve those types again.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType

from wiretape.protocols.postgres.types import Catalog, type_name
from wiretape.tree import Tree

_FIRST_CUSTOM = 16384  # PostgreSQL's FirstNormalObjectId: lower OIDs are built in

_DEEPEST = 16
_KINDS = MappingProxyType(
    {"base": "b", "array": "b", "range": "r", "multirange": "m", "enum": "e", "composite": "c", "domain": "d"}
)

# The columns of asyncpg's question, which a mock must answer in binary.
ASYNCPG: Mapping[str, str] = MappingProxyType(
    {
        "oid": "oid", "ns": "name", "name": "name", "kind": '"char"', "basetype": "oid", "elemtype": "oid",
        "elemdelim": '"char"', "range_subtype": "oid", "attrtypoids": "oid[]", "attrnames": "text[]", "depth": "int4",
        "basetype_name": "text", "elemtype_name": "text", "range_subtype_name": "text",
    }
)  # fmt: skip

type _Row = Mapping[str, Tree]


def learn(catalog: Catalog, columns: Sequence[str], rows: Sequence[Tree]) -> dict[str, Tree]:
    """The types that a result set describes, in the form of the facts; empty where it is no driver's introspection."""
    names = set(columns)
    whole = (row for row in rows if isinstance(row, list) and len(row) == len(columns))
    found: list[_Row] = [dict(zip(columns, row, strict=True)) for row in whole]
    if {"oid", "ns", "name", "kind", "elemtype", "attrtypoids", "attrnames"} <= names:
        return _asyncpg(catalog, found)
    if {"name", "oid", "array_oid"} <= names:
        return _psycopg(catalog, found, names)
    return {}


def rows(catalog: Catalog, oids: Sequence[int]) -> list[dict[str, Tree]]:
    """What asyncpg's `typeinfo_tree` says of these types and of those they are made of, innermost first; built-in base types,
    which it knows itself, left out."""
    out: dict[int, dict[str, Tree]] = {}

    def tell(oid: int, depth: int) -> None:
        found = catalog.by_oid(oid)
        own = oid >= _FIRST_CUSTOM
        if found is None or not (own or found.element) or oid in out or depth > _DEEPEST:
            return
        for inner in (found.element, *(kind for _, kind in found.fields)):
            tell(inner, depth + 1)
        named = found.category == "composite"
        out[oid] = {
            "oid": oid,
            "ns": "public" if own else "pg_catalog",
            "name": f"_{found.name[:-2]}" if found.category == "array" else found.name,
            "kind": _KINDS[found.category],
            "basetype": found.element if found.category == "domain" else None,
            "elemtype": found.element if found.category == "array" else 0,
            "elemdelim": "," if found.category == "array" else None,
            "range_subtype": found.element if found.category == "range" else None,
            "attrtypoids": _array(str(kind) for _, kind in found.fields) if named else None,
            "attrnames": _array(name for name, _ in found.fields) if named else None,
            "depth": depth,
            "basetype_name": type_name(catalog, found.element, -1) if found.category == "domain" else None,
            "elemtype_name": type_name(catalog, found.element, -1) if found.category == "array" else None,
            "range_subtype_name": type_name(catalog, found.element, -1) if found.category == "range" else None,
        }

    for oid in oids:
        tell(oid, 0)
    return list(out.values())


# The columns of psycopg's questions (`TypeInfo.fetch` and its kin).
_PSYCOPG: Mapping[str, str] = MappingProxyType(
    {
        "name": "name", "oid": "oid", "array_oid": "oid", "regtype": "text", "delimiter": '"char"', "labels": "name[]",
        "field_names": "name[]", "field_types": "oid[]", "subtype_oid": "oid", "range_oid": "oid",
    }
)  # fmt: skip
_ASKED_FOR = MappingProxyType({"labels": "enum", "field_names": "composite", "range_oid": "multirange", "subtype_oid": "range"})


def fetched(catalog: Catalog, names: Sequence[str], wanted: Sequence[str]) -> dict[str, Tree]:
    """The answer to psycopg's question for a type by its name: the fields of a call."""
    columns: Tree = [[name, _PSYCOPG.get(name, "text")] for name in names]
    kinds = [kind for column, kind in _ASKED_FOR.items() if column in names]
    found = next((known for name in wanted if (known := catalog.by_name(name)) is not None), None)
    if found is None or (kinds and found.category != kinds[0]):
        return {"columns": columns, "rows": []}
    array = catalog.by_name(f"{found.name}[]")
    subtype = catalog.by_oid(found.element) if found.category == "multirange" else found
    told: dict[str, Tree] = {
        "name": found.name, "oid": found.oid, "array_oid": array.oid if array else 0, "regtype": found.name, "delimiter": ",",
        "labels": _array(found.labels), "field_names": _array(name for name, _ in found.fields),
        "field_types": _array(str(kind) for _, kind in found.fields), "range_oid": found.element,
        "subtype_oid": subtype.element if subtype else 0,
    }  # fmt: skip
    return {"columns": columns, "rows": [[told.get(name) for name in names]]}


def _array(items: Iterable[str]) -> str:
    return "{" + ",".join('"' + item.replace("\\", "\\\\").replace('"', '\\"') + '"' for item in items) + "}"


def _asyncpg(catalog: Catalog, rows: Sequence[_Row]) -> dict[str, Tree]:
    named = {oid: str(row["name"]) for row in rows if isinstance(oid := row["oid"], int)}
    arrays = {row["elemtype"]: row["oid"] for row in rows if row["elemtype"] and str(row["name"]).startswith("_")}

    def name(oid: Tree) -> str:
        return named.get(oid) or type_name(catalog, oid, -1) if isinstance(oid, int) else ""

    out: dict[str, Tree] = {}
    for row in rows:
        oid, kind = row["oid"], str(row["kind"])
        if not isinstance(oid, int) or oid < _FIRST_CUSTOM or oid in arrays.values():
            continue
        described: dict[str, Tree] = {"oid": oid}
        if kind == "c":
            described["kind"] = "composite"
            described["fields"] = {
                field: name(int(kind))
                for field, kind in zip(_items(row["attrnames"]), _items(row["attrtypoids"]), strict=False)
            }
        elif kind == "d":
            described |= {"kind": "domain", "base": name(row["basetype"])}
        elif kind == "r":
            described |= {"kind": "range", "subtype": name(row.get("range_subtype"))}
        elif kind in "eb":
            described["kind"] = "enum" if kind == "e" else "base"
        else:
            continue
        if oid in arrays:
            described["array"] = arrays[oid]
        out[str(row["name"])] = described
    return out


def _psycopg(catalog: Catalog, rows: Sequence[_Row], names: set[str]) -> dict[str, Tree]:
    out: dict[str, Tree] = {}
    for row in rows:
        oid, array = row["oid"], row["array_oid"]
        if not isinstance(oid, int) or oid < _FIRST_CUSTOM:
            continue
        described: dict[str, Tree] = {"oid": oid, "kind": "base"}
        if "labels" in names:
            described["kind"] = "enum"
            described["labels"] = list(_items(row["labels"]))
        elif "field_names" in names:
            kinds = [type_name(catalog, int(kind), -1) for kind in _items(row.get("field_types"))]
            described |= {"kind": "composite", "fields": dict(zip(_items(row["field_names"]), kinds, strict=False))}
        elif "range_oid" in names:
            continue
        elif isinstance(subtype := row.get("subtype_oid"), int):
            described |= {"kind": "range", "subtype": type_name(catalog, subtype, -1)}
        if array:
            described["array"] = array
        out[str(row["name"])] = described
    return out


def _items(array: Tree) -> Iterator[str]:
    """The items of a one-dimensional array's text, none of them NULL."""
    if isinstance(array, str) and len(array) > 2:
        yield from next(csv.reader([array[1:-1]], escapechar="\\"))
