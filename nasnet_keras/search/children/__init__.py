"""The networks that a search trains, and trains again."""
