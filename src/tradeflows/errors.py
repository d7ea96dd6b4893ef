"""The few errors and warnings of tradeflows.

Every error says what was found, what was expected and what to do next. None ever holds a key.
"""

from collections.abc import Mapping


class TradeflowsError(Exception):
    """Base of all errors raised on purpose.

    Parameters
    ----------
    found : str
        What is there, with file, row or address where known.
    expected : str
        What should have been there.
    todo : str
        What the reader can do about it.

    Examples
    --------
    >>> print(TradeflowsError("no file x.csv", "a file", "run `make verify`"))
    no file x.csv
      expected: a file
      what to do: run `make verify`
    """

    def __init__(self, found: str, expected: str, todo: str) -> None:
        super().__init__(found, expected, todo)
        self.found, self.expected, self.todo = found, expected, todo

    def __str__(self) -> str:
        return f"{self.found}\n  expected: {self.expected}\n  what to do: {self.todo}"

    def _render_traceback_(self) -> list[str]:
        """Show a notebook the sentence in place of forty lines of traceback."""
        return [f"{type(self).__name__}: {self}"]


class SourceUnavailable(TradeflowsError):
    """A publisher, or data that only a refresh brings, cannot be reached."""


class QuotaExhausted(SourceUnavailable):
    """The publisher's quota is used up; what was fetched so far is kept."""


class TruncatedReply(TradeflowsError):
    """A reply was cut by a row cap and cannot be split further."""


class SchemaMismatch(TradeflowsError, ValueError):
    """Columns, types, values or keys are not those of the table."""


class ChecksumMismatch(TradeflowsError, ValueError):
    """The bytes of a stored file are not the bytes that were stored."""


class DoubleCountedTotals(TradeflowsError, ValueError):
    """Totals stand beside their own parts: a sum would count them twice."""


class UnknownCode(TradeflowsError, ValueError):
    """A country, product, series or source that no list holds."""


class Infeasible(TradeflowsError, ValueError):
    """Bounds contradict each other: no price or quantity meets all of them."""


class EstimatedQuantityWarning(UserWarning):
    """Weights that the publisher estimated were left out of prices."""


class PartialPeriodWarning(UserWarning):
    """Months without rows: a base year that holds fewer, or months taken for no trade."""


class RenumberedCodesWarning(UserWarning):
    """Goods that changed their code between HS revisions stand as exit and entry."""


class ConfidentialValueWarning(UserWarning):
    """Part of the value stands in pseudo-codes without weight."""


class UnknownColumnWarning(UserWarning):
    """Columns that a reader does not know were kept, or quantities in units that are no weight."""


class UnreadableFileWarning(UserWarning):
    """A stored file cannot be read any more and is left out; the message says what mends it."""


def require(conditions: Mapping[str, bool], todo: str) -> None:
    """Refuse in words, with every reason at once, unless all conditions hold.

    Parameters
    ----------
    conditions : mapping of str to bool
        A sentence that says what is wrong, and whether it holds nevertheless: the sentences of
        those that are false are shown.
    todo : str
        What the reader can do about it.

    Raises
    ------
    SourceUnavailable
        One of the conditions is false.

    Examples
    --------
    >>> base, current = 2022, 2021
    >>> require({f"{current} does not follow {base}": current > base}, "choose other years")
    Traceback (most recent call last):
    tradeflows.errors.SourceUnavailable: this cannot be answered:
      - 2021 does not follow 2022
      expected: data and assumptions that fit together
      what to do: choose other years
    """
    failed = [f"\n  - {sentence}" for sentence, holds in conditions.items() if not holds]
    if failed:
        raise SourceUnavailable(
            f"this cannot be answered:{''.join(failed)}",
            "data and assumptions that fit together",
            todo,
        )


def unwritable(file: str, error: OSError) -> SourceUnavailable:
    """Return the error for a file that a full disk or a read-only folder does not take."""
    return SourceUnavailable(
        f"{file} cannot be written ({error.strerror})",
        "a data folder that may be written, with space on its disk",
        "make space or correct the permissions, then run it again: what is stored is whole",
    )
