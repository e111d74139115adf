"""From a pair of files to an image and its train ids, and to batches of them."""
