"""Values that differ from run to run: one family per file, and the pipeline over them."""
