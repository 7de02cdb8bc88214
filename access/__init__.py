"""Who may look and who looked: requests, grounds and the query log that nobody can change."""
