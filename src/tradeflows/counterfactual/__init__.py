"""Did it grow more than one would expect: expectations, triple differences, placebos."""

from tradeflows.counterfactual.cube import CHAPTERS, EXCLUDED, Cube, cube
from tradeflows.counterfactual.difference import (
    EventStudy,
    TripleDifference,
    event_study,
    triple_difference,
)
from tradeflows.counterfactual.expectation import Expectation, expected
from tradeflows.counterfactual.placebo import (
    Placebo,
    growth_rank,
    placebo_destinations,
    placebo_entry,
    placebo_products,
    synthetic_difference,
)
from tradeflows.counterfactual.validation import Validation, validation

__all__ = [
    "CHAPTERS",
    "EXCLUDED",
    "Cube",
    "EventStudy",
    "Expectation",
    "Placebo",
    "TripleDifference",
    "Validation",
    "cube",
    "event_study",
    "expected",
    "growth_rank",
    "placebo_destinations",
    "placebo_entry",
    "placebo_products",
    "synthetic_difference",
    "triple_difference",
    "validation",
]
