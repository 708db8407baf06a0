"""Search spaces: architectures as sequences of decisions."""
