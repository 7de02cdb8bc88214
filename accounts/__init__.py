"""Who: organisations, users, roles, persons (identity only) and proof of identity."""
