"""The few things everyone stands on: base errors, typed ids, the clock, strict input."""
