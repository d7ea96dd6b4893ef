"""Settings that all tests share."""

from hypothesis import settings

# A busy machine is no failure: no test here is timed. Examples are the same in every run.
settings.register_profile("tradeflows", deadline=None, derandomize=True)
settings.load_profile("tradeflows")
