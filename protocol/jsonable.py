"""One way from frozen records to JSON and back; unknown or missing keys are refused."""

import dataclasses
import functools
import json
import types
import typing
from collections import Counter
from collections.abc import Callable, Hashable, Mapping
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from protocol.errors import RecordError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T")
_Reader: TypeAlias = Callable[[Any, str], Any]
"""Takes plain values and where they stand."""


def to_json(record: "DataclassInstance", *, only_finite: bool = True) -> str:
    """Return a record as JSON text with sorted keys, so that equal records give equal bytes.

    Args:
        record: what is written.
        only_finite: refuse NaN and infinities, which JSON has no words for and others cannot read.

    Raises:
        RecordError: it holds one of them.
    """
    plain = to_plain(record)
    try:
        return json.dumps(
            plain,
            indent=1,
            sort_keys=True,
            ensure_ascii=False,
            default=str,
            allow_nan=not only_finite,
        )
    except ValueError as error:
        raise RecordError(
            f"a {type(record).__name__} holds a number that is not finite, and JSON has none "
            f"({error}); a value that is not known is None"
        ) from error


def to_plain(value: Any) -> Any:
    """Return dicts, lists, strings and numbers for a record, at any depth."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: to_plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {str(to_plain(key)): to_plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [to_plain(item) for item in value]
    return value


def from_json(kind: type[T], text: str | bytes) -> T:
    """Return the record of type `kind` that `text` holds.

    Raises:
        RecordError: the text is not JSON, or its keys or types are not those of `kind`.
    """
    try:
        data = json.loads(text, object_pairs_hook=unrepeated)
    except (ValueError, RecursionError) as error:
        raise RecordError(f"not JSON ({error}); wanted a {kind.__name__}") from error
    record: T = from_plain(kind, data, kind.__name__)
    return record


def unrepeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a JSON object; for `object_pairs_hook`, where Python would take a key's last value.

    Raises:
        ValueError: a key stands in it twice.
    """
    found = dict(pairs)
    if len(found) < len(pairs):
        twice, _ = Counter(name for name, _ in pairs).most_common(1)[0]
        raise ValueError(f"the key {twice[:80]!r} stands twice in one object")
    return found


def from_plain(kind: Any, data: Any, where: str) -> Any:
    """Return `data` as `kind`; `where` names the place for the error message."""
    return _reader(kind)(data, where)


@functools.cache
def _reader(kind: Any) -> _Reader:
    """Return what reads a type: what is to be read is found out once and not at every value."""
    origin = typing.get_origin(kind)
    if dataclasses.is_dataclass(kind):
        return functools.partial(_read_record, kind)
    if origin in (types.UnionType, typing.Union):
        (inner,) = (option for option in typing.get_args(kind) if option is not types.NoneType)
        return functools.partial(_read_optional, _reader(inner))
    if origin is tuple:
        return functools.partial(_read_tuple, _reader(typing.get_args(kind)[0]))
    if origin is not None and issubclass(origin, Mapping):
        key, item = map(_reader, typing.get_args(kind))
        return functools.partial(_read_mapping, key, item)
    if issubclass(kind, Enum):
        return functools.partial(_read_enum, {member.value: member for member in kind})
    return functools.partial(_read_scalar, kind)


def _read_record(kind: Any, data: Any, where: str) -> Any:
    if not isinstance(data, dict):
        raise _wrong("an object", data, where)
    readers, required = _fields(kind)
    if not required <= data.keys() <= readers.keys():
        unknown, missing = sorted(set(data) - readers.keys()), sorted(required - set(data))
        raise RecordError(f"{where}: unknown keys {unknown}, missing keys {missing}")
    return kind(**{name: readers[name](value, f"{where}.{name}") for name, value in data.items()})


@functools.cache
def _fields(kind: Any) -> tuple[dict[str, _Reader], frozenset[str]]:
    """Return the reader of each field, and the fields that must be there."""
    hints = typing.get_type_hints(kind)
    fields = dataclasses.fields(kind)
    # A field with a default came later than the records that lack it.
    absent = dataclasses.MISSING
    required = (f.name for f in fields if f.default is absent and f.default_factory is absent)
    return {f.name: _reader(hints[f.name]) for f in fields}, frozenset(required)


def _read_optional(inner: _Reader, data: Any, where: str) -> Any:
    return None if data is None else inner(data, where)


def _read_tuple(item: _Reader, data: Any, where: str) -> Any:
    if not isinstance(data, list):
        raise _wrong("a list", data, where)
    return tuple([item(value, f"{where}[{at}]") for at, value in enumerate(data)])


def _read_mapping(key: _Reader, item: _Reader, data: Any, where: str) -> Any:
    if not isinstance(data, dict):
        raise _wrong("an object", data, where)
    return {key(name, where): item(value, f"{where}.{name}") for name, value in data.items()}


def _read_enum(members: Mapping[Any, Enum], data: Any, where: str) -> Any:
    found = members.get(data) if isinstance(data, Hashable) else None
    if found is None:
        raise _wrong(f"one of {', '.join(map(str, members))}", data, where)
    return found


def _read_scalar(kind: Any, data: Any, where: str) -> Any:
    if kind is float and isinstance(data, int) and not isinstance(data, bool):
        try:
            return float(data)
        except OverflowError:
            raise _wrong("a number below 1.8e308", data, where) from None
    if not isinstance(data, kind) or (isinstance(data, bool) and kind is not bool):
        raise _wrong(f"a {kind.__name__}", data, where)
    return data


def _wrong(wanted: str, found: object, where: str) -> RecordError:
    return RecordError(f"{where}: wanted {wanted}, found {str(found)[:80]!r}")
