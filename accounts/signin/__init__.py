"""Signing in and out, and the brake on guessing passwords."""
