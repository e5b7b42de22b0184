"""A transfer file for the bank: ISO 20022 pain.001.001.03, one payment for each payout, made when it is asked for."""

from collections.abc import Sequence
from typing import Final
from xml.etree import ElementTree as Xml

from accounts.foundation import ids, sealed
from billing.payouts.models import Payout, TransferFile
from catalog.measures.money import format_minor

NAMESPACE: Final = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.03"


def render(file: TransferFile, payouts: Sequence[Payout], *, debtor: str) -> bytes:
    """Return the file as XML: `debtor` is the exchange's name; each payment quotes its payout's id.

    Raises CannotOpen when an account was sealed with another key.
    """
    root = Xml.Element("Document", {"xmlns": NAMESPACE})
    initiation = Xml.SubElement(root, "CstmrCdtTrfInitn")
    number = ids.spell("trf", file.id)
    header = Xml.SubElement(initiation, "GrpHdr")
    _text(header, "MsgId", number)
    _text(header, "CreDtTm", file.created_at.strftime("%Y-%m-%dT%H:%M:%SZ"))
    _text(header, "NbOfTxs", str(file.payout_count))
    _text(header, "CtrlSum", format_minor(file.total_minor, file.currency))
    _text(header, "InitgPty/Nm", debtor)
    batch = Xml.SubElement(initiation, "PmtInf")
    _text(batch, "PmtInfId", number)
    _text(batch, "PmtMtd", "TRF")
    _text(batch, "NbOfTxs", str(file.payout_count))
    _text(batch, "CtrlSum", format_minor(file.total_minor, file.currency))
    _text(batch, "ReqdExctnDt", file.created_at.strftime("%Y-%m-%d"))
    _text(batch, "Dbtr/Nm", debtor)
    for payout in payouts:
        _payment(batch, payout)
    assert sum(payout.amount_minor for payout in payouts) == file.total_minor, file.id
    text: str = Xml.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'.encode()


def _payment(batch: Xml.Element, payout: Payout) -> None:
    destination = payout.destination
    assert destination is not None, payout.id
    payment = Xml.SubElement(batch, "CdtTrfTxInf")
    _text(payment, "PmtId/EndToEndId", ids.spell("pyt", payout.id))
    amount = Xml.SubElement(Xml.SubElement(payment, "Amt"), "InstdAmt", {"Ccy": payout.currency})
    amount.text = format_minor(payout.amount_minor, payout.currency)
    _text(payment, "CdtrAgt/FinInstnId/ClrSysMmbId/MmbId", destination.bank_code)
    _text(payment, "Cdtr/Nm", destination.holder)
    _text(payment, "CdtrAcct/Id/Othr/Id", sealed.unseal(bytes(destination.account_sealed)))
    _text(payment, "RmtInf/Ustrd", ids.spell("pyt", payout.id))


def _text(parent: Xml.Element, path: str, text: str) -> None:
    """Add an element at the end of a path of new elements."""
    for name in path.split("/"):
        parent = Xml.SubElement(parent, name)
    parent.text = text
