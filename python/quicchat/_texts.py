"""Texts on their way to the core."""

from __future__ import annotations

from ._failures import request_error


def encode_text(text: str, what: str) -> str:
    """``text``, if it can be sent at all. Lone surrogates come from bytes that were not UTF-8."""
    if not isinstance(text, str):
        raise TypeError(f"{what} must be str, not {type(text).__name__}")
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        raise request_error("invalid_text", 0, "", what) from None
    return text
