"""An issued document as it is handed over: a sheet in Chinese or English as PDF and HTML, and as an e-invoice."""
