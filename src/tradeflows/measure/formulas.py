"""Index formulas as SQL over matched goods: one text each, for price and for volume.

With v0 = p0 q0, v1 = p1 q1, a = p1 q0 and b = p0 q1, every formula below is written for prices;
swapping prices and quantities swaps a and b, so the volume index is the same text with a and b
exchanged. Sources: Balk (2008), Price and Quantity Index Numbers, ch. 3; IMF et al. (2009), Export
and Import Price Index Manual, ch. 16-18.
"""

from __future__ import annotations

from tradeflows.measure.queries import log_mean

__all__ = ["FORMULAS", "TOTALS", "aggregate"]


_LASPEYRES = "(sum([a]) / sum(v0))"
_PAASCHE = "(sum(v1) / sum([b]))"
_CARLI = "avg([a] / v0)"
_HARMONIC = "(1 / avg(v0 / [a]))"
_HALF = f"(({_LASPEYRES} - sum([b]) / sum(v0)) / 2)"  # Stuvel
_SHARES = log_mean("(v0 / total0)", "(v1 / total1)")

FORMULAS = {
    "laspeyres": _LASPEYRES,
    "paasche": _PAASCHE,
    "fisher": f"sqrt({_LASPEYRES} * {_PAASCHE})",
    "tornqvist": "exp((sum(v0 * ln([a] / v0)) / sum(v0) + sum(v1 * ln([a] / v0)) / sum(v1)) / 2)",
    "walsh": "(sum(sqrt(v1) * sqrt([a])) / sum(sqrt(v0) * sqrt([b])))",
    "sato_vartia": f"exp(sum({_SHARES} * ln([a] / v0)) / sum({_SHARES}))",
    "montgomery_vartia": (
        f"exp(sum({log_mean('v0', 'v1')} * ln([a] / v0)) / {log_mean('sum(v0)', 'sum(v1)')})"
    ),
    "geometric_laspeyres": "exp(sum(v0 * ln([a] / v0)) / sum(v0))",
    "geometric_paasche": "exp(sum(v1 * ln([a] / v0)) / sum(v1))",
    "marshall_edgeworth": "(sum(v1 + [a]) / sum(v0 + [b]))",
    "drobisch": f"(({_LASPEYRES} + {_PAASCHE}) / 2)",
    "stuvel": f"({_HALF} + sqrt({_HALF} * {_HALF} + sum(v1) / sum(v0)))",
    "palgrave": "(sum(v1 * ([a] / v0)) / sum(v1))",
    "geary_khamis": "(sum(v1 * (v0 / (v0 + [b]))) / sum(v0 * ([b] / (v0 + [b]))))",
    "jevons": "exp(avg(ln([a] / v0)))",
    "carli": _CARLI,
    "harmonic": _HARMONIC,
    "cswd": f"sqrt({_CARLI} * {_HARMONIC})",
}

# Sato-Vartia weighs by shares, which need the totals of the pair of periods first.
TOTALS = {
    "sato_vartia": (
        "sum(b.v) OVER (PARTITION BY b.m, c.m) AS total0,"
        " sum(c.v) OVER (PARTITION BY b.m, c.m) AS total1,"
    )
}


def aggregate(formula: str, of: str) -> str:
    """Return the SQL of a formula over the rows of ``pair``."""
    if formula not in FORMULAS:
        raise ValueError(f"formula={formula!r}: expected one of {', '.join(FORMULAS)}")
    a, b = ("a", "b") if of == "price" else ("b", "a")
    return FORMULAS[formula].replace("[a]", a).replace("[b]", b)
