"""Random trade frames for the laws of bridges and index numbers."""

import pandas as pd
from hypothesis import Phase, settings
from hypothesis import strategies as st

LAW = settings(
    deadline=None,
    max_examples=15,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # a frame takes too long to shrink
)
AMOUNT = st.floats(1e-2, 1e6)
FACTOR = st.floats(0.05, 20.0)


@st.composite
def trades(draw, products=(1, 6), months=3, complete=False):
    """Draw two years of a few months: goods come and go, weights are missing or estimated."""
    codes = [f"{270900 + i}" for i in range(draw(st.integers(*products)))]
    rows = []
    for year in (2021, 2022):
        for month in range(1, months + 1):
            for code in codes:
                for partner in ("RUS", "KAZ"):
                    value, weight = draw(AMOUNT), draw(AMOUNT)
                    status = "reported"
                    if not complete:
                        value *= draw(st.sampled_from([1, 1, 1, 0]))
                        status = draw(st.sampled_from(["reported"] * 4 + ["missing"]))
                    if status == "missing":
                        weight = draw(st.sampled_from([0.0, float("nan"), weight]))
                    rows.append((f"{year}-{month:02d}-01", partner, code, value, weight, status))
    names = ["period", "partner", "code", "value_usd", "net_weight_kg", "weight_status"]
    frame = pd.DataFrame(rows, columns=names)
    return frame.assign(period=pd.to_datetime(frame["period"]))


@st.composite
def price_panels(draw, products=(1, 5), periods=(2, 4)):
    """Draw positive prices and quantities, goods by consecutive months."""
    n, t = draw(st.integers(*products)), draw(st.integers(*periods))
    rows = [
        (month, f"{100000 + i}", draw(FACTOR), draw(FACTOR))
        for month in pd.date_range("2021-01-01", periods=t, freq="MS")
        for i in range(n)
    ]
    frame = pd.DataFrame(rows, columns=["period", "code", "price", "net_weight_kg"])
    return frame.assign(value_usd=frame["price"] * frame["net_weight_kg"])
