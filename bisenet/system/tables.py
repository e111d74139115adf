"""Tables for people, as Markdown that can be read as it is, too."""


def markdown_table(rows):
    """Text of rows of strings, the first of them the head; the first column to the left, the others to the right."""
    rows = [[cell.replace("|", "&#124;") for cell in row] for row in rows]
    widths = [max(3, *map(len, cells)) for cells in zip(*rows, strict=True)]
    lines = [
        " | ".join(cell.rjust(width) if place else cell.ljust(width) for place, (cell, width) in enumerate(cells))
        for cells in (zip(row, widths, strict=True) for row in rows)
    ]
    rule = "|".join(["-" * (widths[0] + 2), *("-" * (width + 1) + ":" for width in widths[1:])])
    return "".join(f"{line}\n" for line in [f"| {lines[0]} |", f"|{rule}|", *(f"| {line} |" for line in lines[1:])])
