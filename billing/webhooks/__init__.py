"""What Stripe tells: stored before it is answered, then used as hints at what to look at again."""
