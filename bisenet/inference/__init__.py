"""From an image to a label map, by any protocol; a model over a set."""
