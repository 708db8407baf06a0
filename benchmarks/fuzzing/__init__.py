"""Bad inputs for every program: how they are made, how they are tried, what is a fault."""
