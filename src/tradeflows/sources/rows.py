"""What the parsers of customs rows share: numbers, pseudo-codes, weights, parts, the table."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from tradeflows import tables
from tradeflows.codes.hs import in_force
from tradeflows.errors import SchemaMismatch, UnknownColumnWarning

EMPTY = ("", "-", "–")
NOTHING = ("", "na", "n/a", "nan", "none", "null", "nat", "<na>")
FLAGS = {
    **dict.fromkeys(("1", "true", "t", "yes", "y", "evet", "e", "x", "gizli"), True),
    **dict.fromkeys(("", "0", "false", "f", "no", "n", "hayir", "h"), False),
}
_GROUPED = r"[+-]?(?:[0-9]+|[1-9][0-9]{{0,2}}(?:{0}[0-9]{{3}})+)(?:{1}[0-9]+)?(?:[eE][+-]?[0-9]+)?"
_CONVENTIONS = {  # what a number looks like, its decimal sign, and the sign between thousands
    "point": (_GROUPED.format(",", r"\."), ".", ","),
    "comma": (_GROUPED.format(r"\.", ","), ",", "."),
    "India": (r"[+-]?(?:[0-9]{1,3}|[1-9][0-9]?(?:,[0-9]{2})*,[0-9]{3})(?:\.[0-9]+)?", ".", ","),
}


def amounts(values: pd.Series, where: str, *, decimal: str = "") -> pd.Series:
    """Return a column as float64: number cells as they are, text by one convention or refused.

    Empty cells, dashes and words for nothing are no number. A column that reads in two ways is
    refused with both readings, unless ``decimal`` says which sign it is; ``where`` names it.

    Examples
    --------
    >>> amounts(pd.Series(["1.234.567", "999", "-"]), "value").tolist()
    [1234567.0, 999.0, nan]
    >>> amounts(pd.Series(["12.250"]), "weight", decimal=",").tolist()
    [12250.0]
    """
    if decimal not in ("", ",", "."):
        raise SchemaMismatch(f"decimal={decimal!r}", "decimal=',' or decimal='.'", "choose one")
    if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
        return values.astype("float64")
    if {*map(type, values)} <= {int, float, type(None)}:
        return values.astype("float64")
    cells = values.astype(object).where(values.notna(), "")
    odd = cells.map(lambda v: isinstance(v, bool | date))
    typed = cells.map(lambda v: isinstance(v, int | float)) & ~odd
    text = cells.astype("str").str.replace("[\\s\u00a0\u202f]", "", regex=True)
    written = text[~typed & ~text.str.lower().isin((*EMPTY, *NOTHING))]
    fits = {
        name: written.str.fullmatch(form)
        for name, (form, sign, _) in _CONVENTIONS.items()
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
    readings = {name: _number(written, name) for name, fit in fits.items() if fit.all()}
    chosen = next(iter(readings.values()))
    for other in readings.values():
        if not chosen.equals(other):
            n = int(chosen.ne(other).to_numpy().argmax())
            raise SchemaMismatch(
                f"{where} holds {written.iloc[n]!r}, which is {chosen.iloc[n]:.12g} with a decimal"
                f" point and {other.iloc[n]:.12g} with a decimal comma",
                "a column in which at least one number shows the decimal sign",
                "pass decimal=',' or decimal='.' (--decimal of `tradeflows ask`)",
            )
    number = pd.Series(float("nan"), index=values.index, dtype="float64")
    number[chosen.index] = chosen
    number[typed] = values[typed].astype("float64")
    return number


def _number(written: pd.Series, convention: str) -> pd.Series:
    _, decimal, thousands = _CONVENTIONS[convention]
    plain = written.str.replace(thousands, "", regex=False).str.replace(decimal, ".", regex=False)
    return plain.astype("float64")


def in_dollars(
    value: pd.Series, currencies: pd.Series, days: pd.Series, rates: pd.DataFrame, where: str
) -> pd.Series:
    """Return values in USD at the mean rate of each month; ``rates`` has a column per currency."""
    found = value.astype("float64")
    for code in sorted(set(currencies) - {"USD"}):
        mine = currencies == code
        rate = days[mine].map(rates.get(code, pd.Series(dtype="float64")))
        if rate.isna().any():
            raise SchemaMismatch(
                f"{where}: no exchange rate of {code or 'a currency that is not named'} for"
                f" {days[mine][rate.isna()].iloc[0]:%Y-%m}",
                f"USD, or {' or '.join(map(str, rates))} of {rates.index.min():%Y-%m} to"
                f" {rates.index.max():%Y-%m}",
                "leave these months out, or download the table in US dollars",
            )
        found[mine] = value[mine] * rate
    return found


def revision(days: pd.Series) -> pd.Series:
    """Return the HS revision in force in each month, for publishers that follow it at once.

    Examples
    --------
    >>> revision(pd.to_datetime(pd.Series(["1995-12-01", "2016-12-01", "2022-01-01"]))).tolist()
    ['HS1992', 'HS2012', 'HS2022']
    """
    systems: pd.Series = days.dt.year.map(in_force).astype("str")
    return systems


def with_more(table: pd.DataFrame, more: pd.DataFrame | None, where: str) -> pd.DataFrame:
    """Return a checked table of trade with columns that a reader does not know, named once."""
    if more is None or more.columns.empty:
        return tables.validate(table, "trade", where=where)
    names = ", ".join(map(str, more))
    warnings.warn(f"{where}: kept as they are: {names}", UnknownColumnWarning, stacklevel=4)
    apart = more.rename(columns=lambda c: f"{c} (of the file)" if c in table else c)
    whole = pd.concat([table, apart], axis=1)
    return tables.validate(whole, "trade", where=where, more=list(apart))


def confidential(codes: pd.Series) -> pd.Series:
    """Flag pseudo-codes, under which reporters book goods they do not name.

    2799 and 9999 with what follows, chapter 99, and Eurostat's letters S and M for secret and
    missing digits.

    Examples
    --------
    >>> confidential(pd.Series(["27", "2799", "27999999", "99", "271019", "85SSSSSS"])).tolist()
    [False, True, True, True, False, True]
    """
    return codes.str.fullmatch(r"(?:2799|9999)\w*|99|\d*(?:S+|M+)").fillna(False).astype(bool)


def level(codes: pd.Series) -> pd.Series:
    """Return the digits of HS codes, 0 for totals."""
    return codes.str.len().where(codes != "TOTAL", 0).astype("Int64")


def trade(
    about: Mapping[str, Any], *, source: str, period: pd.Series, code: pd.Series, value: pd.Series,
    flow: Any, weight: Any = None, estimated: Any = False, quantity: Any = None, unit: Any = None,
    guessed: Any = False, hidden: Any = False, **known: Any,
) -> pd.DataFrame:  # fmt: skip
    """Return rows of the trade table, not yet checked: what follows from the others is added.

    ``weight`` (kg) and ``quantity`` (in ``unit``) may be ``estimated`` and ``guessed``; ``hidden``
    are rows whose product is. ``known`` are the other columns, and those that differ from what is
    usual: months, the HS revision in force, imports CIF and all else FOB.
    """
    index = value.index
    net, net_status = measured(pd.Series(weight, index=index), value, estimated)
    amount, amount_status = measured(pd.Series(quantity, index=index), value, guessed)
    flows = pd.Series(flow, index=index, dtype="str")
    table = pd.DataFrame(
        {
            "origin": str(about.get("origin", "file")),
            "source": source,
            "vintage": str(about.get("vintage", "unknown")),
            "trade_system": "unknown",
            "flow": flows,
            "freq": "M",
            "period": period,
            "code": code,
            "level": level(code),
            "value_usd": value,
            "valuation": flows.isin(["M", "RM"]).map({True: "CIF", False: "FOB"}),
            "net_weight_kg": net,
            "weight_status": net_status,
            "quantity": amount,
            "quantity_unit": pd.Series(unit, index=index, dtype="str").where(amount.notna()),
            "quantity_status": amount_status,
            "confidential": confidential(code) | hidden,
        },
        index=index,
    )
    if "code_system" not in known:
        known["code_system"] = revision(period)
    return table.assign(**known)


def measured(amount: pd.Series, value: pd.Series, estimated: Any) -> tuple[pd.Series, pd.Series]:
    """Return an amount, empty where it is missing, and whether it is reported or estimated.

    Zero or nothing beside a positive value is missing, whatever the flags say.

    Examples
    --------
    >>> got, status = measured(pd.Series([2.0, 0.0, None, 3.0]), pd.Series([9.0, 9.0, 9.0, 9.0]),
    ...     pd.Series([False, False, False, True]))
    >>> got.tolist(), status.tolist()
    ([2.0, nan, nan, 3.0], ['reported', 'missing', 'missing', 'estimated'])
    """
    number = amount.astype("float64")
    missing = number.isna() | ((number == 0) & (value > 0))
    status = np.where(missing, "missing", np.where(estimated, "estimated", "reported"))
    return number.mask(missing), pd.Series(status, index=amount.index, dtype="str")
