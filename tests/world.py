"""World-like trade: all pairs, HS6, heavy tails, missing weights, and surges put in on purpose.

Every number hangs on the seed alone. Pairs differ in size by orders of magnitude and trade few or
many products accordingly; growth has shocks to the pair, to the product group of the reporter and
of the pair, and to the single flow, the last with heavy tails; a tenth of the rows comes or goes.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

from tradeflows.codes.countries import countries
from tradeflows.codes.groups import high_priority

__all__ = ["World", "listed", "world"]

KEPT = 0.9  # share of flows that exist in a year


@dataclass(frozen=True)
class World:
    """Pairs, products and the pairs whose listed goods surge; `frame` and `file` make the rows."""

    seed: int
    pairs: pd.DataFrame
    codes: pd.DataFrame
    surges: tuple[tuple[str, str], ...]

    def frame(self) -> pd.DataFrame:
        """Return two annual years as a table."""
        with duckdb.connect() as connection:
            return connection.sql(self._query(connection)).df()

    def file(self, path: Path) -> Path:
        """Write two annual years to a Parquet file, never whole in memory; kept if it exists."""
        if not path.exists():
            part = path.with_suffix(".part")
            with duckdb.connect() as connection:
                rows = self._query(connection)
                connection.execute(f"COPY ({rows}) TO '{part}' (FORMAT parquet)")
            part.replace(path)
        return path

    def _query(self, connection: duckdb.DuckDBPyConnection) -> str:
        connection.register("pair", self.pairs)
        connection.register("product", self.codes)
        drawn = {
            "size": self._normal("x.pair, x.k, 1"),
            "move": f"{self._normal('x.pair, x.k, 2')} * {self._uniform('x.pair, x.k, 3')} ** -0.2",
            "home": self._normal("p.reporter, c.chapter, 4"),
            "both": self._normal("x.pair, c.chapter, 5"),
            "price": self._normal("x.pair, x.k, y.now, 6"),
            "weighed": self._uniform("x.pair, x.k, y.now, 7"),
            "there": self._uniform("x.pair, x.k, y.now, 8"),
        }
        many = len(self.codes)
        return f"""
            WITH cell AS (
                SELECT pair, CAST((i * 1009 + start) % {many} AS BIGINT) AS k
                FROM pair, range(flows) AS t(i)
            ),
            drawn AS (
                SELECT p.reporter, p.partner, c.code, y.now, {drawn["there"]} AS there,
                    exp(11 + p.size + c.size + 1.3 * {drawn["size"]} + y.now * (0.1 + p.growth
                        + 0.2 * {drawn["home"]} + 0.2 * {drawn["both"]} + 0.4 * {drawn["move"]}
                        + CASE WHEN c.listed THEN p.surge ELSE 0 END)) AS value_usd,
                    exp(3 + c.size + 0.1 * y.now + 0.5 * {drawn["price"]}) AS unit_value,
                    {drawn["weighed"]} AS weighed
                FROM cell AS x JOIN pair AS p USING (pair) JOIN product AS c USING (k),
                    (VALUES (0), (1)) AS y(now)
            )
            SELECT reporter, partner, 'X' AS flow, 'A' AS freq, 'HS2017' AS code_system,
                make_date(2021 + now, 1, 1) AS period, code, value_usd,
                CASE WHEN weighed > 0.06 THEN value_usd / unit_value END AS net_weight_kg,
                CASE WHEN weighed <= 0.06 THEN 'missing' WHEN weighed <= 0.16 THEN 'estimated'
                    ELSE 'reported' END AS weight_status
            FROM drawn WHERE there < {KEPT}"""  # noqa: S608

    def _uniform(self, keys: str) -> str:
        return f"((hash({keys}, {self.seed}) % 4294967296 + 0.5) / 4294967296)"

    def _normal(self, keys: str) -> str:
        first, second = (self._uniform(f"{keys}, {i}") for i in (0, 1))
        return f"(sqrt(-2 * ln({first})) * cos(2 * pi() * {second}))"


def listed() -> list[str]:
    """Return the listed codes of the worlds."""
    return sorted(set(high_priority()["hs2017"].dropna()))


def world(
    seed: int = 0,
    *,
    members: int = 60,
    products: int = 600,
    rows: int = 100_000,
    surges: int = 0,
    to: str | None = "RUS",
    surge: float = 2.0,
) -> World:
    """Draw a world.

    Parameters
    ----------
    seed : int
    members : int
        Countries, Russia and Turkey among them.
    products : int
        HS6 codes, the listed ones among them.
    rows : int
        Rows a year, about.
    surges : int
        Pairs whose listed goods surge in the second year, drawn from the larger half.
    to : str, optional
        Partner of all surges; None for any.
    surge : float
        Size of a surge in log points.
    """
    rng = np.random.default_rng(seed)
    names = [c.code for c in countries() if c.current and len(c.code) == 3 and c.code.isupper()]
    names = sorted(names, key=lambda c: (c not in ("RUS", "TUR"), c))[:members]
    size = pd.Series(rng.normal(0, 1.2, members), names)
    size[["RUS", "TUR"]] = [1.5, 1.0]
    pairs = pd.MultiIndex.from_product([names, names], names=["reporter", "partner"]).to_frame(
        index=False
    )
    pairs = pairs[pairs["reporter"] != pairs["partner"]].reset_index(names="pair")
    weight = size[pairs["reporter"]].to_numpy() + size[pairs["partner"]].to_numpy()
    weight = weight + rng.normal(0, 0.7, len(pairs))
    pairs["size"] = 0.7 * weight
    pairs["growth"] = 0.25 * rng.standard_t(4, len(pairs))
    pairs["flows"] = _flows(weight, products, rows)
    pairs["start"] = rng.integers(products, size=len(pairs))
    pairs["surge"] = 0.0
    large = pairs[(pairs["partner"] == to) if to else pairs["flows"] > 0]
    large = large[large["flows"] >= large["flows"].median()]
    hit = rng.choice(large.index, surges, replace=False)
    pairs.loc[hit, "surge"] = surge
    chosen = pairs.loc[hit, ["reporter", "partner"]].itertuples(index=False, name=None)
    return World(seed, pairs, _codes(products, rng), tuple(sorted(chosen)))


def _flows(weight: np.ndarray, products: int, rows: int) -> np.ndarray:
    """Return products traded by each pair: more in large pairs, `rows` a year together."""
    low, high = 1e-9, 1e9
    for _ in range(80):
        middle = np.sqrt(low * high)
        found = products * -np.expm1(-middle * np.exp(weight))
        low, high = (middle, high) if found.sum() * KEPT < rows else (low, middle)
    return np.round(found).astype("int64")


def _codes(products: int, rng: np.random.Generator) -> pd.DataFrame:
    wanted = listed()
    chapters = [f"{c:02d}" for c in range(1, 98) if c != 77]
    chapters = chapters if products > 2000 else [f"{c}" for c in range(60, 98) if c != 77]
    each = -(-(products - len(wanted)) // len(chapters))
    others = [f"{c}{i // 9 + 1:02d}{i % 9 + 1}0" for i in range(each) for c in chapters]
    others = [code for code in others if code not in wanted][: products - len(wanted)]
    code = np.array(sorted([*wanted, *others]))
    frame = pd.DataFrame({"k": np.arange(len(code)), "code": code})
    frame["chapter"] = [int(c[:2]) for c in code]
    frame["size"] = rng.normal(0, 1, len(code))
    frame["listed"] = np.isin(code, wanted)
    return frame
