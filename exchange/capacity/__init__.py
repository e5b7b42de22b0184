"""How many units of an offering each hour has, and who has a claim on them."""
