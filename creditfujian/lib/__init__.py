"""Plain functions that know no app: identity numbers, ciphers, masks, text."""
