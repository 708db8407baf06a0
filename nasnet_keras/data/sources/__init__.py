"""Where labelled images come from: one format a file."""
