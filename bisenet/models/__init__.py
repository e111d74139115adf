"""The networks, as the papers and upstream define them."""
