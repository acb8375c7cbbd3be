"""One way from frozen records to JSON and back; unknown or missing keys are refused."""

import dataclasses
import functools
import json
import types
import typing
from collections import Counter
from collections.abc import Mapping
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeVar

from protocol.errors import RecordError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T")


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
    except ValueError as error:
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
    origin = typing.get_origin(kind)
    if dataclasses.is_dataclass(kind):
        return _read_record(kind, data, where)
    if origin in (types.UnionType, typing.Union):
        return _read_optional(kind, data, where)
    if origin is tuple:
        _require(isinstance(data, list), "a list", data, where)
        item = typing.get_args(kind)[0]
        return tuple(from_plain(item, value, f"{where}[{i}]") for i, value in enumerate(data))
    if origin is not None and issubclass(origin, Mapping):
        _require(isinstance(data, dict), "an object", data, where)
        key, item = typing.get_args(kind)
        return {
            from_plain(key, name, where): from_plain(item, value, f"{where}.{name}")
            for name, value in data.items()
        }
    return _read_scalar(kind, data, where)


def _read_scalar(kind: Any, data: Any, where: str) -> Any:
    if issubclass(kind, Enum):
        allowed = [member.value for member in kind]
        _require(data in allowed, f"one of {', '.join(map(str, allowed))}", data, where)
        return kind(data)
    if kind is float and isinstance(data, int) and not isinstance(data, bool):
        try:
            return float(data)
        except OverflowError:
            _require(False, "a number below 1.8e308", data, where)
    matches = isinstance(data, kind) and (kind is bool or not isinstance(data, bool))
    _require(matches, f"a {kind.__name__}", data, where)
    return data


def _read_record(kind: Any, data: Any, where: str) -> Any:
    _require(isinstance(data, dict), "an object", data, where)
    fields = dataclasses.fields(kind)
    hints = _hints(kind)
    names = {field.name for field in fields}
    # A field with a default came later than the records that lack it.
    missing_value = dataclasses.MISSING
    defaulted = {
        f.name
        for f in fields
        if f.default_factory is not missing_value or f.default is not missing_value
    }
    unknown, missing = sorted(set(data) - names), sorted(names - set(data) - defaulted)
    if unknown or missing:
        raise RecordError(f"{where}: unknown keys {unknown}, missing keys {missing}")
    return kind(**{name: from_plain(hints[name], data[name], f"{where}.{name}") for name in data})


@functools.cache
def _hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def _read_optional(kind: Any, data: Any, where: str) -> Any:
    if data is None:
        return None
    (inner,) = (option for option in typing.get_args(kind) if option is not types.NoneType)
    return from_plain(inner, data, where)


def _require(holds: bool, wanted: str, found: object, where: str) -> None:
    if not holds:
        raise RecordError(f"{where}: wanted {wanted}, found {str(found)[:80]!r}")
