"""Functions of a data set or of a trained ensemble that return tidy records."""
