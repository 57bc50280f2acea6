"""JSON for people: an error names the line and the column, shows them, and says what was meant."""

from __future__ import annotations

import codecs
import json
from pathlib import Path
from typing import Any

from .errors import ConfigError

_SHOWN_MAX = 76  # characters of the offending line, so that it fits a terminal


def shortened(text: str) -> str:
    """The beginning of what a file says."""
    return text if len(text) <= 40 else text[:36] + "..."


class _Refused(ValueError):
    """Valid JSON that we do not take; raised inside the parser."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in pairs:
        if key in result:
            shown = shortened(json.dumps(key, ensure_ascii=False))
            raise _Refused(f"the key {shown} is given twice")
        result[key] = value
    return result


def _constant(name: str) -> Any:
    raise _Refused(f"{name} is not a number of JSON")


def _meaning(text: str, error: json.JSONDecodeError) -> tuple[int, str]:
    """Where the mistake is, as an offset into ``text``, and what to say about it."""
    before = text[: error.pos].rstrip()
    rest = text[error.pos :]
    if not text.strip():
        return 0, "the file is empty; the smallest configuration is in examples/config.json"
    if rest.startswith(("//", "/*", "#")):
        return error.pos, "JSON has no comments; remove it, or use a key that begins with x-"
    if rest[:1] in ("}", "]") and before.endswith(","):
        return len(before) - 1, f"remove this comma: nothing follows it before '{rest[0]}'"
    follows = rest[1:].lstrip()[:1]
    if rest.startswith(",") and follows in ("}", "]"):  # so the parser of Python 3.13 says it
        return error.pos, f"remove this comma: nothing follows it before '{follows}'"
    if rest.startswith("'"):
        return error.pos, "texts stand in double quotes, not in single ones"
    for wrong, right in (("True", "true"), ("False", "false"), ("None", "null")):
        if rest.startswith(wrong):
            return error.pos, f"write {right} instead of {wrong}"
    if not rest.strip():
        return len(before), "the file ends too early; a closing bracket or quote is missing"
    message = {
        "Expecting ',' delimiter": "expected ',' or a closing bracket",
        "Expecting ':' delimiter": "expected ':' after the key",
        "Expecting property name enclosed in double quotes": "expected a key in double quotes",
        "Expecting value": "expected a value",
        "Extra data": "expected the end of the file",
        "Unterminated string starting at": "this text has no closing quote",
        "Invalid control character at": "a text must not run over the end of the line",
    }.get(error.msg, error.msg)
    return error.pos, message


def _line_with_caret(text: str, line: int, column: int) -> str:
    shown = text.split("\n")[line - 1].rstrip("\r").replace("\t", " ")
    start = max(0, column - 1 - _SHOWN_MAX // 2)
    return shown[start : start + _SHOWN_MAX] + "\n" + " " * (column - 1 - start) + "^"


def other_encoding(data: bytes) -> str | None:
    """The name of an encoding of two or four bytes a character that ``data`` is in: Windows has
    editors and shells that write it. Nothing that we read has a NUL in it otherwise."""
    if data.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)) or b"\0\0" in data[:4]:
        return "UTF-32"
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in data[:2]:
        return "UTF-16"
    return None


def _decoded(data: bytes, name: str) -> str:
    if other := other_encoding(data):
        raise ConfigError(f"{name} is in {other}", code="E-CONFIG-JSON",
                          hint="save the file in the encoding UTF-8")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - (data.rfind(b"\n", 0, error.start) + 1) + 1
        raise ConfigError(
            f"{name}:{line}:{column}: not UTF-8: byte 0x{data[error.start]:02x}",
            code="E-CONFIG-JSON",
            hint="save the file in the encoding UTF-8",
        ) from None


def read_json(path: Path) -> Any:
    """The value in the file at ``path``. Raises :class:`ConfigError`: ``E-CONFIG-MISSING`` if it
    cannot be read, ``E-CONFIG-JSON`` with line and column if it is not JSON."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"cannot read the configuration {path}: {(error.strerror or 'unknown').lower()}",
            code="E-CONFIG-MISSING",
            hint="name an existing file: --config config.json",
        ) from error
    text = _decoded(data, path.name)
    try:
        return json.loads(text, object_pairs_hook=_object, parse_constant=_constant)
    except json.JSONDecodeError as error:
        position, message = _meaning(text, error)
    except _Refused as refused:
        raise ConfigError(f"{path.name}: {refused}", code="E-CONFIG-JSON") from None
    except RecursionError:
        raise ConfigError(f"{path.name}: nested too deeply", code="E-CONFIG-JSON") from None
    line = text.count("\n", 0, position) + 1
    column = position - (text.rfind("\n", 0, position) + 1) + 1
    raise ConfigError(
        f"{path.name}:{line}:{column}: {message}",
        excerpt=_line_with_caret(text, line, column),
        code="E-CONFIG-JSON",
    ) from None


def shown(value: object) -> str:
    """A wrong value in words, short, and without line breaks."""
    kinds = {bool: "", int: "the number ", float: "the number ", str: "the string ",
             list: "a list", dict: "an object", type(None): ""}
    kind = kinds.get(type(value), "")
    if isinstance(value, list | dict):
        return kind
    return kind + shortened(json.dumps(value))
