"""The words of a printed document in its two languages."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from billing.invoices.rules import InvoiceKind
from billing.rating.bills import LineKind


class Language(StrEnum):
    """A language that documents are printed in."""

    ENGLISH = "en"
    CHINESE = "zh"


_ENGLISH: Final[Mapping[str, str]] = {
    InvoiceKind.CUSTOMER: "Invoice",
    InvoiceKind.CREDIT_NOTE: "Credit note",
    InvoiceKind.PROVIDER_STATEMENT: "Self-billing statement",
    InvoiceKind.PROVIDER_CREDIT: "Self-billing credit note",
    "number": "Number",
    "issued": "Issued",
    "supplied": "Supplied",
    "due": "Due",
    "corrects": "Corrects",
    "because": "Reason",
    "settled": "Paid from the prepaid balance",
    "contract": "Contract",
    "market": "Market",
    "currency": "Currency",
    "seller": "Seller",
    "buyer": "Buyer",
    "tax_id": "Tax id",
    "description": "Description",
    "quantity": "Quantity",
    "unit": "Unit",
    "price": "Unit price",
    "rate": "VAT",
    "amount": "Amount",
    "share_of": "of",
    "net": "Net",
    "vat": "VAT {rate} % on {base}",
    "total": "Total",
    "page": "{number}, page {page}",
    "zone": "Times are in Asia/Shanghai. Amounts are rounded half up, once for each line and once for each tax rate.",
    "not_a_fapiao": "This document is not a fapiao; a fapiao has a number of its own.",
    "synthetic": "Made for a simulation: no money is owed for it.",
    "digest": "Digest (SHA-256)",
    "price_each": "per {base}",
    LineKind.VOUCHER: "Voucher",
}

_CHINESE: Final[Mapping[str, str]] = {
    InvoiceKind.CUSTOMER: "账单",
    InvoiceKind.CREDIT_NOTE: "贷项通知单",
    InvoiceKind.PROVIDER_STATEMENT: "自开结算单",
    InvoiceKind.PROVIDER_CREDIT: "自开结算贷项单",
    "number": "编号",
    "issued": "开具时间",
    "supplied": "服务期间",
    "due": "付款期限",
    "corrects": "原单据",
    "because": "原因",
    "settled": "已由预付余额支付",
    "contract": "合同",
    "market": "市场",
    "currency": "币种",
    "seller": "销售方",
    "buyer": "购买方",
    "tax_id": "纳税人识别号",
    "description": "项目",
    "quantity": "数量",
    "unit": "单位",
    "price": "单价",
    "rate": "税率",
    "amount": "金额",
    "share_of": "基数",
    "net": "不含税金额",
    "vat": "增值税 {rate}%，计税金额 {base}",
    "total": "价税合计",
    "page": "{number} 第 {page} 页",
    "zone": "时间为北京时间。每行金额及每一税率的税额各四舍五入一次。",
    "not_a_fapiao": "本单据不是发票；发票另有发票号码。",
    "synthetic": "模拟数据：无需付款。",
    "digest": "摘要（SHA-256）",
    "price_each": "每 {base}",
    LineKind.CAPACITY: "成交价",
    LineKind.MINIMUM: "最低消费补足",
    LineKind.ADJUSTMENT: "客户类别或服务质量调整",
    LineKind.RETURNED: "提前退回部分的应付款：",
    LineKind.PAUSED: "暂停部分的应付款：",
    LineKind.RESOLD: "转售部分的应付款：",
    LineKind.RESALE: "转售所得抵扣（已扣除转售佣金）：",
    LineKind.SLA_CREDIT: "SLA 补偿：未交付的",
    LineKind.FEE: "交易服务费",
    LineKind.COMMISSION: "平台佣金",
    LineKind.VOUCHER: "算力券",
}

# What a meter is called on a line.
METERS_ZH: Final[Mapping[str, str]] = {
    "egress_gb": "流出流量",
    "ingress_gb": "流入流量",
    "storage_gb_months": "存储（每月按 730 小时）",
    "storage_tb_months": "存储（每月按 730 小时）",
    "memory_gb_hours": "内存",
    "memory_gib_hours": "内存",
    "tokens_in": "输入 token",
    "tokens_out": "输出 token",
    "energy_kwh": "电量",
    "tflops_hours": "额定算力",
    "pflops_hours": "额定算力",
    "bandwidth_mbps_p95": "带宽（第 95 百分位）",
}


def words(language: Language) -> Mapping[str, str]:
    """Return the words of a language by what they stand for."""
    return _ENGLISH if language is Language.ENGLISH else _CHINESE
