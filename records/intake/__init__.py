"""Reading what departments send, and giving back what must be corrected. Knows no database."""
