"""A trade table as DuckDB sees it: a frame in place, or Parquet files as a stream."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from tradeflows.errors import SchemaMismatch

if TYPE_CHECKING:
    import duckdb

PAIR = ("reporter", "partner", "flow", "code")
LARGEST = "1.7976931348623157e308"  # NaN compares as larger in DuckDB and in Spark
# Codes under which reporters book goods that they do not name.
PSEUDO = "(left(code, 4) IN ('2799', '9999') OR code = '99')"
PREFIXES = {"chapter": 2, "heading": 4, "subheading": 6}
_NULL = '"NULL"'  # DuckDB's type of a column without any value
_TEXT = ("VARCHAR", "ENUM", _NULL)
_NUMBER = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT",
           "UINTEGER", "UBIGINT", "UHUGEINT", "FLOAT", "DOUBLE", "DECIMAL", _NULL)  # fmt: skip
MEMORY = "3GB"  # beyond it DuckDB spills to disk
_SUPPLEMENTARY = ("quantity", "qty", "altqty", "alt_quantity", "supplementary_quantity")
_NO_UNIT = "('', '-', 'n/a', 'na', 'nan', 'none', '-1', 'no quantity', 'unknown')"
# Columns in which publishers flag estimates and secrets, in lower case.
_FLAGS = {
    "isnetwgtestimated", "is_net_weight_estimated", "net_weight_estimated", "weight_estimated",
    "is_weight_estimated", "isqtyestimated", "is_quantity_estimated", "quantity_estimated",
    "isaltqtyestimated", "is_estimated", "isestimated", "estimated", "legacyestimationflag",
    "obs_flag", "obs_status", "conf_status", "obs_conf", "isconfidential", "is_confidential",
    "confidentiality", "conf", "gizli",
}  # fmt: skip


@dataclass(frozen=True)
class Relation:
    """An open table named ``trade`` and the columns it has."""

    connection: duckdb.DuckDBPyConnection
    columns: tuple[str, ...]

    def frame(self, query: str) -> pd.DataFrame:
        """Run a query; rows that cannot be read and numbers beyond float64 are stated errors."""
        import duckdb

        not_the_table = (
            duckdb.ParserException,
            duckdb.BinderException,
            duckdb.OutOfMemoryException,
            duckdb.InterruptException,
        )
        try:
            rows: pd.DataFrame = self.connection.sql(query).df()
        except duckdb.OutOfRangeException as error:
            raise too_large(str(error).splitlines()[0]) from None
        except not_the_table:
            raise
        except duckdb.Error as error:
            raise SchemaMismatch(
                f"rows that cannot be read ({str(error).splitlines()[0]})",
                "numbers in the columns of amounts, and Parquet files that are whole",
                "look for text among the numbers (pandas.to_numeric), or write the file again",
            ) from None
        return rows

    def distinct(self, column: str, within: str = "TRUE") -> list[str]:
        """Return what a column says, as text; nothing where there is no such column."""
        if column not in self.columns:
            return []
        rows = self.frame(
            f"SELECT DISTINCT CAST({named(column)} AS VARCHAR) AS x FROM trade "  # noqa: S608
            f"WHERE {within} AND {named(column)} IS NOT NULL ORDER BY x"
        )
        return [str(text) for text in rows["x"]]


def too_large(found: str) -> SchemaMismatch:
    """Return the error for numbers that leave the range of float64."""
    return SchemaMismatch(
        f"values or weights leave the range of 64-bit numbers ({found})",
        "USD and kg between 1e-300 and 1e300, with ratios in that range too",
        "look for unit errors in value_usd and the weight column, or rescale both",
    )


def one_or_more(names: str | Iterable[str]) -> tuple[str, ...]:
    """Return names as a tuple; text is one name, not its letters."""
    alone = isinstance(names, str) or not isinstance(names, Iterable)
    found: tuple[Any, ...] = (names,) if alone else tuple(names)
    if not all(isinstance(name, str) for name in found):
        raise TypeError(f"{names!r}: expected a name as text, or several")
    return found


def keys(columns: Sequence[str], by: Sequence[str]) -> dict[str, str]:
    """Return the columns that tell one product from another, and their SQL."""
    unknown = [name for name in by if name not in columns and name not in PREFIXES]
    if unknown:
        raise SchemaMismatch(
            f"by={tuple(by)} names {unknown}, which the table does not have",
            f"columns of the table ({', '.join(columns)}) or {', '.join(PREFIXES)}",
            "add the column, or group by another",
        )
    if len(set(by)) < len(by):
        raise SchemaMismatch(f"by={tuple(by)} names a column twice", "each once", "drop one")
    return {
        name: named(name) if name in columns else f"left(code, {PREFIXES[name]})"
        for name in (*(pair for pair in PAIR if pair in columns), *by)
    }


def named(*columns: str) -> str:
    """Return names of columns as SQL writes them, with commas between."""
    return ", ".join('"' + name.replace('"', '""') + '"' for name in columns)


def quoted(*texts: str) -> str:
    """Return texts as SQL writes them, with commas between."""
    return ", ".join("'" + text.replace("'", "''") + "'" for text in texts)


def month(lag: int = 1) -> str:
    """Return the SQL of a row's month, counted from year 0; with ``lag=12`` January stands for all.

    Offices date annual rows on the first or on the last day of the year.
    """
    return "12 * year(period)" + " + month(period) - 1" * (lag != 12)


@contextmanager
def opened(trade: Any, needed: Sequence[str], optional: Sequence[str] = ()) -> Iterator[Relation]:
    """Open a frame, an Arrow table, or the path of Parquet files (a glob works) as ``trade``.

    Frames are read in place; Parquet files stream and may be larger than memory. What is no table
    is refused, so are ``needed`` columns that are missing, codes that are numbers, amounts that are
    text, periods that are no dates, flags that only a reader knows.
    ``optional`` amounts that are missing are empty in every row.
    """
    trade = getattr(trade, "frame", trade)  # of a concordance
    with _database(os.environ.get("TRADEFLOWS_THREADS", "")).cursor() as connection:
        _register(connection, trade)
        described = connection.sql("DESCRIBE given").fetchall()
        types = {str(r[0]): str(r[1]) for r in described}
        absent = [name for name in optional if name not in types]
        needed = [name for name in (*needed, *optional) if name not in absent]
        _check_columns(types, needed)
        more = "".join(f", CAST(NULL AS DOUBLE) AS {name}" for name in absent)
        connection.execute(f"CREATE TEMP VIEW trade AS SELECT *{more} FROM given")  # noqa: S608
        yield Relation(connection, (*types, *absent))


@cache
def _database(threads: str) -> duckdb.DuckDBPyConnection:
    """Return the one database in memory; each cursor on it sees its own tables only."""
    import duckdb

    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": MEMORY,
        "temp_directory": tempfile.gettempdir(),
    }
    if threads:
        config["threads"] = int(threads)
    return duckdb.connect(config=config)


def _register(connection: duckdb.DuckDBPyConnection, trade: Any) -> None:
    import duckdb

    is_path = isinstance(trade, str | Path)
    try:
        if is_path:
            files = str(trade).replace("'", "''")
            scan = f"SELECT * FROM read_parquet('{files}', union_by_name = true)"  # noqa: S608
            connection.execute(f"CREATE TEMP VIEW given AS {scan}")
        elif isinstance(trade, pd.Series):  # DuckDB would take it for a table of one column
            raise TypeError("it is one column")
        else:
            connection.register("given", trade)
    except (duckdb.Error, TypeError) as error:
        what = f"{trade!r}" if is_path else f"an object of type {type(trade).__name__}"
        raise SchemaMismatch(
            f"{what} cannot be read as a table ({str(error).splitlines()[0]})",
            "a pandas DataFrame, an Arrow table, or the path of Parquet files",
            "correct the path, or read the rows with pandas first; its periods become dates by"
            " trade['period'].dt.to_timestamp()",
        ) from None


def require_columns(columns: Iterable[str], needed: Sequence[str]) -> None:
    """Refuse a table without columns that are needed."""
    there = list(columns)
    if missing := [name for name in needed if name not in there]:
        raise SchemaMismatch(
            f"no column {', '.join(map(repr, missing))} among {', '.join(map(str, there))}",
            f"at least {', '.join(needed)}",
            "rename or add them; tradeflows.tables.TABLES['trade'] says what each means",
        )


def _check_columns(types: dict[str, str], needed: Sequence[str]) -> None:
    require_columns(types, needed)
    if flags := [name for name in types if name.lower() in _FLAGS]:
        raise SchemaMismatch(
            f"columns {', '.join(map(repr, flags))}, in which a publisher flags rows",
            "weight_status (or the quantity's own) and confidential, which say what they mean",
            "read them with tf.read_comtrade, tf.read_tuik or tf.tidy(trade, estimated="
            f"{flags[0]!r}), or say it in these columns; then drop them",
        )
    amounts = [name for name in needed if name not in (*PAIR, "period")]
    texts = ("reporter", "partner", *(status_column(name) for name in amounts))
    kinds = {
        "period": (("DATE", "TIMESTAMP"), "dates without a time zone, the first of each month",
                   "tf.tidy(trade), pandas.to_datetime or trade['period'].dt.tz_localize(None)"),
        "code": (_TEXT, "text: as numbers codes lose their leading zeros",
                 "pandas.read_csv(file, dtype={'code': str})"),
        **{n: (_NUMBER, "numbers", f"pandas.to_numeric(trade[{n!r}])") for n in amounts},
        **{n: (_TEXT, "text", f"trade[{n!r}].astype(str)") for n in texts},
        "confidential": (("BOOLEAN", *_NUMBER), "True or False",
                         "trade['confidential'] == 'yes', or however it is written"),
    }  # fmt: skip
    for name, (fits, expected, todo) in kinds.items():
        found = types.get(name, _NULL)
        if not found.startswith((*fits, _NULL)) or found.endswith("TIME ZONE"):
            meaning = "tradeflows.tables.TABLES['trade'] says what each column means"
            raise SchemaMismatch(
                f"column {name!r} is of type {found}", f"{expected}; {meaning}",
                f"convert it with {todo}",
            )  # fmt: skip


def usable(columns: Sequence[str], quantity: str, estimated: str = "unpriced") -> str:
    """Return the SQL of a usable quantity: the number, or NULL where it makes no price.

    It counts if value and quantity are positive, the row is not confidential, and the publisher
    reports it (or estimated it, with ``estimated="accepted"``). Zero or null beside a positive
    value is missing, whatever the flags say; a column that is absent says reported and open.
    """
    if estimated not in ("unpriced", "accepted"):
        raise ValueError(f"estimated={estimated!r}: expected 'unpriced' or 'accepted'")
    number = named(quantity)
    rules = ["value_usd > 0", f"{number} > 0", f"{number} <= {LARGEST}"]
    status = status_column(quantity)
    if status in columns:
        fits = "('reported')" if estimated == "unpriced" else "('reported', 'estimated')"
        rules.append(f"{named(status)} IN {fits}")
    unit = f"{quantity}_unit"
    if unit in columns and quantity != "net_weight_kg":
        text = f"lower(trim(CAST({named(unit)} AS VARCHAR)))"
        rules.append(f"coalesce({text} NOT IN {_NO_UNIT}, FALSE)")
    elif quantity in _SUPPLEMENTARY:
        raise SchemaMismatch(
            f"column {quantity!r} without a column {unit!r}: numbers of what?",
            "the unit of each quantity, such as u, l or m2",
            f"add it, e.g. trade.assign({unit}='u'), or name the column by its unit",
        )
    rules.append(f"NOT {hidden(columns)}")
    return f"CASE WHEN {' AND '.join(rules)} THEN CAST({number} AS DOUBLE) END"


def hidden(columns: Sequence[str]) -> str:
    """Return the SQL of a row whose product is hidden: as the table says, or by its pseudo-code."""
    return "confidential" if "confidential" in columns else PSEUDO


def status_column(quantity: str) -> str:
    """Return the name of the column that says how a quantity came about."""
    return "weight_status" if quantity == "net_weight_kg" else f"{quantity}_status"
