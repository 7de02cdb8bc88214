"""About whom, what: records, versions, intake, the reading gateway."""
