"""How a folder that nobody has described is laid out: its files in, the `splits` of a dataset.yaml out.

All ways of naming images and labels that occur in the folder are tried against each other (a folder for each, endings
such as `_mask`, one folder for each image, train and val inside or outside), and the two that pair most files win.
Where several do, names of folders and what a few labels hold decide.
"""
