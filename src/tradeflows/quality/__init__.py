"""Quality of quantities: statuses, unit values, corrections, concordance."""
