"""Plain charts as SVG, in colours that can be read on white and on black."""

import math
from html import escape

WIDTH, MARGIN, LABELS = 860, 20, 400
ROW, BAR = 26, 16
PLOT = 300  # width and height of a line chart
GAP = 70
COLORS = "#3b82c4", "#d97b29", "#3f9b58", "#b0508f"
SHAPES = "M-6 0A6 6 0 1 0 6 0A6 6 0 1 0 -6 0Z", "M-5 -5H5V5H-5Z", "M0 -7L7 6H-7Z", "M0 -7L7 0L0 7L-7 0Z"
STYLE = """\
<style>
text { font: 13px sans-serif; fill: #24292f } .title { font-weight: bold } .axis { stroke: #8c959f; fill: none }
@media (prefers-color-scheme: dark) { text { fill: #d0d7de } }
</style>
"""


def bar_chart(title, rows, unit):
    """SVG text. rows: [(label, value, (lowest, highest))], drawn from 0 on, with a line from lowest to highest."""
    longest = max(high for _, _, (_, high) in rows)
    scale = (WIDTH - LABELS - 110) / longest
    parts = [_text(MARGIN, 24, title, "title")]
    for number, (label, value, (low, high)) in enumerate(rows):
        top = 40 + number * ROW
        middle = top + BAR / 2
        parts.append(_text(LABELS - 8, middle + 4, label, anchor="end"))
        parts.append(f'<rect x="{LABELS}" y="{top}" width="{value * scale:.1f}" height="{BAR}" fill="{COLORS[0]}"/>')
        parts.append(_line([(LABELS + low * scale, middle), (LABELS + high * scale, middle)], "#8c959f"))
        parts.append(_text(LABELS + high * scale + 8, middle + 4, f"{value:.3g} {unit}"))
    one = LABELS + scale
    parts.append(_line([(one, 34), (one, 40 + len(rows) * ROW)], "#8c959f", "4 3"))
    return _svg(WIDTH, 50 + len(rows) * ROW, parts)


def line_charts(charts):
    """SVG text of charts side by side, two in a row. charts: [(title, x label, {name: [(x, y)]})], x on a log scale."""
    parts = []
    for number, (title, x_label, lines) in enumerate(charts):
        left, top = MARGIN + GAP + number % 2 * (PLOT + GAP + 40), 50 + number // 2 * (PLOT + 130)
        parts += _plot(left, top, title, x_label, lines)
    rows = math.ceil(len(charts) / 2)
    return _svg(2 * (PLOT + GAP + 60), 20 + rows * (PLOT + 130), parts)


def scatter_chart(title, x_label, y_label, points):
    """SVG text. points: [(name, x, y)]; x from 0 on, y from a little below the lowest; each name in a legend."""
    left, top, wide = MARGIN + GAP, 50, WIDTH - LABELS - GAP
    highest_x = max(x for _, x, _ in points) * 1.05 or 1
    ys = [y for _, _, y in points]
    low, high = min(ys), max(ys)
    margin = (high - low) * 0.1 or abs(high) * 0.05 or 1
    low, high = low - margin, high + margin
    parts = [_text(MARGIN, 24, title, "title")]
    parts.append(f'<path class="axis" d="M{left} {top}V{top + PLOT}H{left + wide}"/>')
    for share in (0, 0.5, 1):
        parts.append(_text(left - 8, top + PLOT * (1 - share) + 4, f"{low + (high - low) * share:.4g}", anchor="end"))
        parts.append(_text(left + wide * share, top + PLOT + 18, f"{highest_x * share:.3g}", anchor="middle"))
    parts.append(_text(left, top - 8, y_label))
    parts.append(_text(left + wide, top + PLOT + 38, x_label, anchor="end"))
    for number, (name, x, y) in enumerate(points):
        color, shape = COLORS[number % len(COLORS)], SHAPES[number // len(COLORS) % len(SHAPES)]
        place = left + wide * x / highest_x, top + PLOT * (1 - (y - low) / (high - low))
        for across, down in (place, (left + wide + 30, top + 6 + 20 * number)):
            parts.append(f'<path d="{shape}" transform="translate({across:.1f} {down:.1f})" fill="{color}"/>')
        parts.append(_text(left + wide + 44, top + 10 + 20 * number, name))
    return _svg(WIDTH, max(top + PLOT, top + 20 * len(points)) + 60, parts)


def _plot(left, top, title, x_label, lines):
    points = [point for line in lines.values() for point in line]
    xs = sorted({x for x, _ in points})
    highest = max(y for _, y in points) or 1
    logs = [math.log(max(x, 0.5)) for x in xs]
    span = (logs[-1] - logs[0]) or 1
    across = {x: left + (log - logs[0]) / span * PLOT for x, log in zip(xs, logs, strict=True)}

    def at(point):
        return across[point[0]], top + PLOT * (1 - point[1] / highest)

    parts = [_text(left - GAP, top - 20, title, "title")]
    parts.append(f'<path class="axis" d="M{left} {top}V{top + PLOT}H{left + PLOT}"/>')
    parts += [_text(across[x], top + PLOT + 18, f"{x:g}", anchor="middle") for x in xs]
    parts += [
        _text(left - 8, top + PLOT * (1 - share) + 4, f"{highest * share:.3g}", anchor="end") for share in (0, 0.5, 1)
    ]
    parts.append(_text(left + PLOT, top + PLOT + 38, x_label, anchor="end"))
    for number, (name, line) in enumerate(lines.items()):
        color = COLORS[number % len(COLORS)]
        parts.append(_line([at(point) for point in line], color))
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{color}"/>' for x, y in map(at, line)]
        parts.append(f'<rect x="{left}" y="{top + PLOT + 30 + 18 * number}" width="10" height="10" fill="{color}"/>')
        parts.append(_text(left + 16, top + PLOT + 39 + 18 * number, name))
    return parts


def _line(points, color, dashes=""):
    path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    return f'<path d="{path}" stroke="{color}" stroke-width="2" stroke-dasharray="{dashes}" fill="none"/>'


def _text(x, y, text, kind="", anchor="start"):
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" text-anchor="{anchor}">{escape(text)}</text>'


def _svg(width, height, parts):
    size = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>\n{STYLE}' + "\n".join(parts) + "\n</svg>\n"
