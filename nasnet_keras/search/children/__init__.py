"""The networks that a search trains and retrains."""
