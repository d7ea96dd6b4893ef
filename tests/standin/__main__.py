"""Serve generated trade: ``python -m tests.standin --port 8765 --scenario volume``."""

from __future__ import annotations

import argparse
import sys

from . import harness, server, trade, tuik


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8765)
    parser.add_argument("--scenario", choices=trade.SCENARIOS, default="nothing")
    parser.add_argument("--missing-weights", type=float, default=0.0)
    parser.add_argument("--estimated-weights", type=float, default=0.0)
    parser.add_argument("--breadth", type=int, default=1, help="headings per chapter")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--last", default="202512", help="last month published, YYYYMM")
    given = parser.parse_args()
    world = trade.World(
        given.scenario, given.missing_weights, given.estimated_weights, given.breadth,
        given.seed, given.last,
    )  # fmt: skip
    running = server.Server(harness.site_of(world), given.port)
    lines = [f"export TRADEFLOWS_{name}_URL={running.url}" for name in harness.VARIABLES]
    office = tuik.serving(tuik.office_of(world), given.port + 1 if given.port else 0)
    lines[-1] = f"export TRADEFLOWS_TUIK_URL={office.__enter__()}"
    sys.stdout.write("Generated trade, not data. In another shell:\n\n  ")
    sys.stdout.write("\n  ".join([*lines, "export COMTRADE_API_KEY=any-key"]))
    sys.stdout.write(
        "\n  export TRADEFLOWS_DATA=/a/folder/of/its/own  # with a folder raw in it\n\n"
    )
    sys.stdout.write("Ctrl-C ends it.\n")
    sys.stdout.flush()
    try:
        running.serve_forever()
    except KeyboardInterrupt:
        running.server_close()


if __name__ == "__main__":
    main()
