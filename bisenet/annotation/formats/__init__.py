"""Labels as other tools save them: a file for each format, with a row in `table.py`, as `contract.py` asks for."""
