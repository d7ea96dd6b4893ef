"""Poisson pseudo-maximum likelihood against fixest, and the collapsed fit against the full one."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import ppml as full_fit
from ppml import ppml
from tradeflows.counterfactual.difference import difference, logit
from tradeflows.errors import SchemaMismatch

ORACLES = Path(__file__).parent / "oracles"
PAIR, SHOP, PLACE = ("product", "dest"), ("product", "month"), ("dest", "month")
MODELS = {"ppml_ddd": [PAIR, SHOP, PLACE], "ppml_2way": [PAIR, "month"]}
CLUSTERS = {"se_cluster_productdest": PAIR, "se_iid": None, "se_cluster_product": "product"}


@pytest.fixture(scope="module")
def simulated() -> pd.DataFrame:
    return pd.read_csv(ORACLES / "ppml_ddd_panel.csv.gz")


@pytest.fixture(scope="module")
def fixest() -> pd.DataFrame:
    return pd.read_csv(ORACLES / "ppml_expected_fixest_0.14.2.csv", index_col="model")


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("errors", CLUSTERS)
def test_equals_fixest(simulated, fixest, model, errors):
    fit = ppml(simulated, "y", effects=MODELS[model], regressors=["x"], cluster=CLUSTERS[errors])
    expected = fixest.loc[model]
    assert fit.table.loc["x", "coefficient"] == pytest.approx(expected["coef"], abs=1e-9)
    assert fit.table.loc["x", "se"] == pytest.approx(expected[errors], abs=1e-6)
    assert fit.deviance == pytest.approx(expected["deviance"], rel=1e-9)
    assert fit.rows == expected["n"]


def test_row_order_does_not_matter(simulated):
    mixed = simulated.sample(frac=1, random_state=3)
    a, b = (
        ppml(f, "y", effects=MODELS["ppml_ddd"], regressors=["x"], cluster=PAIR).table
        for f in (simulated, mixed)
    )
    pd.testing.assert_frame_equal(a, b, rtol=1e-9)


def test_groups_without_trade_and_single_rows_are_left_out():
    rng = np.random.default_rng(0)
    panel = pd.DataFrame(
        [(d, t, rng.poisson(20), rng.normal()) for d in range(6) for t in range(8)],
        columns=["d", "t", "y", "x"],
    )
    plain = ppml(panel, "y", effects=["d", "t"], regressors=["x"])
    empty = panel.query("d == 0").assign(d=7, y=0)
    single = pd.DataFrame({"d": [8], "t": [0], "y": [5], "x": [1.0]})
    absent = panel.query("d == 1").assign(y=np.nan)
    more = pd.concat([panel, empty, single, absent])
    fit = ppml(more, "y", effects=["d", "t"], regressors=["x"])
    assert fit.dropped == {"not published": 8, "no trade in group": 8, "single row": 1}
    assert fit.rows == plain.rows
    pd.testing.assert_frame_equal(fit.table, plain.table)


def test_a_regressor_on_zeros_only_is_refused():
    rng = np.random.default_rng(0)
    rows = [(d, t, rng.poisson(20) + 1) for d in range(4) for t in range(6)]
    panel = pd.DataFrame(rows, columns=["d", "t", "y"])
    panel["x"] = ((panel["d"] == 0) & (panel["t"] == 5)).astype(float)
    panel.loc[panel["x"] == 1, "y"] = 0
    fit = ppml(panel, "y", effects=["d", "t"], regressors=["x"])
    assert np.isnan(fit.table.loc["x", "coefficient"])
    assert "no finite estimate" in str(fit.sentence())
    flat = ppml(panel.assign(x=panel["t"]), "y", effects=["d", "t"], regressors=["x"])
    assert flat.reason == "x does not vary within the effects"


def test_collinear_regressors_and_empty_panels_are_said():
    rng = np.random.default_rng(0)
    panel = pd.DataFrame({"d": np.repeat(range(5), 6), "t": np.tile(range(6), 5)})
    panel["y"], panel["x"] = rng.poisson(9, 30), rng.normal(size=30)
    panel["twice"] = 2 * panel["x"]
    fit = ppml(panel, "y", effects=["d", "t"], regressors=["x", "twice"])
    assert "combinations of each other" in fit.reason
    none = ppml(panel.assign(y=0), "y", effects=["d", "t"], regressors=["x"])
    assert "no row is left" in none.reason


@pytest.mark.parametrize("limit", ["STEPS", "ROUNDS"])
def test_a_fit_that_does_not_converge_says_so(simulated, monkeypatch, limit):
    monkeypatch.setattr(full_fit, limit, 1)
    fit = ppml(simulated, "y", effects=MODELS["ppml_ddd"], regressors=["x"])
    assert fit.sentence() == "not determined: the fit did not converge"
    assert fit.table.isna().all(axis=None)


def test_bad_panels_are_refused():
    panel = pd.DataFrame({"d": [0, 0, 1, 1], "t": [0, 1, 0, 1], "y": [1, 2, -3, 4], "x": range(4)})
    with pytest.raises(SchemaMismatch, match="negative"):
        ppml(panel, "y", effects=["d", "t"], regressors=["x"])
    with pytest.raises(SchemaMismatch, match="without columns"):
        ppml(panel, "y", effects=["d", "month"], regressors=["x"])


def _collapsed(rng, destinations=12, months=30, zeros=0.0):
    shape = (destinations, months)
    other = np.exp(rng.normal(8, 2, (destinations, 1)) + rng.normal(0, 0.4, shape))
    listed = other * np.exp(rng.normal(-3, 0.5, (destinations, 1)) + rng.normal(0, 0.6, shape))
    listed *= rng.random(shape) >= zeros
    return listed, other + listed


@pytest.mark.parametrize("zeros", [0.0, 0.5, 0.8])
def test_collapsed_fit_equals_the_full_one(zeros):
    rng = np.random.default_rng(int(zeros * 10))
    listed, total = _collapsed(rng, zeros=zeros)
    beta, _ = difference(listed[None], total, 20, [3])
    d, t = (i.ravel() for i in np.indices(listed.shape))
    full = pd.concat(
        [
            pd.DataFrame({"g": 1, "d": d, "t": t, "y": listed.ravel()}),
            pd.DataFrame({"g": 0, "d": d, "t": t, "y": (total - listed).ravel()}),
        ]
    )
    full["x"] = ((full["g"] == 1) & (full["d"] == 3) & (full["t"] >= 20)).astype(float)
    fit = ppml(full, "y", effects=[("g", "d"), ("g", "t"), ("d", "t")], regressors=["x"])
    assert beta[0, 0] == pytest.approx(fit.table.loc["x", "coefficient"], abs=1e-9)


def test_sparse_panels_have_an_estimate_in_both_fits_or_in_none():
    found = set()
    for draw in range(16):
        rng = np.random.default_rng(draw)
        shape = (int(rng.integers(3, 8)), 24)
        other = np.exp(rng.normal(3, 1, shape)) * (rng.random(shape) > 0.3)
        listed = np.exp(rng.normal(1, 1, shape)) * (rng.random(shape) > rng.choice([0.5, 0.9]))
        beta, _ = difference(listed[None], other + listed, 16, [0])
        d, t = (i.ravel() for i in np.indices(shape))
        parts = [
            pd.DataFrame({"g": g, "d": d, "t": t, "y": y.ravel()})
            for g, y in ((1, listed), (0, other))
        ]
        full = pd.concat(parts)
        full["x"] = ((full["g"] == 1) & (full["d"] == 0) & (full["t"] >= 16)).astype(float)
        fit = ppml(full, "y", effects=[("g", "d"), ("g", "t"), ("d", "t")], regressors=["x"])
        there = fit.table.loc["x", "coefficient"]
        assert np.isfinite(there) == np.isfinite(beta[0, 0])
        if np.isfinite(there):
            assert beta[0, 0] == pytest.approx(there, abs=1e-9)
        found.add(bool(np.isfinite(there)))
    assert found == {True, False}


def test_destinations_without_trade_before_or_after():
    listed, total = _collapsed(np.random.default_rng(1))
    listed[0, :20] = 0.0  # nothing listed before
    listed[1, 20:] = 0.0  # stopped
    total[2, :20] = listed[2, :20] = 0.0  # no trade at all before
    beta, se = difference(listed[None], total, 20, [0, 1, 2, 3])
    assert np.isnan(beta[0, [0, 2]]).all()
    assert beta[0, 1] == -np.inf
    assert np.isfinite([beta[0, 3], se[0, 3]]).all()


def test_rows_that_share_no_month_are_not_compared():
    listed, total = _collapsed(np.random.default_rng(3))
    # rows 0 to 5 trade in the first half, the others in the second
    early, late = np.arange(30) < 15, np.arange(30) >= 15
    for table in (listed, total):
        table[:6, late] = 0.0
        table[6:, early] = 0.0
    effects, _ = logit(listed[None], total, 0)
    assert np.isfinite(effects[0, :6]).all()
    assert np.isnan(effects[0, 6:]).all()


def test_many_tables_at_once_equal_one_by_one():
    rng = np.random.default_rng(2)
    listed, total = _collapsed(rng)
    many = listed * rng.random((70, *listed.shape))
    together, spread = logit(many, total, 0)
    for i in (0, 63, 64, 69):
        alone, one = logit(many[i : i + 1], total, 0)
        np.testing.assert_allclose(together[i], alone[0], rtol=0, atol=1e-9)
        np.testing.assert_allclose(spread[i], one[0], rtol=1e-6)
