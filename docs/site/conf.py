"""The pages of documentation: ``make docs``, no network to build and none to read."""

from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import Directive
from sphinx.application import Sphinx

import tradeflows as tf

project, author, copyright = "tradeflows", "the tradeflows authors", "the tradeflows authors"
version = release = tf.__version__
extensions = ["sphinx.ext.autodoc", "sphinx.ext.autosummary", "numpydoc"]
autosummary_generate = True
autodoc_typehints = "none"
numpydoc_show_class_members = False
nitpicky = False
html_theme = "pydata_sphinx_theme"
html_theme_options = {
    "navbar_end": ["theme-switcher"],
    "secondary_sidebar_items": ["page-toc"],
    "show_prev_next": False,
    "footer_start": [],
    "footer_end": [],
}
html_sidebars = {"**": []}
html_show_sourcelink = False
html_copy_source = False


class Chart(Directive):
    """A few lines that leave a ``figure``, and the picture they draw under the argument's name."""

    has_content = True
    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Run the lines; an error in them ends the build."""
        code = "\n".join(self.content)
        space: dict[str, object] = {}
        exec("import pandas as pd\nimport tradeflows as tf\n" + code, space)  # noqa: S102
        figure = space["figure"]
        name = self.arguments[0]
        environment = self.state.document.settings.env
        place = Path(environment.srcdir) / "generated" / f"{name}.png"
        place.parent.mkdir(exist_ok=True)
        figure.png(place)  # type: ignore[attr-defined]
        picture = nodes.image(uri=f"generated/{name}.png", alt=figure.alt, width="480px")  # type: ignore[attr-defined]
        picture["candidates"] = {}
        return [nodes.literal_block(code, code, language="python"), picture]


def setup(app: Sphinx) -> None:
    """Make the directive known."""
    app.add_directive("chart", Chart)
