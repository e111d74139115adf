"""Clips, streams and cameras: frames in, labels of each by any function, a clip that browsers and phones play out."""
