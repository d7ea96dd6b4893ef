"""Generated monthly trade of Turkey with planted effects: the same numbers for the same seed."""

from __future__ import annotations

import csv
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

EVENT = "202203"
TOUCHED = {"nothing": "", "prices": "M", "volume": "X", "entry": "X", "rerouting": "MX"}  # flows
SCENARIOS = tuple(TOUCHED)
PRICE, VOLUME, TRANSIT_VOLUME, SUPPLY = 2.0, 3.0, 4.0, 2.0
TURKEY, RUSSIA = 792, 643
TRANSIT = (398, 417, 860, 268, 31, 51)
SUPPLIERS = (276, 251, 380, 826, 842, 392, 124, 528, 56, 616, 203, 40, 752, 724, 246)
OTHERS = (
    *(818, 12, 24, 32, 36, 50, 76, 100, 112, 144, 152, 156, 170, 191, 208, 222, 231, 268, 288, 300),
    *(348, 360, 364, 368, 372, 376, 400, 404, 410, 414, 422, 428, 440, 458, 484, 490, 498, 504),
    *(554, 566, 578, 586, 604, 608, 620, 634, 642, 682, 688, 699, 702, 703, 704, 705, 710, 757),
    *(764, 784, 788, 804, 899),
)
CIF = 1.06
ENERGY = ("270111", "270112", "270119", "271012", "271019", "271112", "271113", "271311")
HIDDEN = "999999"
CHAPTERS = tuple(c for c in range(1, 98) if c not in (27, 77))
_LIST = Path(__file__).parents[2] / "src" / "tradeflows" / "codes" / "high_priority.csv"
_TABLES = _LIST.with_name("hs.csv.gz")
_SAMPLE = ("854231", "854232", "854233", "854239", "851762", "852691", "853221", "854800")


@lru_cache
def listed() -> tuple[tuple[str, str, str], ...]:
    """Return the high-priority codes in HS 2022, 2017 and 2012; a few where no list is shipped."""
    if not _LIST.is_file():
        return tuple((c, c, c) for c in _SAMPLE)
    with _LIST.open(encoding="utf-8", newline="") as handle:
        table = [(r["hs2022"], r["hs2017"], r["hs2012"]) for r in csv.DictReader(handle)]
    return tuple((a, b or a, c or b or a) for a, b, c in table)


@lru_cache
def unchanged() -> dict[str, tuple[str, ...]]:
    """Return, by chapter, the codes that are one to one since HS 2012; none without the tables."""
    found: dict[str, set[str]] = {}
    if _TABLES.is_file():
        pairs = pd.read_csv(_TABLES, dtype="str")
        pairs = pairs[pairs["newer_revision"] >= "HS2017"]
        alone = pairs[pairs["converts"] == "1"]
        other = alone[alone["newer"] != alone["older"]]
        moved = {*other["newer"], *other["older"]}
        newest = pairs.loc[pairs["newer_revision"] == "HS2022", "newer"]
        lost = set(pairs["older"]) - set(alone["older"])
        moved |= set(pairs.loc[pairs["older"].isin(lost), "newer"])
        for code in (set(newest) & set(alone["older"])) - moved:
            found.setdefault(code[:2], set()).add(code)
    return {chapter: tuple(sorted(codes)) for chapter, codes in found.items()}


@lru_cache
def products(
    breadth: int, chapters: tuple[int, ...] = CHAPTERS, *, hidden: bool = True
) -> pd.DataFrame:
    """Return the goods: their codes in three revisions and the group they belong to."""
    rows = [(*codes, "listed") for codes in listed()]
    rows += [(c, c, c, "energy") for c in ENERGY]
    rows += [(HIDDEN, HIDDEN, HIDDEN, "hidden")] if hidden else []
    same = unchanged()
    taken = {code for row in rows for code in row[:3]}
    for chapter in chapters:
        codes = [c for c in same.get(f"{chapter:02d}", ()) if c not in taken][: 3 * breadth]
        rows += [(code, code, code, "other") for code in codes]
    return pd.DataFrame(rows, columns=["H6", "H5", "H4", "group"])


@dataclass(frozen=True)
class World:
    """A world of trade.

    ``missing`` is the share of rows without weight, ``estimated`` the share with an estimated one.
    Fewer ``chapters`` and ``others``, partners beside Russia, its neighbours and the suppliers,
    make a world that is served sooner. Most energy is ``hidden``, a value without weight.
    """

    scenario: str = "nothing"
    missing: float = 0.0
    estimated: float = 0.0
    breadth: int = 1
    seed: int = 1
    last: str = "202512"
    chapters: tuple[int, ...] = CHAPTERS
    others: int = len(OTHERS)
    hidden: bool = True
    goods: pd.DataFrame = field(default=None, repr=False, compare=False)  # type: ignore[assignment]

    def __post_init__(self) -> None:
        if self.scenario not in SCENARIOS:
            raise ValueError(f"scenario {self.scenario!r} is none of {SCENARIOS}")
        object.__setattr__(self, "goods", products(self.breadth, self.chapters, hidden=self.hidden))

    @property
    def months(self) -> list[str]:
        """Return every month that is published."""
        return [
            p.strftime("%Y%m")
            for p in pd.period_range("2017-01", self.last[:4] + "-" + self.last[4:], freq="M")
        ]

    @property
    def partners(self) -> tuple[int, ...]:
        """Return Turkey's partners."""
        return tuple(sorted({RUSSIA, *TRANSIT, *SUPPLIERS, *OTHERS[: self.others]}))

    @property
    def reporters(self) -> tuple[int, ...]:
        """Return who reports."""
        return (TURKEY, *TRANSIT, *SUPPLIERS)

    def revision(self, reporter: int, period: str) -> str:
        """Return the HS revision a reporter uses in a month: Turkey changes within 2022."""
        if reporter == 417:
            return "H4" if period < "201901" else "H5" if period < "202301" else "H6"
        return "H5" if period < "202207" else "H6"

    def truth(self, base: str = "2021", current: str = "2022") -> dict[str, float]:
        """Return what was planted: change of value against a world where nothing happened."""
        calm = _calm(self)
        sums = {}
        for name, world in (("with", self), ("without", calm)):
            for year in (base, current):
                for flow in ("M", "X"):
                    value = sum(
                        world.flows(flow, m).loc[RUSSIA].sum() for m in self.months if m[:4] == year
                    )
                    sums[f"{flow}-{year}-{name}"] = float(value)
        planted = {
            f"{flow}_effect": sums[f"{flow}-{current}-with"] - sums[f"{flow}-{current}-without"]
            for flow in ("M", "X")
        }
        return sums | planted | {"price": PRICE, "volume": VOLUME}

    def flows(self, flow: str, period: str) -> pd.DataFrame:
        """Return values (USD) of Turkey's trade by partner (rows) and product (columns)."""
        kg, price = _quantities(self, flow, period)
        return pd.DataFrame(kg * price, index=list(self.partners))


@lru_cache(maxsize=8)
def _base(world: World, flow: str) -> tuple[np.ndarray, np.ndarray]:
    """Return base kilograms (partner × product) and prices (product)."""
    rng = np.random.default_rng([world.seed, flow == "X", 7])
    goods, n = world.goods["group"].to_numpy(), len(world.partners)
    kg = rng.lognormal(9, 1.5, (n, len(goods))) * (rng.random((n, len(goods))) < 0.6)
    price = rng.lognormal(2, 1, len(goods))
    russia = world.partners.index(RUSSIA)
    kg[russia] = rng.lognormal(9.5, 1, len(goods))
    is_entry = _entry(world)
    if flow == "X":
        kg[:, np.isin(goods, ["hidden", "energy"])] = 0
        kg[:, goods == "listed"] = np.maximum(kg[:, goods == "listed"], 500)
        kg[russia, is_entry] = 0
    else:
        kg[:, goods == "hidden"] = 0
        kg[russia, np.isin(goods, ["energy", "hidden"])] *= 3e3
        kg[russia, goods == "hidden"] = 2e9
        price[np.isin(goods, ["energy", "hidden"])] = rng.uniform(
            0.3, 0.7, np.isin(goods, ["energy", "hidden"]).sum()
        )
    return kg, price


def _entry(world: World) -> np.ndarray:
    """Return the listed goods that Russia does not buy before a planted entry."""
    found = np.flatnonzero(world.goods["group"] == "listed")
    mask = np.zeros(len(world.goods), dtype=bool)
    mask[found[::7]] = True
    return mask


@lru_cache(maxsize=64)
def _quantities(world: World, flow: str, period: str) -> tuple[np.ndarray, np.ndarray]:
    """Return kilograms and prices of a month, with the planted effect."""
    kg, price = _base(world, flow)
    t = (int(period[:4]) - 2017) * 12 + int(period[4:]) - 1
    rng = np.random.default_rng([world.seed, flow == "X", 11, t])
    season = 1 + 0.1 * np.sin(2 * np.pi * t / 12)
    kg = kg * season * 1.003**t * rng.lognormal(0, 0.12, kg.shape)
    price = np.broadcast_to(price * 1.001**t, kg.shape) * rng.lognormal(0, 0.02, kg.shape)
    if period < EVENT or world.scenario == "nothing":
        return kg, price
    kg, price = kg.copy(), price.copy()
    group, russia = world.goods["group"].to_numpy(), world.partners.index(RUSSIA)
    is_listed = group == "listed"
    transit = [world.partners.index(p) for p in TRANSIT]
    if world.scenario == "prices" and flow == "M":
        price[russia, np.isin(group, ["energy", "hidden"])] *= PRICE
    elif world.scenario == "volume" and flow == "X":
        kg[russia, is_listed] *= VOLUME
    elif world.scenario == "entry" and flow == "X":
        new = _entry(world)
        kg[russia, new] = 40_000 * season
    elif world.scenario == "rerouting" and flow == "X":
        kg[np.ix_(transit, is_listed)] *= TRANSIT_VOLUME
    elif world.scenario == "rerouting":
        sellers = [world.partners.index(p) for p in SUPPLIERS]
        kg[np.ix_(sellers, is_listed)] *= SUPPLY
    return kg, price


def alike(world: World, flow: str, period: str) -> World:
    """Return the world where nothing happened, for what both publish: it is made once for all."""
    touched = period >= EVENT and flow[-1] in TOUCHED[world.scenario]
    return world if touched else _calm(world)


@lru_cache
def _calm(world: World) -> World:
    return replace(world, scenario="nothing")


RE_SHARE = 0.05  # of exports and imports that leave, or come, again


def month(
    world: World, reporter: int, flow: str, period: str, system: str = ""
) -> pd.DataFrame:  # fmt: skip
    """Return the HS6 rows a reporter publishes: partner, code, value, weight and how it came.

    Re-exports and re-imports are a part of Turkey's exports and imports.
    """
    return _month(alike(world, flow, period), reporter, flow, period, system)


@lru_cache(maxsize=200)
def _month(world: World, reporter: int, flow: str, period: str, system: str) -> pd.DataFrame:
    if reporter == TURKEY:
        kg, price = _quantities(world, flow[-1], period)
        kg = kg * (RE_SHARE if flow.startswith("R") else 1)
        partners, mark = list(world.partners), 1.0
    elif reporter in TRANSIT and flow == "M":
        calm = _calm(world)
        kg, price = (a[[world.partners.index(reporter)]] for a in _quantities(calm, "X", period))
        partners, mark = [TURKEY], CIF  # what is rerouted does not arrive
    elif reporter in SUPPLIERS and flow == "X":
        kg, price = (a[[world.partners.index(reporter)]] for a in _quantities(world, "M", period))
        partners, mark = [TURKEY], 1 / CIF
    else:
        return pd.DataFrame(columns=["partner", "code", "value", "kg", "flag", "unit", "qty"])
    codes = world.goods[system or world.revision(reporter, period)].to_numpy()
    rows = pd.DataFrame(
        {
            "partner": np.repeat(partners, len(codes)),
            "code": np.tile(codes, len(partners)),
            "value": (kg * price * mark).ravel(),
            "kg": kg.ravel(),
        }
    )
    rows = rows[rows["kg"] > 0].groupby(["partner", "code"], as_index=False, sort=True).sum()
    return _weighed(world, rows, reporter, flow, period)


def _weighed(
    world: World, rows: pd.DataFrame, reporter: int, flow: str, period: str
) -> pd.DataFrame:
    rng = np.random.default_rng([world.seed, reporter, flow == "X", int(period)])
    draw = rng.random(len(rows))
    hidden = (rows["code"] == HIDDEN).to_numpy()
    missing = (draw < world.missing) | hidden
    estimated = ~missing & (draw < world.missing + (1 - world.missing) * world.estimated)
    machines = rows["code"].str[:2].isin(["84", "85", "88", "90"]).to_numpy()
    rows["unit"] = np.where(hidden, -1, np.where(machines, 5, 8))
    rows["qty"] = np.where(hidden, 0, np.where(machines, np.ceil(rows["kg"] / 0.25), rows["kg"]))
    rows["flag"] = np.where(missing, "missing", np.where(estimated, "estimated", "reported"))
    rows["value"] = rows["value"].round(3)
    rows["kg"] = rows["kg"].round(3)
    rows["qty"] = rows["qty"].round(3)
    return rows
