"""Money, prices, intervals and units: plain values, no framework, no clock, no floats."""
