"""Addresses and the key: where a publisher is asked, and the secret that stands in no address."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from urllib.parse import quote, urlsplit

from tradeflows.errors import UnknownCode

__all__ = ["Key", "encoded", "root_from"]

KEY_HEADER = "Ocp-Apim-Subscription-Key"


class Key:
    """A secret that only `header` gives away.

    Examples
    --------
    >>> Key("0123456789abcdef")
    Key(set)
    >>> Key("")
    Key(none)
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        text = text.strip()
        if text and not re.fullmatch(r"[\x21-\x7e]{1,256}", text):
            raise UnknownCode(
                "COMTRADE_API_KEY holds blanks, line ends or other signs no key has",
                "the key as the publisher shows it",
                "set the variable again; its content is not shown here",
            )
        self._text = text

    def __repr__(self) -> str:
        return f"Key({'set' if self._text else 'none'})"

    def __bool__(self) -> bool:
        return bool(self._text)

    def header(self) -> dict[str, str]:
        """Return the header that carries the key, or none."""
        return {KEY_HEADER: self._text} if self._text else {}

    def hide(self, text: str) -> str:
        """Return a text with the key blotted out."""
        return text.replace(self._text, "[key]") if self._text else text

    def within(self, data: bytes) -> bool:
        """Tell whether bytes repeat the key."""
        return bool(self._text) and self._text.encode() in data


def root_from(variable: str, default: str) -> str:
    """Return the root address a variable names, or the publisher's own.

    Examples
    --------
    >>> root_from("TRADEFLOWS_NO_SUCH_URL", "https://comtradeapi.un.org")
    'https://comtradeapi.un.org'
    """
    root = os.environ.get(variable, "").strip().rstrip("/") or default
    parts = urlsplit(root)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
        raise UnknownCode(
            f"{variable} is not an address without credentials",
            f"such as {default}",
            "correct the variable, or unset it to ask the publisher",
        )
    return root


def encoded(parameters: Mapping[str, object]) -> str:
    """Return a query text; commas and ``*`` stay as they are, so that addresses stay short.

    Examples
    --------
    >>> encoded({"period": "202201,202202", "cmdCode": "84*"})
    'period=202201,202202&cmdCode=84*'
    """
    return "&".join(f"{k}={quote(str(v), safe=',*')}" for k, v in parameters.items())
