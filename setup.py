"""Put the snapshot into the wheel: data/raw becomes tradeflows/snapshot."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py


class BuildWithSnapshot(build_py):
    """Copy data/raw, without what a refresh brought, beside the package."""

    def run(self):
        """Build, then copy."""
        super().run()
        if not self.editable_mode:
            target = Path(self.build_lib) / "tradeflows" / "snapshot"
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree("data/raw", target, ignore=shutil.ignore_patterns("live"))


setup(cmdclass={"build_py": BuildWithSnapshot})
