"""Where children train: on this machine, on a cluster, or in virtual time."""
