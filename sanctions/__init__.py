"""Rosters, the listing procedure, measures and rewards."""
