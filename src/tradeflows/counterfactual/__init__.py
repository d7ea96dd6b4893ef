"""Did it grow more than one would expect: expectations, triple differences, placebos, power."""

from tradeflows.counterfactual.cube import CHAPTERS, EXCLUDED, Cube, cube
from tradeflows.counterfactual.difference import (
    EventStudy,
    TripleDifference,
    event_study,
    triple_difference,
)
from tradeflows.counterfactual.expectation import Expectation, expected, placebo_dates
from tradeflows.counterfactual.family import corrected
from tradeflows.counterfactual.growth import growth_rank
from tradeflows.counterfactual.placebo import (
    Placebo,
    placebo_destinations,
    placebo_events,
    placebo_products,
)
from tradeflows.counterfactual.power import Power, power, smallest_effect
from tradeflows.counterfactual.validation import Validation, validation

__all__ = [
    "CHAPTERS",
    "EXCLUDED",
    "Cube",
    "EventStudy",
    "Expectation",
    "Placebo",
    "Power",
    "TripleDifference",
    "Validation",
    "corrected",
    "cube",
    "event_study",
    "expected",
    "growth_rank",
    "placebo_dates",
    "placebo_destinations",
    "placebo_events",
    "placebo_products",
    "power",
    "smallest_effect",
    "triple_difference",
    "validation",
]
