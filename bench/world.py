"""Generated trade: a panel of codes by months, and two years of all pairs of the world."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd


def panel(codes: int = 5000, months: int = 200) -> pd.DataFrame:
    """Return one pair of countries, every code in every month, all weights reported."""
    rng = np.random.default_rng(0)
    periods = pd.date_range("2005-01-01", periods=months, freq="MS")
    names = np.array([f"{i:06d}" for i in range(codes)])
    count = codes * months
    return pd.DataFrame(
        {
            "period": np.repeat(periods, codes),
            "code": np.tile(names, months),
            "value_usd": rng.lognormal(10, 1, count),
            "net_weight_kg": rng.lognormal(8, 1, count),
            "weight_status": "reported",
        }
    )


def world(file: Path, rows_a_year: int) -> Path:
    """Write two annual years of reporter x partner x code; a tenth of the rows comes or goes."""
    import duckdb

    if file.exists():
        return file
    cells = round(rows_a_year / 0.9)
    duckdb.connect().execute(
        f"""
        COPY (
            SELECT
                'R' || lpad(CAST((m // 5000) % 200 AS VARCHAR), 3, '0') AS reporter,
                'P' || lpad(CAST(m // 1000000 AS VARCHAR), 3, '0') AS partner,
                'X' AS flow,
                'A' AS freq,
                make_date(2021 + y, 1, 1) AS period,
                lpad(CAST((m % 5000) * 199 AS VARCHAR), 6, '0') AS code,
                exp((hash(i, y, 1) % 1000000) / 1e5) AS value_usd,
                CASE WHEN hash(i, y, 2) % 20 = 0 THEN NULL
                    ELSE exp((hash(i, y, 3) % 1000000) / 1e5) END AS net_weight_kg,
                CASE hash(i, y, 2) % 20 WHEN 0 THEN 'missing' WHEN 1 THEN 'estimated'
                    ELSE 'reported' END AS weight_status
            FROM (SELECT i, (i * 123456791) % 200000000 AS m FROM range({cells}) AS t(i)),
                range(2) AS u(y)
            WHERE hash(i, y, 4) % 10 > 0
        ) TO '{file}' (FORMAT parquet, ROW_GROUP_SIZE 500000)
        """  # noqa: S608
    )
    return file


def two_sides(file: Path, rows: int) -> Path:
    """Write what exporters and importers report of two annual years, 6 % freight between them."""
    import duckdb

    if file.exists():
        return file

    def normal(keys: str) -> str:
        first, second = (f"(hash({keys}, {n}) % 1000003 + 1) / 1000004.0" for n in (1, 2))
        return f"(sqrt(-2 * ln({first})) * cos(2 * pi() * {second}))"

    size = f"2 * {normal('i, 3')} + 0.3 * {normal('i, t, 4')}"
    duckdb.connect().execute(
        f"""
        COPY (
            SELECT
                CASE flow WHEN 'X' THEN a ELSE b END AS reporter,
                CASE flow WHEN 'X' THEN b ELSE a END AS partner,
                flow, 'A' AS freq, 'HS2017' AS code_system, make_date(2021 + t, 1, 1) AS period,
                code,
                CASE flow WHEN 'X' THEN v ELSE 1.06 * v * exp(0.03 * {normal("i, t, 11")}) END
                    AS value_usd,
                CASE WHEN hash(i, t, flow, 5) % 20 = 0 THEN NULL WHEN flow = 'X' THEN kg
                    ELSE kg * exp(0.02 * {normal("i, t, 12")}) END AS net_weight_kg,
                CASE hash(i, t, flow, 5) % 20 WHEN 0 THEN 'missing' WHEN 1 THEN 'estimated'
                    ELSE 'reported' END AS weight_status
            FROM (
                SELECT i, t, 'C' || lpad(CAST(m // 1000000 AS VARCHAR), 3, '0') AS a,
                    'C' || lpad(CAST((m // 5000) % 200 AS VARCHAR), 3, '0') AS b,
                    lpad(CAST((m % 5000) * 199 AS VARCHAR), 6, '0') AS code,
                    exp(11 + {size}) AS v, exp(9 + {size} + 0.8 * {normal("i, 6")}) AS kg
                FROM (SELECT i, (i * 123456791) % 200000000 AS m
                      FROM range({round(rows / 3.8)}) AS r(i)), range(2) AS s(t)
            ), (VALUES ('X'), ('M')) AS f(flow)
            WHERE a <> b AND hash(i, t, flow, 9) % 20 > 0
        ) TO '{file}' (FORMAT parquet, ROW_GROUP_SIZE 500000)
        """  # noqa: S608
    )
    return file
