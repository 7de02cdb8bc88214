"""What may be collected about a person, on which article, shown to whom, until when."""
