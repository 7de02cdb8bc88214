"""From a fresh machine to a running portal or a finished test run. Standard library only: it runs before any package."""
