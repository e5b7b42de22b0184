"""The fixed parts of an XLSX file (ECMA-376), and what a sheet begins and ends with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import quoteattr

_HEAD: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_PACKAGE: Final = "http://schemas.openxmlformats.org/package/2006"
_OFFICE: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_SHEET_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_NAME_LENGTH: Final = 31  # of a sheet; and none of these letters
_NOT_IN_NAMES: Final = str.maketrans(dict.fromkeys("[]:*?/\\'", " "))


@dataclass(frozen=True, slots=True)
class Sheet:
    """The n-th sheet of a table, by its title."""

    n: int
    title: str

    @property
    def path(self) -> str:
        """Where the sheet lies in the archive."""
        return f"xl/worksheets/sheet{self.n}.xml"

    @property
    def name(self) -> str:
        """What its tab says."""
        number = f" {self.n}" if self.n > 1 else ""
        return self.title.translate(_NOT_IN_NAMES)[: _NAME_LENGTH - len(number)] + number

    def opening(self, columns: int) -> str:
        """Return what comes before the rows; the head stays in sight."""
        return (
            f'{_HEAD}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0">'
            '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>'
            f'<cols><col min="1" max="{columns}" width="22" customWidth="1"/></cols><sheetData>'
        )

    @property
    def closing(self) -> str:
        """What comes after the rows."""
        return "</sheetData></worksheet>"


# Styles: 0 plain, 1 bold, 2 an instant, 3 a day.
_STYLES: Final = (
    f'{_HEAD}<styleSheet xmlns="{_MAIN}">'
    '<numFmts count="2"><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd\\ hh:mm:ss"/>'
    '<numFmt numFmtId="165" formatCode="yyyy\\-mm\\-dd"/></numFmts>'
    '<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>'
    '<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill>'
    '<fill><patternFill patternType="gray125"/></fill></fills>'
    "<borders><border><left/><right/><top/><bottom/><diagonal/></border></borders>"
    '<cellStyleXfs count="1"><xf/></cellStyleXfs>'
    '<cellXfs count="4"><xf xfId="0"/><xf xfId="0" fontId="1" applyFont="1"/>'
    '<xf xfId="0" numFmtId="164" applyNumberFormat="1"/><xf xfId="0" numFmtId="165" applyNumberFormat="1"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles>'
    "</styleSheet>"
)

# What is in every workbook, by path.
PARTS: Final[Mapping[str, str]] = {
    "_rels/.rels": (
        f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
    ),
    "xl/styles.xml": _STYLES,
}


def workbook_parts(sheets: Sequence[Sheet]) -> dict[str, str]:
    """Return the parts that list the sheets, by path."""
    entries = "".join(f'<sheet name={quoteattr(s.name)} sheetId="{s.n}" r:id="rId{s.n}"/>' for s in sheets)
    related = "".join(
        f'<Relationship Id="rId{s.n}" Type="{_OFFICE}/worksheet" Target="worksheets/sheet{s.n}.xml"/>' for s in sheets
    )
    types = "".join(f'<Override PartName="/{s.path}" ContentType="{_SHEET_TYPE}.worksheet+xml"/>' for s in sheets)
    return {
        "xl/workbook.xml": (
            f'{_HEAD}<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{entries}</sheets></workbook>'
        ),
        "xl/_rels/workbook.xml.rels": (
            f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships">{related}'
            f'<Relationship Id="rId0" Type="{_OFFICE}/styles" Target="styles.xml"/></Relationships>'
        ),
        "[Content_Types].xml": (
            f'{_HEAD}<Types xmlns="{_PACKAGE}/content-types">'
            '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            '<Default Extension="xml" ContentType="application/xml"/>'
            f'<Override PartName="/xl/workbook.xml" ContentType="{_SHEET_TYPE}.sheet.main+xml"/>'
            f'<Override PartName="/xl/styles.xml" ContentType="{_SHEET_TYPE}.styles+xml"/>{types}</Types>'
        ),
    }
