"""HS codes as people and programs write them, read only where nothing has to be guessed.

Every HS code has an even number of digits, two for each step down from the chapter, and no chapter
is 00. So a code that became a number and lost its zero shows in its odd length, and a code with
dots in groups of odd length.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from numbers import Real
from typing import Any

import pandas as pd

from tradeflows.errors import SchemaMismatch

__all__ = ["LONGEST", "hs_codes"]

LONGEST = 12  # digits of Turkey's tariff lines
_SHOWN = 5
_HELP = (
    "read the codes as text with their zeros: dtype={'code': str} in pandas.read_csv and"
    " pandas.read_excel; a workbook that holds numbers has lost them: write them again, if all"
    " codes have six digits with frame['code'].astype(str).str.zfill(6)"
)


def hs_codes(values: Iterable[Any], *, where: str = "codes", also: str = "TOTAL") -> pd.Series:
    """Return HS codes as text of 2 to 12 digits, leading zeros kept.

    Dots and blanks between whole steps are dropped (``8542.31``), and so is the ``.0`` of a number
    whose digits are all there (``854231.0``). What allows two readings, or none, is refused.
    """
    series = values if isinstance(values, pd.Series) else pd.Series(list(values), dtype=object)
    numbers, distinct = pd.factorize(series)
    if (numbers < 0).any():
        _refuse(series, numbers < 0, "without a code", where)
    read = [_read(value, also) for value in distinct]
    kinds = {kind for _, kind in read}
    _refuse_two_readings(series, numbers, [kind for _, kind in read], kinds, where)
    faults = pd.Series([_fault(code, kind) for code, kind in read], dtype="str")
    for reason in faults[faults != ""].head(1):
        _refuse(series, (faults == reason)[numbers].to_numpy(), reason, where)
    found = pd.Series([code for code, _ in read], dtype="str")
    return found.take(numbers).set_axis(series.index)


def _read(value: Any, also: str) -> tuple[str, str]:
    """Return the digits of one code and how it was written."""
    if not isinstance(value, str):
        real = isinstance(value, Real) and not isinstance(value, bool)
        number = float(value) if real else float("nan")
        whole = number.is_integer()
        return (f"{number:.0f}", "number") if whole else _dotted(repr(number), "fraction")
    text = value.strip().removeprefix("'")
    if re.fullmatch(r"[0-9]+", text):
        return text, "text"
    if re.fullmatch(also, text):
        return text, "word"
    if re.fullmatch(r"[0-9]+\.0", text):
        return text[:-2], "point zero"
    zeros = re.fullmatch(r"[0-9]+\.(00)+", text)
    return _dotted(text, "zeros" if zeros else "dotted")


def _dotted(text: str, kind: str) -> tuple[str, str]:
    parts = re.split(r"[.\s]+", text)
    if not all(re.fullmatch(r"(?:[0-9]{2})+", part) for part in parts):
        return text, "none"
    return "".join(parts), kind


def _fault(code: str, kind: str) -> str:
    if kind == "word":
        return ""
    if kind == "none" or not code.isdecimal():
        return "that is no HS code"
    if len(code) % 2:
        return f"with a code of odd length ({len(code)})"
    if not 2 <= len(code) <= LONGEST:
        return f"with a code of {len(code)} digits"
    return "of chapter 00, which no revision has" if code.startswith("00") else ""


def _refuse_two_readings(
    series: pd.Series, numbers: Any, listed: list[str], kinds: set[str], where: str
) -> None:
    """Refuse 2709.00 where nothing says whether it is 270900 or the number 2709."""
    odd: set[str] = set()
    if "zeros" in kinds and "dotted" not in kinds:
        odd = {"zeros"}
    elif "fraction" in kinds and {"number", "point zero"} & kinds:
        odd = {"number", "point zero"}
    elif "point zero" in kinds and {"dotted", "zeros"} & kinds:
        odd = {"point zero"}
    if odd:
        faulty = pd.Series([kind in odd for kind in listed])[numbers].to_numpy()
        whole = str(series[faulty].iloc[0]).partition(".")[0]
        reason = f"that may be {whole}, a number, or {whole}00, a code with a dot"
        _refuse(series, faulty, reason, where)


def _refuse(series: pd.Series, faulty: Any, reason: str, where: str) -> None:
    rows = series[faulty]
    listed = "; ".join(f"row {n}: {str(v)[:40]!r}" for n, v in rows.head(_SHOWN).items())
    count = f"{len(rows)} row{'s' if len(rows) > 1 else ''}"
    raise SchemaMismatch(
        f"{where}: {count} {reason}, such as {listed}",
        f"HS codes of 2 to {LONGEST} digits, two for each step, leading zeros kept",
        _HELP,
    )
