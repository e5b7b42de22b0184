"""Safety bounds on bills: what breaches them parks the account instead of billing it."""
