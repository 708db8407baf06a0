"""What architectures there are, as sequences of decisions."""
