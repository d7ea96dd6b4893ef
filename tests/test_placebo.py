"""Triple difference, placebos and power on panels whose truth is known."""

import importlib.util
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.proportion import proportion_confint

import tradeflows as tf
from tradeflows.counterfactual import (
    EXCLUDED,
    Cube,
    Validation,
    cube,
    event_study,
    growth_rank,
    placebo_destinations,
    placebo_entry,
    placebo_products,
    synthetic_difference,
    triple_difference,
    validation,
)
from tradeflows.counterfactual.difference import breakdown, difference
from tradeflows.errors import DoubleCountedTotals, SchemaMismatch
from tradeflows.plot import Figure

MONTHS = pd.date_range("2019-01-01", "2023-01-01", freq="MS")
BEFORE = int((MONTHS < "2022-02-01").sum())
CODES = [f"84{i:04d}" for i in range(40)]
LISTED = CODES[::8]


def made(rng, *, destinations=46, noise=0.4, factor=1.0) -> Cube:
    """Make a panel with product, destination and month effects, and perhaps an effect."""
    shape = (len(CODES), destinations, len(MONTHS))
    logs = rng.normal(10, 1, (shape[0], 1, 1)) + rng.normal(0, 1, (1, shape[1], 1))
    logs = logs + rng.normal(0, 0.3, (shape[0], shape[1], 1)) + rng.normal(0, 0.3, (1, *shape[1:]))
    amounts = np.exp(logs + rng.normal(0, noise, shape))
    amounts[np.ix_(np.isin(CODES, LISTED), [0], np.arange(shape[2]) >= BEFORE)] *= factor
    names = ["RUS", *(f"D{i:02d}" for i in range(1, destinations))]
    return Cube(
        amounts, pd.Index(CODES), pd.Index(names), MONTHS, BEFORE, "2022-02",
        "2022-02 to 2023-01", 0,
    )  # fmt: skip


def rows(data: Cube) -> pd.DataFrame:
    """Write a cube as the rows it came from; zeros have none."""
    k, d, t = np.nonzero(data.amounts)
    return pd.DataFrame(
        {
            "partner": data.destinations[d],
            "code": data.codes[k],
            "period": data.months[t],
            "value_usd": data.amounts[k, d, t],
            "origin": "a/b.json",
        }
    )


@pytest.fixture(scope="module")
def tripled() -> Cube:
    return made(np.random.default_rng(0), factor=3.0)


@pytest.fixture(scope="module")
def small() -> Cube:
    return made(np.random.default_rng(0), destinations=6, factor=3.0)


def test_a_planted_effect_is_recovered_exactly_without_noise():
    data = made(np.random.default_rng(0), noise=0.0)
    data.amounts[np.ix_(np.isin(CODES, LISTED), [0], np.arange(len(MONTHS)) >= BEFORE)] *= 1.7
    assert triple_difference(data, listed=LISTED).effect == pytest.approx(0.7, abs=1e-8)


def test_rows_and_cube_give_the_same(small):
    panel = rows(small)
    found, again = (triple_difference(p, listed=LISTED) for p in (small, panel))
    assert found.beta == pytest.approx(again.beta, abs=1e-12)
    assert again.origins == ("a/b.json",)
    assert again.window == "2022-02 to 2023-01"
    mixed = panel.sample(frac=1, random_state=1)
    assert triple_difference(mixed, listed=LISTED).beta == pytest.approx(found.beta, abs=1e-12)


def test_transit_states_world_and_other_chapters_are_left_out(small):
    panel = rows(small)
    more = [panel]
    for partner in (*EXCLUDED, "World", "Areas nes"):
        more.append(panel[panel["partner"] == "D01"].assign(partner=partner))
    more.append(panel.assign(code="27" + panel["code"].str[2:]))
    found = triple_difference(pd.concat(more), listed=LISTED)
    assert found.destinations == 6
    assert found.beta == pytest.approx(triple_difference(panel, listed=LISTED).beta, abs=1e-12)


def test_unpublished_month_and_missing_weights_are_said(small):
    panel = rows(small)
    gap = panel[panel["period"] != "2022-05-01"]
    assert "without 2022-05" in triple_difference(gap, listed=LISTED).window
    holes = panel.copy()
    holes.loc[(holes["partner"] == "D03") & (holes["code"] == CODES[1]), "value_usd"] = np.nan
    assert triple_difference(holes, listed=LISTED).left_out == 1


def test_listed_codes_that_are_absent_are_named(small):
    found = triple_difference(small, listed=[*LISTED, "854231"])
    assert found.absent == ("854231",)
    assert found.table.loc["RUS", "listed codes absent"] == 1


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda p: p[p["partner"] != "RUS"], "no exports to RUS"),
        (
            lambda p: p[(p["partner"] != "RUS") | (p["period"] >= "2022-02-01")],
            "RUS has no exports",
        ),
        (lambda p: p[~p["code"].isin(LISTED)], "none of the listed codes"),
        (lambda p: p[p["code"].isin(LISTED)], "no other goods"),
        (lambda p: p[p["period"] >= "2020-01-01"], "25 published months before 2022-02"),
        (lambda p: p[p["period"] < "2022-02-01"], "no month of the window"),
        (lambda p: p[(p["partner"] != "RUS") | ~p["code"].isin(LISTED)], "no listed goods before"),
        (
            lambda p: p[
                (p["partner"] != "RUS") | ~p["code"].isin(LISTED) | (p["period"] < "2022-02-01")
            ],
            "no listed goods",
        ),
    ],
)
def test_panels_that_cannot_be_used(small, change, reason):
    panel = change(rows(small))
    found = triple_difference(panel, listed=LISTED)
    assert reason in found.reason
    assert np.isnan(found.beta)
    assert "cannot be determined" in str(found.sentence())
    for ask in (placebo_destinations, placebo_products):
        placebo = ask(panel, listed=LISTED, **({"draws": 9} if ask is placebo_products else {}))
        assert placebo.reason
        assert np.isnan(placebo.p)
        assert isinstance(placebo.table, pd.DataFrame)
        tf.plot.show(placebo)
        assert "cannot be determined" in str(placebo.sentence())
    tf.plot.show(event_study(panel, listed=LISTED))


@pytest.mark.parametrize("draw", range(4))
def test_sparse_panels_never_end_in_a_trace(draw):
    rng = np.random.default_rng([5, draw])
    data = made(rng, destinations=int(rng.integers(2, 9)), noise=rng.choice([0.5, 20.0]))
    data.amounts[rng.random(data.amounts.shape) > rng.choice([0.002, 0.02, 0.2])] = 0.0
    for panel in (data, rows(data)):
        found = triple_difference(panel, listed=LISTED)
        assert np.isfinite(found.beta) != bool(found.reason)
        for placebo in (
            placebo_destinations(panel, listed=LISTED, needed=1),
            placebo_products(panel, listed=LISTED, draws=9),
        ):
            assert np.isfinite(placebo.p) != bool(placebo.reason)
        assert str(event_study(panel, listed=LISTED).sentence())


def test_a_fit_that_does_not_converge_says_so(small, monkeypatch):
    monkeypatch.setattr("tradeflows.counterfactual.difference.ROUNDS", 1)
    found = [
        triple_difference(small, listed=LISTED),
        placebo_destinations(small, listed=LISTED),
        placebo_products(small, listed=LISTED, draws=9),
        event_study(small, listed=LISTED),
    ]
    for result in found:
        assert result.reason == "the fit did not converge"
        assert "did not converge" in str(result.sentence())
        assert tf.plot.show(result) == result.sentence()
    assert np.isnan([found[0].beta, found[1].p, found[2].p]).all()


def test_a_set_that_does_not_converge_never_helps(small, monkeypatch):
    calm = placebo_products(small, listed=LISTED, draws=19)

    def lost(tables, *rest):
        beta, se = difference(tables, *rest)
        beta[3:6], se[3:6] = np.nan, np.inf
        return beta, se

    monkeypatch.setattr("tradeflows.counterfactual.placebo.difference", lost)
    assert placebo_products(small, listed=LISTED, draws=19).p == calm.p + 3 / 20


def test_panels_that_count_twice_are_refused(small):
    panel = rows(small)
    with pytest.raises(DoubleCountedTotals, match="stands beside"):
        cube(pd.concat([panel, panel.assign(code="84")]), event="2022-02")
    with pytest.raises(DoubleCountedTotals, match="flow"):
        cube(panel.assign(flow=np.where(panel.index % 2, "X", "RX")), event="2022-02")
    with pytest.raises(SchemaMismatch, match="without columns"):
        cube(panel.drop(columns="partner"), event="2022-02")


def test_a_tripling_stands_out_everywhere(tripled):
    places = placebo_destinations(tripled, listed=LISTED)
    assert (places.rank, places.p) == (1, 1 / 46)
    sets = placebo_products(tripled, listed=LISTED, draws=199)
    assert sets.p == pytest.approx((sets.table["estimate"] >= sets.estimate).sum() / 200)
    assert sets.p <= 0.05
    beta = triple_difference(tripled, listed=LISTED).beta
    assert (places.estimate * places.scale, sets.estimate) == pytest.approx((beta, beta))
    assert len(places.table) == 46
    assert all(isinstance(tf.plot.show(p), Figure) for p in (places, sets))


def test_a_destination_noisier_than_others_is_not_found_for_that():
    """The plain estimate finds it in a large part of worlds in which nothing happened."""
    first, plain = 0, 0
    for draw in range(40):
        rng = np.random.default_rng([3, draw])
        data = made(rng, destinations=20, noise=0.1)
        listed = np.ix_(np.isin(CODES, LISTED), [0], np.arange(len(MONTHS)))
        data.amounts[listed] *= np.exp(rng.normal(0, 1.0, (len(LISTED), 1, len(MONTHS))))
        found = placebo_destinations(data, listed=LISTED, needed=19)
        first += found.rank == 1
        (beta,), _ = difference(data.listed(LISTED)[None], data.total, BEFORE, list(range(20)))
        plain += np.abs(beta).argmax() == 0
    assert plain > 20
    assert first <= 6  # of 40 at one in twenty: more has a chance of 1 %


def test_a_synthetic_difference_finds_what_was_planted(tripled):
    found = synthetic_difference(tripled, listed=LISTED)
    assert found.estimate == pytest.approx(np.log(3), abs=0.15)
    assert found.p <= 0.05
    exact = made(np.random.default_rng(0), destinations=6, noise=0.0)
    exact.amounts[np.ix_(np.isin(CODES, LISTED), [0], np.arange(len(MONTHS)) >= BEFORE)] *= 1.7
    small = synthetic_difference(exact, listed=LISTED, needed=5)
    assert small.estimate == pytest.approx(np.log(1.7), abs=0.05)


def test_a_synthetic_difference_follows_what_a_mean_of_others_does_not():
    """Three destinations drift away from the rest before the event, the one in question too."""
    data = made(np.random.default_rng(1), destinations=20, noise=0.05)
    drift = np.exp(0.03 * np.arange(len(MONTHS)))
    data.amounts[np.ix_(np.isin(CODES, LISTED), range(4), range(len(MONTHS)))] *= drift
    plain = triple_difference(data, listed=LISTED).beta
    found = synthetic_difference(data, listed=LISTED, needed=19).estimate
    assert plain > 0.4
    assert abs(found) < plain / 4


def test_a_synthetic_difference_that_cannot_be_made_says_why(small):
    few = synthetic_difference(small, listed=LISTED)
    assert few.reason == "5 other destinations with both throughout, 40 are needed"
    assert np.isnan(few.p)
    quiet = replace(small, amounts=small.amounts.copy())
    quiet.amounts[np.ix_(np.isin(CODES, LISTED), [0], [10, 11, 12, 13, 14])] = 0.0
    assert "three months without" in synthetic_difference(quiet, listed=LISTED).reason
    short = replace(small, amounts=small.amounts[:, :, : BEFORE + 2], months=MONTHS[: BEFORE + 2])
    assert "fewer than 3 published" in synthetic_difference(short, listed=LISTED).reason


def test_too_few_destinations_are_undetermined():
    few = made(np.random.default_rng(3), destinations=40)
    found = placebo_destinations(few, listed=LISTED)
    assert np.isnan(found.p)
    assert found.reason == "39 other destinations with listed trade, 40 are needed"
    enough = made(np.random.default_rng(3), destinations=41)
    assert placebo_destinations(enough, listed=LISTED).p > 0


def test_a_destination_whose_trade_stopped_counts_as_extreme(tripled):
    panel = rows(tripled)
    stopped = (panel["partner"] == "D05") & panel["code"].isin(LISTED)
    panel = panel[~(stopped & (panel["period"] >= "2022-02-01"))]
    found = placebo_destinations(panel, listed=LISTED)
    assert found.table.iloc[-1].tolist() == ["D05", -np.inf]
    assert (found.rank, found.p) == (2, 2 / 46)
    assert isinstance(tf.plot.show(found), Figure)


def test_exports_elsewhere_are_those_to_all_others(small):
    there = small.elsewhere(LISTED, "RUS")
    assert there.to_numpy() == pytest.approx(small.listed(LISTED)[1:].sum(axis=0))
    assert cube(rows(small), event="2022-02-24").event == "2022-02"


def test_same_seed_same_sets(small):
    a, b = (placebo_products(small, listed=LISTED, draws=19, rng=5).table for _ in range(2))
    pd.testing.assert_frame_equal(a, b)


def test_sets_are_as_large_as_the_list_in_each_decile(tripled):
    from tradeflows.counterfactual.placebo import _sets

    member = np.isin(CODES, LISTED)
    sets = _sets(tripled, member, 50, np.random.default_rng(0))
    size = tripled.amounts[:, :, :BEFORE].sum(axis=(1, 2))
    decile = np.ceil((1 + size.argsort().argsort()) / len(size) * 10)
    for stratum in np.unique(decile):
        assert (sets[:, decile == stratum].sum(axis=1) == member[decile == stratum].sum()).all()


@pytest.mark.slow
def test_p_values_are_uniform_when_nothing_happened():
    p_places, p_sets = [], []
    for draw in range(40):
        data = made(np.random.default_rng([7, draw]), destinations=20)
        p_places.append(placebo_destinations(data, listed=LISTED, needed=19).p)
        p_sets.append(placebo_products(data, listed=LISTED, draws=19, rng=draw).p)
    for p, steps in ((np.array(p_places), 20), (np.array(p_sets), 20)):
        for level in (0.1, 0.25, 0.5, 0.75):
            low, high = proportion_confint(int((p <= level + 1e-9).sum()), len(p), method="wilson")
            exact = np.floor(level * steps) / steps  # p-values come in steps
            assert low - 0.02 <= exact <= high + 0.02


def test_event_study_is_flat_before_and_up_after(tripled):
    found = event_study(tripled, listed=LISTED)
    assert found.omitted == "2021Q4"
    quarter = pd.Timestamp("2021-10-01")
    assert found.table.loc[quarter, "actual"] == 0
    late = found.table[found.table.index >= "2022-04-01"]
    assert (late["actual"] > late["high95"]).all()
    assert late["actual"].mean() == pytest.approx(np.log(3), abs=0.3)
    assert found.breakdown > 0.5
    assert 0.05 < found.pre_trend_p <= 1
    assert isinstance(tf.plot.show(found), Figure)


def test_a_trend_before_the_event_is_seen_by_the_joint_test():
    data = made(np.random.default_rng(2), destinations=20, noise=0.2)
    trend = np.exp(0.03 * np.arange(len(MONTHS)))
    data.amounts[np.ix_(np.isin(CODES, LISTED), [0], range(len(MONTHS)))] *= trend
    assert event_study(data, listed=LISTED).pre_trend_p == 1 / 20
    p = [event_study(made(np.random.default_rng([4, draw]), destinations=12, noise=0.3),
                     listed=LISTED).pre_trend_p for draw in range(12)]  # fmt: skip
    assert 0.2 < np.mean(p) < 0.85  # half where nothing happened


def test_codes_that_appear_are_ranked_whatever_they_are_worth(small):
    data = made(np.random.default_rng(5), destinations=46)
    new = np.isin(CODES, LISTED[:3])
    data.amounts[np.ix_(new, [0], range(BEFORE))] = 0.0
    found = placebo_entry(data, listed=LISTED)
    assert (found.estimate, found.rank, found.p) == (3 / len(LISTED), 1, 1 / 46)
    data.amounts[np.ix_(new, [0], range(BEFORE, len(MONTHS)))] *= 1e-6
    assert placebo_entry(data, listed=LISTED).estimate == found.estimate
    assert "40 are needed" in placebo_entry(small, listed=LISTED).reason
    assert placebo_entry(data, listed=["999999"]).reason


def test_a_trend_that_only_goes_on_leaves_no_effect():
    quarters = pd.date_range("2019-01-01", periods=16, freq="QS")
    since = np.arange(16.0) - 11
    event = quarters[12]
    assert breakdown(pd.Series(since * 0.1, quarters), f"{event:%Y-%m}") == pytest.approx(1)
    jump = pd.Series(np.where(since > 0, 3.0, 0.1 * since), quarters)
    assert breakdown(jump, f"{event:%Y-%m}") == pytest.approx(3.0 / (0.1 * 2.5))
    mixed = f"{event + pd.DateOffset(months=1):%Y-%m}"  # a quarter that is partly after is neither
    assert breakdown(jump, mixed) == pytest.approx(3.0 / (0.1 * 3))
    assert np.isnan(breakdown(pd.Series(0.0, quarters), f"{event:%Y-%m}"))


def test_growth_rank_counts_large_destinations_only():
    names = ["RUS", *(f"D{i:02d}" for i in range(29)), "SML"]
    base = pd.Series(2e8, names)
    base["SML"] = 1e6
    grown = base * np.linspace(1.0, 1.3, len(names))
    grown["RUS"], grown["SML"] = 2e8 * 1.29, 1e9
    panel = pd.concat(
        [
            pd.DataFrame({"partner": names, "period": pd.Timestamp(t), "value_usd": v.to_numpy()})
            for t, v in (("2021-03-01", base), ("2022-03-01", grown))
        ]
    )
    found = growth_rank(panel)
    assert found.p == pytest.approx(2 / 30)  # D28 grew as much or more
    assert found.rank == 2
    assert "size" in growth_rank(panel, destination="SML").reason
    few = growth_rank(panel[panel["partner"].isin(names[:10])])
    assert few.reason == "10 destinations of that size, 20 are needed"
    assert np.isnan(few.p)


def test_the_smallest_effect_is_found_with_the_chance_it_promises(tripled):
    rng = np.random.default_rng(0)
    places = placebo_destinations(tripled, listed=LISTED)
    noise = rng.normal(0, 0.2, 4000)
    effect = replace(places, values=pd.Series(noise), scale=1.0).smallest_effect()
    assert replace(places, values=pd.Series(noise), scale=0.5).smallest_effect() == effect / 2
    critical = np.quantile(np.abs(noise), 0.95)
    assert (rng.normal(effect, 0.2, 4000) >= critical).mean() == pytest.approx(0.8, abs=0.03)
    assert np.isnan(replace(places, values=pd.Series([np.nan, -np.inf])).smallest_effect())


def test_stored_simulations_are_whole():
    found = validation()
    table = found.table
    assert (table["hits"] + table["undetermined"] <= table["draws"]).all()
    assert set(table["factor"]) == {1.0, 1.5, 2.0, 3.0}
    low, high = proportion_confint(table["hits"], table["draws"], method="wilson")
    np.testing.assert_allclose(table[["low", "high"]], np.column_stack([low, high]), atol=1e-9)
    assert not set(table.loc[table["foil"], "rule"]) & set(tf.rules().content.simulated.rule_of)
    assert isinstance(tf.plot.show(found), Figure)
    assert (found.power[3.0] >= found.power[1.5]).all()
    assert tf.plot.show(Validation(pd.DataFrame())) == Validation(pd.DataFrame()).sentence()


@pytest.fixture
def simulations(tmp_path, monkeypatch):
    file = Path(__file__).parents[1] / "validate/run.py"
    spec = importlib.util.spec_from_file_location("simulations", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "PARTS", tmp_path)
    return module


def test_simulations_go_on_where_they_stopped(simulations, tmp_path, monkeypatch):
    asked = []

    def ask(truth, rng):
        asked.append(truth)
        return {("rule", f): float(rng.random() < 0.5) for f in simulations.FACTORS}

    monkeypatch.setattr(simulations, "CELLS", [("first", ask), ("second", ask)])
    order = list(simulations.batches(50))
    assert [b[0] for b in order] == [0, 1] * 3
    whole = [simulations.run_batch(*b) for b in order]
    next(tmp_path.glob("*-1-00020-00040.csv")).unlink()  # stopped in between
    asked.clear()
    again = [simulations.run_batch(*b) for b in order]
    assert asked == ["second"] * 20
    pd.testing.assert_frame_equal(pd.concat(whole), pd.concat(again))
    assert not list(tmp_path.glob("*.part"))
    table = simulations.summary(pd.concat(again))
    assert (table["draws"] == 50).all()
    assert (table["low"] > 0.3).all()  # it fires half the time


def test_rules_are_asked_about_generated_trade(simulations, monkeypatch):
    small = {"FACTORS": (1.0, 2.0), "CODES": 30, "LISTED": 4, "DESTINATIONS": 42, "SETS": 9}
    for name, value in small.items():
        monkeypatch.setattr(simulations, name, value)
    hits = simulations.on_series("random-walk level", np.random.default_rng(0))
    for ask in (
        simulations.on_ranks,
        simulations.on_growth,
        simulations.on_bands,
        simulations.on_sets,
    ):
        hits |= ask("destination × group AR(1), sd 0.1", np.random.default_rng(0))
    assert {f for _, f in hits} == set(simulations.FACTORS)
    assert set(hits.values()) <= {0.0, 1.0}
    assert {*simulations.FOILS, simulations.BANDS, *simulations.PLACEBOS} <= {r for r, _ in hits}


def test_rules_that_ask_several_fire_where_all_do(simulations):
    draws = [("w", r, 1.0, d, h) for d, pair in enumerate([(1, 1), (1, 0), (np.nan, 1), (1,)])
             for r, h in zip("ab", pair, strict=False)]  # fmt: skip
    frame = pd.DataFrame(draws, columns=["truth", "rule", "factor", "draw", "hit"])
    found = simulations.together(frame, ("a", "b"), "both").set_index("draw")["hit"]
    pd.testing.assert_series_equal(
        found, pd.Series([1.0, 0.0, np.nan]), check_names=False, check_index_type=False
    )
