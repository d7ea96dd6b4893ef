"""Sentences that show themselves as prose."""

from __future__ import annotations

from html import escape

__all__ = ["Sentence"]


class Sentence(str):
    """Text whose numbers come from results; a notebook shows it as a paragraph.

    Examples
    --------
    >>> Sentence("Imports rose <twice>.")._repr_html_()
    '<p>Imports rose &lt;twice&gt;.</p>'
    """

    __slots__ = ()

    def _repr_html_(self) -> str:
        return f"<p>{escape(self)}</p>"
