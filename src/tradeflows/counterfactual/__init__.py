"""Did it grow more than one would expect: forecasts, triple differences, placebos, power."""
