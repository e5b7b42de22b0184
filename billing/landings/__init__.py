"""Landing a wallet that has run out softly: grace, then nothing new, then what is left is handed back."""
