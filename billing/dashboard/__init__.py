"""Finance at a glance: cash, what is owed both ways, fees, ages, and what is not billed yet."""
