"""Units of values and weights: those that are understood, in headings, cells and titles.

A word beside the noun of a column that is no unit known here is refused by name: read at face
value, barrels would be kilograms and rupees dollars.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from typing import Any, NamedTuple

from tradeflows.errors import SchemaMismatch

__all__ = ["NO_WEIGHT", "OPTIONS", "Unit", "refuse_titles", "unit_of", "words"]


class Unit(NamedTuple):
    """A currency or kg, how many of it one is, and whether the text itself says so."""

    name: str
    size: float
    said: bool


NO_WEIGHT = "a quantity need not be a weight"
OPTIONS = {"value": "currency", "weight": "weight_unit"}
_USUAL = {"value": Unit("USD", 1.0, False), "weight": Unit("kg", 1.0, False)}
_SCALES = {
    1e3: "000 000s 1000 1000s k thousand thousands bin тыс тысяч тысячи",
    1e5: "lakh lakhs",
    1e6: "m mn mio mln million millions milyon млн миллион миллионов",
    1e7: "cr crore crores",
    1e9: "bn mrd billion billions milyar млрд миллиард миллиардов",
}
_UNITS = {
    "value": {
        ("USD", 1.0): "usd $ dollar dollars dolar dolari долл доллар доллара долларов долларах",
        ("EUR", 1.0): "eur euro euros avro € евро",
        ("TRY", 1.0): "try tl trl lira lirasi liras ₺",
    },
    "weight": {
        ("kg", 1.0): "kg kgs kilo kilos kilogram kilograms кг килограмм килограммов",
        ("kg", 1e3): "t MT ton tons tonne tonnes т тонн тонна тонны тоннах",
        ("kg", 1e6): "kt kilotonne kilotonnes",
        ("kg", 1e9): "Mt",  # mt may be either of two, and is no unit
        ("kg", 1e-3): "g gr gram grams г грамм",
        ("kg", 0.45359237): "lb lbs pound pounds",
    },
}
_QUANTITY = "quantity qty volume miktar miktari объем количество"  # which need not be weights
# Words of a heading that say nothing of the unit; some are halves of one: US dollars, metric tons.
_SILENT = {
    "value": "value values deger degeri tutar tutari стоимость amount fobvalue cifvalue",
    "weight": f"weight weights wgt netweight netwgt agirlik agirligi вес масса mass {_QUANTITY}",
    "": "of in the by for total net primary trade statistical customs fob cif нетто в import"
    " imports export exports ithalat ihracat ithalati ihracati импорт экспорт us s united states"
    " american abd amerikan сша metric turk turkish",
}


@cache
def words(text: str) -> tuple[str, ...]:
    """Return the words and signs of currencies in a text, accents left off."""
    text = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text.replace("ı", "i").replace("İ", "I"))
    text = re.sub(r"(?<!\d)1[ .,\u00a0]000(?!\d)", "1000", text)
    text = re.sub(r"\bu\.s\.?", "us ", text, flags=re.IGNORECASE)
    letters = [c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c)]
    apart = (f" {c} " if unicodedata.category(c) == "Sc" else c for c in letters)
    return tuple(re.findall(r"[^\W_]+|[^\w\s.,;:()\[\]/'’`´\"*&+–-]", "".join(apart)))


@cache
def _means(kind: str) -> dict[str, Any]:
    """Return what words mean: the size of a scale, name and size of a unit, None for nothing."""
    listed = [*_SCALES.items(), *_UNITS[kind].items(), (None, _SILENT[kind]), (None, _SILENT[""])]
    return {w: means for means, text in listed for word in text.split() for w in words(word)}


def _read(text: str, kind: str) -> list[tuple[str, Any]]:
    """Return each word of a text with what it means, "" where that is not known."""
    means = _means(kind)
    return [(word, means.get(word, means.get(word.lower(), ""))) for word in words(text)]


def unit_of(heading: object, kind: str, said: str = "") -> Unit:
    """Return the unit of a column: what the user says, else its name, else USD or kg.

    Raises
    ------
    SchemaMismatch
        A word that is no unit known, two units, a scale without a unit, or a heading that counts in
        thousands where the user says single ones.

    Examples
    --------
    >>> unit_of("Value (EUR)", "value"), unit_of("Ağırlık (bin ton)", "weight")
    (Unit(name='EUR', size=1.0, said=True), Unit(name='kg', size=1000000.0, said=True))
    """
    option, pairs = OPTIONS[kind], _read(said or str(heading), kind)
    unknown = " ".join(word for word, means in pairs if means == "")
    scales = [means for _, means in pairs if isinstance(means, float)]
    found = list(dict.fromkeys(means for _, means in pairs if isinstance(means, tuple)))
    size = scales[0] if scales else 1.0
    above = {m for _, m in _read(str(heading), kind) if isinstance(m, float)} - {*scales}
    reasons = {
        f"unit {unknown} is not known": unknown,
        "it names two units": len(found) > 1 or len(scales) > 1,
        "it counts in thousands, or more, and does not say of what": scales and not found,
        NO_WEIGHT: not found and any(word.lower() in _QUANTITY.split() for word, _ in pairs),
        "it names no unit": said and not found,
        f"the heading {str(heading)!r} counts in thousands, or more": said and above,
    }
    if wrong := next((reason for reason, holds in reasons.items() if holds), ""):
        units = ", ".join(words.split()[0] for words in _UNITS[kind].values())
        raise SchemaMismatch(
            f"{option}={said!r}: {wrong}" if said else f"column {str(heading)!r}: {wrong}",
            f"{units}, or thousand, million or billion of one",
            f"pass {option}= with what the numbers are in, such as {option}='thousand"
            f" {_USUAL[kind].name}'; turn others into one of these first",
        )
    return Unit(found[0][0], size * found[0][1], True) if found else _USUAL[kind]


def refuse_titles(titles: Iterable[str], kind: str, heading: object, known: Unit) -> None:
    """Refuse a unit in the titles above a table that its heading does not say as well."""
    other = next(k for k in OPTIONS if k != kind)
    for title in titles:
        pairs, others = _read(title, kind), _read(title, other)
        for n, (word, means) in enumerate(pairs):
            near = slice(max(n - 2, 0), n + 3)
            beside = [m for _, m in pairs[near]]
            if isinstance(means, tuple) and (len(word) > 1 or word in "$€₺"):
                size = next((m for m in beside if isinstance(m, float)), None)
                fits = (means[0], means[1] * (size or 1.0)) == known[:2] or (
                    known.said and not size
                )
            elif isinstance(means, float) and len(word) > 1:  # of nothing, or of a unit beside it
                units = [
                    m for m in (*beside, *(m for _, m in others[near])) if isinstance(m, tuple)
                ]
                fits = bool(units) or (known.said and (kind == "weight" or known.size == means))
            else:
                continue
            if not fits:
                raise SchemaMismatch(
                    f"the title {title[:80]!r} says {word!r}, the heading {heading!r} does not",
                    "a title and headings that agree",
                    f"pass {OPTIONS[kind]}= with what the numbers are in, such as"
                    f" {OPTIONS[kind]}='thousand {_USUAL[kind].name}' or '{_USUAL[kind].name}'",
                )
