"""Organisations, their legal entities, users and memberships."""
