"""One thread for linear algebra, as `make test` has it, and one kind of it on every machine.

Imported before numpy is. On busy cores the threads wait for each other, and minutes become hours.
OpenBLAS takes other steps on other processors: simulated bands differ by whole per cents.
"""

import os
import platform

for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "TRADEFLOWS_THREADS"):
    os.environ.setdefault(name, "1")

SAME_EVERYWHERE = platform.machine() in ("x86_64", "AMD64")
if SAME_EVERYWHERE:
    os.environ["OPENBLAS_CORETYPE"] = "Haswell"
