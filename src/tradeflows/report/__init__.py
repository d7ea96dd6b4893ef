"""Run the notebooks, render them as pages that need nothing else, and check the pages."""
