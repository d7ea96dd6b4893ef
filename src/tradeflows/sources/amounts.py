"""Numbers and currencies in files: read by one convention over a whole column, or refused."""

from __future__ import annotations

from datetime import date
from typing import Any

import pandas as pd

from tradeflows.errors import SchemaMismatch

__all__ = ["amounts", "currency", "in_dollars"]

EMPTY = ("", "-", "–")
_GROUPED = r"[+-]?(?:[0-9]+|[1-9][0-9]{{0,2}}(?:{0}[0-9]{{3}})+)(?:{1}[0-9]+)?(?:[eE][+-]?[0-9]+)?"
_CONVENTIONS = {  # by decimal sign: what a number looks like, and the sign between thousands
    ".": (_GROUPED.format(",", r"\."), ","),
    ",": (_GROUPED.format(r"\.", ","), "."),
}
_CURRENCIES = {
    "USD": ("usd", "us$", "$", "dolar", "abd dolari", "abd $", "us dollar", "us dollars", "dollar",
            "dollars", "amerikan dolari"),
    "EUR": ("eur", "euro", "euros", "avro", "€"),
    "TRY": ("try", "tl", "trl", "ytl", "lira", "turk lirasi", "turkish lira", "turkish liras", "₺"),
}  # fmt: skip


def amounts(values: pd.Series, where: str, *, decimal: str = "") -> pd.Series:
    """Return a column as float64: number cells as they are, text by one convention.

    Parameters
    ----------
    values : pandas.Series
        Text, or cells of a workbook, in which numbers are numbers whatever their text looks like.
        Empty cells and dashes are no number.
    where : str
        File and column, for messages.
    decimal : {"", ".", ","}
        The decimal sign; by default it is found over the whole column.

    Raises
    ------
    SchemaMismatch
        A cell that is no number, or a column that reads in two ways (``12.250`` and nothing that
        shows whether that is 12250): both readings are given.

    Examples
    --------
    >>> amounts(pd.Series(["1.234.567", "999", "-"]), "value").tolist()
    [1234567.0, 999.0, nan]
    >>> amounts(pd.Series(["1234,500", "0,250"]), "weight").tolist()
    [1234.5, 0.25]
    >>> amounts(pd.Series(["12.250"]), "weight", decimal=",").tolist()
    [12250.0]
    """
    if decimal not in ("", *_CONVENTIONS):
        raise SchemaMismatch(f"decimal={decimal!r}", "decimal=',' or decimal='.'", "choose one")
    if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
        return values.astype("float64")
    cells = values.astype(object).where(values.notna(), "")
    odd = cells.map(lambda v: isinstance(v, bool | date))
    typed = cells.map(lambda v: isinstance(v, int | float)) & ~odd
    text = cells.astype("str").str.replace("[\\s\u00a0\u202f]", "", regex=True)
    written = text[~typed & ~text.isin(EMPTY)]
    fits = {
        sign: written.str.fullmatch(form)
        for sign, (form, _) in _CONVENTIONS.items()
        if decimal in ("", sign)
    }
    if odd.any() or not any(fit.all() for fit in fits.values()):
        most = max(fits.values(), key=lambda fit: fit.sum())
        first = values[odd].iloc[0] if odd.any() else written[~most].iloc[0]
        raise SchemaMismatch(
            f"{where} holds {str(first)[:40]!r}",
            "numbers in every row, written in one way",
            "correct these cells, or pass decimal=',' or decimal='.' if all are numbers",
        )
    readings = {sign: _number(written, sign) for sign, fit in fits.items() if fit.all()}
    chosen = next(iter(readings.values()))
    for other in readings.values():
        if not chosen.equals(other):
            n = int(chosen.ne(other).to_numpy().argmax())
            raise SchemaMismatch(
                f"{where} holds {written.iloc[n]!r}, which is {chosen.iloc[n]:.12g} with a decimal"
                f" point and {other.iloc[n]:.12g} with a decimal comma",
                "a column in which at least one number shows the decimal sign",
                "pass decimal=',' or decimal='.'",
            )
    number = pd.Series(float("nan"), index=values.index, dtype="float64")
    number[chosen.index] = chosen
    number[typed] = values[typed].astype("float64")
    return number


def _number(written: pd.Series, decimal: str) -> pd.Series:
    thousands = _CONVENTIONS[decimal][1]
    plain = written.str.replace(thousands, "", regex=False).str.replace(decimal, ".", regex=False)
    return plain.astype("float64")


def currency(word: Any) -> str:
    """Return the ISO code of a currency as a file names it, or ``""`` for one that is not known.

    Examples
    --------
    >>> [currency(w) for w in ("TL", "ABD Doları", "€", "doubloon")]
    ['TRY', 'USD', 'EUR', '']
    """
    plain = str(word).strip().replace("ı", "i").replace("İ", "i").lower().replace("ü", "u")
    return next((code for code, words in _CURRENCIES.items() if plain in words), "")


def in_dollars(
    value: pd.Series, currencies: pd.Series, days: pd.Series, rates: pd.DataFrame, where: str
) -> pd.Series:
    """Return values in USD, converted at the mean rate of each month.

    Parameters
    ----------
    value : pandas.Series
        Amounts.
    currencies : pandas.Series
        ISO code of each, see `currency`.
    days : pandas.Series
        First day of the month of each.
    rates : pandas.DataFrame
        USD for one unit, a column for each currency, by month.
    where : str
        File, for messages.

    Raises
    ------
    SchemaMismatch
        A currency or a month without a rate.
    """
    found = value.astype("float64")
    for code in sorted(set(currencies) - {"USD"}):
        mine = currencies == code
        if code not in rates:
            raise SchemaMismatch(
                f"{where}: values in {code or 'a currency that is not named'}",
                f"values in USD, {' or '.join(map(str, rates))}",
                "download the table in US dollars",
            )
        rate = days[mine].map(rates[code])
        if rate.isna().any():
            raise SchemaMismatch(
                f"{where}: no exchange rate of {code} for {days[mine][rate.isna()].iloc[0]:%Y-%m}",
                f"months from {rates[code].dropna().index.min():%Y-%m}"
                f" to {rates[code].dropna().index.max():%Y-%m}",
                "leave these months out, or download the table in US dollars",
            )
        found[mine] = value[mine] * rate
    return found
