"""One thread for linear algebra, as `make test` has it; imported before numpy is.

On busy cores the threads wait for each other, and minutes become hours.
"""

import os

for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "TRADEFLOWS_THREADS"):
    os.environ.setdefault(name, "1")
