"""What was expected of a series: bands of sums, planted rises, and series that cannot be used."""

import itertools
import os
import subprocess
import sys
import warnings
from functools import partial
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from statsmodels.tsa.statespace.sarimax import SARIMAX

import tradeflows as tf
from tradeflows.counterfactual import expectation, expected
from tradeflows.counterfactual.expectation import cut
from tradeflows.errors import SchemaMismatch, UnknownCode
from tradeflows.plot import Figure

MONTHS = pd.date_range("2017-01-01", "2023-12-01", freq="MS")
EVENT = "2022-02"


FIT, FITS = expectation._fit, {}


def _fitted(data, model, told):
    """Fit once what several tests ask about: nothing after the event is in it."""
    key = (model, data.season, data.logs.tobytes(), data.exog[: data.before].tobytes())
    if key not in FITS:
        FITS[key] = FIT(data, model, told)
    return FITS[key]


@pytest.fixture(autouse=True)
def _few_paths(monkeypatch):
    monkeypatch.setattr(expectation, "PATHS", 1000)
    monkeypatch.setattr(expectation, "_fit", _fitted)


@pytest.fixture
def series() -> pd.Series:
    rng = np.random.default_rng(4)
    t = np.arange(len(MONTHS))
    logs = 16 + 0.004 * t + 0.1 * np.sin(2 * np.pi * t / 12) + rng.normal(0, 0.1, len(t))
    return pd.Series(np.exp(logs), MONTHS, name="Exports")


def after(series: pd.Series, factor: float) -> pd.Series:
    return series.where(series.index < f"{EVENT}-01", series * factor)


@pytest.mark.parametrize("seconds", [0.0, 3.0])
def test_a_long_fit_says_how_far_it_is_and_a_report_does_not(series, seconds, monkeypatch, capsys):
    monkeypatch.setattr(expectation, "_fit", FIT)
    clock = itertools.count(step=seconds)
    monkeypatch.setattr("tradeflows.progress.time.monotonic", lambda: next(clock))
    monkeypatch.delenv("TRADEFLOWS_THREADS", raising=False)
    expected(series, event=EVENT)
    said = capsys.readouterr().err.splitlines()
    told = [f"expecting Exports: {n} models done, {2 - n} left" for n in (0, 1, 2)]
    assert list(dict.fromkeys(said)) == (told if seconds else [])
    monkeypatch.setenv("TRADEFLOWS_THREADS", "1")
    expected(series, event=EVENT)
    assert not capsys.readouterr().err


def test_nothing_happened(series):
    found = expected(series, event=EVENT)
    assert found.outcome == "inside"
    assert found.excess_both < 0
    assert found.p > 0.05
    assert list(found.table.index) == ["SARIMAX", "unobserved components"]
    assert found.table["actual"].tolist() == pytest.approx([series["2022-02":"2023-01"].sum()] * 2)


@pytest.mark.parametrize(("factor", "outcome"), [(2.0, "above"), (0.4, "below")])
def test_a_planted_change_is_recovered(series, factor, outcome):
    plain, found = expected(series, event=EVENT), expected(after(series, factor), event=EVENT)
    assert found.outcome == outcome
    assert (found.excess_both > 0) == (outcome == "above")
    assert found.p < 0.05
    assert found.table["ratio"].tolist() == pytest.approx((factor * plain.table["ratio"]).tolist())
    assert found.table["high95"].equals(plain.table["high95"])  # nothing after the event is fitted
    assert f"{outcome} both 95 % bands" in str(found.sentence())


def test_excess_is_the_smaller_distance(series):
    found = expected(after(series, 3), event=EVENT)
    assert found.excess_both == (found.table["actual"] - found.table["high95"]).min()


def test_quantiles_are_those_of_sums_not_sums_of_quantiles(series):
    found = expected(series, event=EVENT)
    band, window = found.table.loc["SARIMAX"], found.path["2022-02":"2023-01"]
    assert band.high95 - band.low95 < window["high95"].sum() - window["low95"].sum()
    assert band.low95 < band.low80 < band["median"] < band.high80 < band.high95


def test_same_seed_same_numbers(series):
    a, b = (expected(series, event=EVENT, rng=7).table for _ in range(2))
    pd.testing.assert_frame_equal(a, b)


def test_window_and_fit_are_apart(series):
    found = expected(series, event=EVENT, window="2022")
    assert found.window == "2022-02 to 2022-12"  # January is fitted
    assert found.actual == pytest.approx(series["2022-02":"2022-12"].sum())
    skip = expected(series, event=EVENT, window="2022-03/2023-02")
    assert skip.actual == pytest.approx(series["2022-03":"2023-02"].sum())


def test_smallest_detectable_rise_is_detected(series):
    found = expected(series, event=EVENT)
    assert 1.0 < found.detectable < 1.5
    assert found.detectable == expected(after(series, 9), event=EVENT).detectable


def test_control_series_takes_up_a_common_boom(series):
    boom = after(series, 2.0)
    rng = np.random.default_rng(9)
    control = (boom * np.exp(rng.normal(0, 0.02, len(boom)))).rename("control")
    plain, with_control = expected(boom, event=EVENT), expected(boom, event=EVENT, control=control)
    assert (plain.table["ratio"] > 1.8).all()
    assert (with_control.table["ratio"] < 1.1).all()
    gone = control.drop(pd.Timestamp("2019-05-01"))
    found = expected(boom, event=EVENT, control=gone)
    assert found.outcome == "undetermined"
    assert "control" in found.reason


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda s: s["2019-03":], "35 published months before 2022-02, 36 are needed"),
        (lambda s: s[:"2022-01"], "no month of the window is published"),
        (lambda s: s * 0, "100% of the quarters before the event are zero"),
        (lambda s: s[:0], "0 published months before 2022-02, 36 are needed"),
    ],
)
def test_series_that_cannot_be_used(series, change, reason):
    found = expected(change(series), event=EVENT)
    assert (found.outcome, found.reason) == ("undetermined", reason)
    assert np.isnan([found.excess_both, found.p, found.detectable]).all()
    assert found.table.empty
    assert reason in str(found.sentence())
    assert tf.plot.show(found) == found.sentence()


def test_unpublished_months_are_left_out_on_both_sides(series):
    found = expected(series.drop(pd.Timestamp("2022-05-01")), event=EVENT)
    assert found.outcome == "inside"
    assert found.missing == ("2022-05",)
    assert found.actual == pytest.approx(series["2022-02":"2023-01"].sum() - series["2022-05-01"])
    assert "without 2022-05" in str(found.sentence())
    assert expected(series.drop(pd.Timestamp("2019-05-01")), event=EVENT).outcome == "inside"
    assert expected(series.drop(pd.Timestamp("2020-04-01")), event=EVENT).outcome == "inside"


def test_zeros_turn_months_into_quarters(series):
    rng = np.random.default_rng(1)
    few = series.mask(rng.random(len(series)) < 0.2, 0.0)
    many = series.mask(rng.random(len(series)) < 0.4, 0.0)
    assert expected(few, event=EVENT).steps == "month"
    found = expected(many, event=EVENT)
    assert found.steps == "quarter"
    assert found.outcome in ("inside", "above", "below")
    assert found.actual == pytest.approx(many["2022-02":"2023-01"].sum())
    assert "in quarters" in str(found.sentence())
    assert found.path.index[-1] == pd.Timestamp("2022-11-01")  # blocks end with the window


def test_limits_are_what_the_caller_says(series):
    assert expected(series, event="2022-02", months_needed=62).reason.endswith("62 are needed")
    sparse = series.where(series.index.month % 4 != 0, 0.0)
    assert expected(sparse, event="2022-02", zeros_allowed=0.3).steps == "month"
    assert expected(sparse, event="2022-02", zeros_allowed=0.2).steps == "quarter"


def test_paths_do_not_hang_on_the_signs_of_a_decomposition(series, monkeypatch):
    """Processors differ in the signs of eigenvectors: the paths may not."""
    found = expected(series, event="2022-02").table
    eigh = np.linalg.eigh

    def turned(matrix):
        values, vectors = eigh(matrix)
        return values, vectors * np.where(np.arange(len(values)) % 2, -1.0, 1.0)

    monkeypatch.setattr(np.linalg, "eigh", turned)
    again = expected(series, event="2022-02").table
    pd.testing.assert_frame_equal(found, again, rtol=1e-9)


@pytest.mark.parametrize("model", ["sarimax", "unobserved"])
@pytest.mark.parametrize("first", ["2017-01", "2019-02"])
def test_fits_reach_their_optimum(series, model, first):
    """A search that ends short of it ends elsewhere on another processor."""
    data = cut(series[first:], event="2022-02")
    found, *_ = expectation._fit(data, model, lambda: None)
    start = {"start_params": found.params, "maxiter": 2000, "disp": 0}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        beyond = expectation._build(data, model).fit(method="nm", **start)
    assert beyond.llf - found.llf < 1e-3


def test_a_fit_whose_state_has_no_bounds_leaves_it_undetermined(series, monkeypatch):
    def unbounded(data, model, told):
        result, optimiser, notes = _fitted(data, model, told)
        cov = np.full_like(result.predicted_state_cov, np.inf)
        return SimpleNamespace(predicted_state_cov=cov, forecast=result.forecast), optimiser, notes

    monkeypatch.setattr(expectation, "_fit", unbounded)
    assert expected(series, event=EVENT).outcome == "undetermined"


def test_a_model_that_does_not_converge_leaves_it_undetermined(series, monkeypatch):
    tried = []

    def never(*_, method, **__):
        tried.append(method)
        msg = "singular"
        raise np.linalg.LinAlgError(msg)

    monkeypatch.setattr(expectation, "_fit", FIT)
    monkeypatch.setattr(SARIMAX, "fit", never)
    found = expected(series, event=EVENT)
    assert tried == ["lbfgs", "powell"]
    assert found.outcome == "undetermined"
    assert found.reason == "SARIMAX did not converge"
    assert np.isnan(found.excess_both)
    assert "singular" in found.table.loc["SARIMAX", "warnings"]
    assert found.table.loc["SARIMAX", "place"] == "undetermined"
    assert tf.plot.show(found) == found.sentence()


@pytest.mark.parametrize("scale", [0.0, 1e-290, 1e280])
def test_odd_series_never_end_in_a_trace(scale):
    rng = np.random.default_rng(2)
    flat = pd.Series(5.0, MONTHS, name="flat") if scale == 0 else None
    odd = pd.Series(np.exp(rng.normal(0, 2, len(MONTHS)).cumsum()), MONTHS) * (scale or 1)
    found = expected(odd if flat is None else flat, event=EVENT)
    assert found.outcome in ("inside", "above", "below", "undetermined")
    assert str(found.sentence())


def test_figure_shows_the_actual_series_before_and_after(series):
    figure = tf.plot.show(expected(series, event=EVENT, origins=("a/b.csv",)))
    assert isinstance(figure, Figure)
    assert figure.origins == ("a/b.csv",)
    assert figure.table["actual"].notna().sum() == 48
    assert figure.table["median"].notna().sum() == 12


def test_what_is_not_a_monthly_series_is_refused(series):
    with pytest.raises(SchemaMismatch, match="stand twice"):
        expected(pd.concat([series, series]), event=EVENT)
    with pytest.raises(SchemaMismatch, match="negative"):
        expected(-series, event=EVENT)
    with pytest.raises(UnknownCode, match="ends before"):
        expected(series, event=EVENT, window="2023-01/2022-01")


def test_years_are_refused_in_words_wherever_months_are_needed():
    """Taken for Januaries, annual rows would leave eleven months a year unpublished."""
    years = pd.to_datetime([f"{y}-01-01" for y in range(2014, 2024)])
    rows = pd.DataFrame({"period": years, "code": "854231", "partner": "RUS", "value_usd": 1.0})
    ends = rows.assign(period=years + pd.offsets.YearEnd())  # some offices date them so
    for panel in (rows, rows.assign(freq="A"), ends, rows.head(1).assign(freq="A")):
        with pytest.raises(SchemaMismatch, match="annual rows, 20"):
            expected(panel.drop(columns="partner"), event="2022-02")
        with pytest.raises(SchemaMismatch, match="annual rows, 20"):
            tf.triple_difference(panel, listed=["854231"])
    with pytest.raises(SchemaMismatch, match="annual rows, 2014 to 2023"):
        expected(rows.set_index("period")["value_usd"], event="2022-02")
    months = pd.Series(1.0, pd.date_range("2021-01-01", periods=3, freq="MS"))
    for ask in (partial(expected, months), partial(tf.triple_difference, rows, listed=["854231"])):
        with pytest.raises(UnknownCode, match="event='2022' is not one month"):
            ask(event="2022")


LOADS = """
import os, sys
seen = []
class Watch:
    def find_spec(self, name, *_):
        if name == "scipy.linalg":
            seen.append(os.environ.get("OPENBLAS_NUM_THREADS"))
sys.meta_path.insert(0, Watch())
from tradeflows.counterfactual import expectation
was = {n: v for n, v in os.environ.items() if "NUM_THREADS" in n}
expectation._models()
print(seen[0], {n: v for n, v in os.environ.items() if "NUM_THREADS" in n} == was)
"""


@pytest.mark.parametrize(("own", "seen"), [({}, "1"), ({"OPENBLAS_NUM_THREADS": "3"}, "3")])
def test_models_load_with_one_thread_and_leave_the_environment_as_it_was(own, seen):
    rest = {name: v for name, v in os.environ.items() if "NUM_THREADS" not in name}
    found = subprocess.run(
        [sys.executable, "-c", LOADS], env=rest | own, capture_output=True, text=True, check=True
    )
    assert found.stdout.split() == [seen, "True"]
