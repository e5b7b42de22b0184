"""Lays a sheet out as PDF: A4, with the glyphs that it uses embedded, the same bytes each time.

The font is WenQuanYi Micro Hei, which has Latin and Chinese in one face and comes as a package, so that a machine
without any font prints the same page.
"""

import importlib.util
import io
import unicodedata
from functools import cache
from pathlib import Path
from typing import Any, Final
from xml.sax.saxutils import escape

from reportlab.lib import colors
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import BaseDocTemplate, Flowable, Frame, KeepTogether, PageTemplate, Paragraph, Spacer, Table

from billing.documents.sheet import Party, Sheet

FONT: Final = "Exchange"
_FONT_PACKAGE: Final = "paperang_p2_fonts_cjk"
_NO_GLYPH: Final = "□"
_UNSEEN: Final = ("Cf", "Mn", "Me")
_MARGIN: Final = 18 * mm
_WIDTH: Final = A4[0] - 2 * _MARGIN
_INK: Final = colors.HexColor("#1c2733")
_FAINT: Final = colors.HexColor("#5c6b7a")
_LINE: Final = colors.HexColor("#c8d0d8")
_SHARES: Final = (0.41, 0.11, 0.16, 0.12, 0.07, 0.13)  # of the width, by column


def render(sheet: Sheet) -> bytes:
    """Return the PDF of a sheet."""
    _load_font()
    out = io.BytesIO()

    def footer(canvas: Canvas, document: Any) -> None:
        canvas.setFont(FONT, 7.5)
        canvas.setFillColor(_FAINT)
        canvas.drawRightString(A4[0] - _MARGIN, 10 * mm, sheet.page.format(page=document.page))

    frame = Frame(_MARGIN, 16 * mm, _WIDTH, A4[1] - 32 * mm, leftPadding=0, rightPadding=0)
    template = BaseDocTemplate(
        out,
        pagesize=A4,
        title=f"{sheet.title} {sheet.number}",
        author=sheet.parties[0].name,
        invariant=1,  # no time of making in the file
    )
    template.addPageTemplates(PageTemplate(frames=[frame], onPage=footer))
    template.build(_story(sheet))
    return out.getvalue()


@cache
def _load_font() -> None:
    found = importlib.util.find_spec(_FONT_PACKAGE)
    assert found is not None, f"{_FONT_PACKAGE} is installed with the project"
    assert found.origin is not None, found
    path = Path(found.origin).parent / "fonts" / "wqy-microhei.ttc"
    pdfmetrics.registerFont(TTFont(FONT, str(path), subfontIndex=0))


def _style(size: float, *, color: Any = _INK, right: bool = False) -> ParagraphStyle:
    return ParagraphStyle(
        f"{size}{color}{right}",
        fontName=FONT,
        fontSize=size,
        leading=size * 1.4,
        textColor=color,
        alignment=TA_RIGHT if right else 0,
        wordWrap="CJK",
    )


def _text(text: str, size: float = 9, **how: Any) -> Paragraph:
    return Paragraph(escape(_printed(text)), _style(size, **how))


def _printed(text: str) -> str:
    """Return a text with a box for what the font has no glyph for: a name must not be missing without a sign.

    What is never seen by itself, such as joiners and directions, is left out.
    """
    glyphs = pdfmetrics.getFont(FONT).face.charToGlyph
    lacking = {letter for letter in text if ord(letter) not in glyphs and not letter.isspace()}
    for letter in lacking:
        text = text.replace(letter, "" if unicodedata.category(letter) in _UNSEEN else _NO_GLYPH)
    return text


def _story(sheet: Sheet) -> list[Flowable]:
    parties = Table([[_party(party) for party in sheet.parties]], colWidths=[_WIDTH / 2] * 2)
    parties.setStyle([("VALIGN", (0, 0), (-1, -1), "TOP"), ("LEFTPADDING", (0, 0), (0, -1), 0)])
    facts = Table(
        [[_text(label, color=_FAINT), _text(value)] for label, value in sheet.facts],
        colWidths=[_WIDTH * 0.18, _WIDTH * 0.82],
    )
    facts.setStyle([("LEFTPADDING", (0, 0), (0, -1), 0), ("TOPPADDING", (0, 0), (-1, -1), 1)])
    return [
        _text(f"{sheet.title} {sheet.number}", 17),
        Spacer(0, 6 * mm),
        parties,
        Spacer(0, 5 * mm),
        facts,
        Spacer(0, 5 * mm),
        _lines(sheet),
        KeepTogether([_sums(sheet), Spacer(0, 8 * mm), *(_text(note, 7.5, color=_FAINT) for note in sheet.notes)]),
    ]


def _party(party: Party) -> list[Flowable]:
    lines = [_text(party.role, 8, color=_FAINT), _text(party.name, 10.5), _text(party.address)]
    return [*lines, _text(party.tax_id, 8, color=_FAINT)] if party.tax_id else list(lines)


def _lines(sheet: Sheet) -> Table:
    rows: list[list[Any]] = [
        [_text(head, 8, color=_FAINT, right=n not in {0, 2}) for n, head in enumerate(sheet.heads)]
    ]
    rows += [
        [
            _text(row.description),
            _text(row.quantity, right=True),
            _text(row.unit),
            _text(row.price, right=True),
            _text(row.rate, right=True),
            _text(row.amount, right=True),
        ]
        for row in sheet.rows
    ]
    table = Table(rows, colWidths=[_WIDTH * share for share in _SHARES], repeatRows=1)
    table.setStyle(
        [
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LINEBELOW", (0, 0), (-1, -1), 0.4, _LINE),
            ("LINEABOVE", (0, 0), (-1, 0), 0.8, _INK),
            ("LEFTPADDING", (0, 0), (0, -1), 0),
            ("RIGHTPADDING", (-1, 0), (-1, -1), 0),
        ]
    )
    return table


def _sums(sheet: Sheet) -> Table:
    rows = [[_text(label, right=True), _text(amount, right=True)] for label, amount in sheet.sums]
    rows.append([_text(sheet.total[0], 11, right=True), _text(sheet.total[1], 11, right=True)])
    table = Table(rows, colWidths=[_WIDTH * 0.75, _WIDTH * 0.25])
    table.setStyle([("RIGHTPADDING", (-1, 0), (-1, -1), 0), ("LINEABOVE", (0, -1), (-1, -1), 0.8, _INK)])
    return table
