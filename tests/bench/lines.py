"""The curves of a result, as SVG: CPU time and p99 of each proxy over size, connections and rules. Both axes are logarithmic."""

import math
from html import escape

import curves
from chart import COLOURS, STYLE, legend

WIDTH, PANEL_WIDTH, PANEL_HEIGHT = 860, 340, 190
LEFT, COLUMN, TOP, ROW = 60, 420, 106, 270
# Of a point; room for the axes' ends, as a factor.
RADIUS, ROOM = 3, 1.15
LINES = "    polyline { fill: none; stroke-width: 2 } .value { font-size: 11px }"
# Of the vertical axis, in each power of ten: as many as are at most LARGEST.
STEPS, LARGEST = ((1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8), (1, 1.5, 2, 3, 5, 7), (1, 2, 5), (1, 3), (1,)), 8


def svg(result):
    """The whole chart, or None if the result holds no curves."""
    measured = result.get("curves")
    if not measured:
        return None
    found = {name: curves.points(name, curve) for name, curve in measured.items()}
    named = [proxy for proxy in result["proxies"] if any(proxy in of_curve for of_curve in found.values())]
    height = TOP + ROW * len(found)
    parts = [*legend(named, result["proxies"])]
    for row, (name, of_curve) in enumerate(found.items()):
        shown, y = curves.SHOWN[name], TOP + row * ROW
        of_cost = {proxy: [(each, each.cost) for each in of_curve[proxy]] for proxy in named if proxy in of_curve}
        of_p99 = {proxy: [(each, each.p99) for each in of_curve[proxy]] for proxy in named if proxy in of_curve}
        parts += panel(f"{shown.title}: CPU, {shown.unit}", shown, of_cost, LEFT, y)
        parts += panel("p99, ms", shown, of_p99, LEFT + COLUMN, y)
    inside = "\n  ".join(parts)
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img">
  <title>CPU time and p99 over size, connections and rules</title>
  <style>{STYLE}
{LINES}
  </style>
  <rect class="page" width="{WIDTH}" height="{height}"/>
  <text class="title" x="20" y="26">CPU time and p99 over size, connections and rules (less is better)</text>
  {inside}
</svg>
"""


def panel(title, shown, series, left, top):
    """One diagram: a line for each proxy, the same points on the horizontal axis for all."""
    values = [value for points in series.values() for _, value in points]
    numbers = {point.number: point.value for points in series.values() for point, _ in points}
    x = scale(min(numbers), max(numbers), left, left + PANEL_WIDTH)
    y = scale(min(values) / ROOM, max(values) * ROOM, top + PANEL_HEIGHT, top)
    yield f'<text x="{left}" y="{top - 12}">{escape(title)}</text>'
    for value in ticks(min(values) / ROOM, max(values) * ROOM):
        yield f'<line class="axis" x1="{left}" y1="{y(value):.1f}" x2="{left + PANEL_WIDTH}" y2="{y(value):.1f}"/>'
        yield f'<text x="{left - 8}" y="{y(value) + 4:.1f}" text-anchor="end">{value:,g}</text>'
    for number, value in numbers.items():
        at = x(number)
        place = f'x="{at:.1f}" y="{top + PANEL_HEIGHT + 18}"'
        yield f'<text class="value" {place} text-anchor="middle">{escape(shown.words(value))}</text>'
    # The last one lies on top.
    for proxy, points in series.items():
        places = [(x(point.number), y(value)) for point, value in points]
        line = " ".join(f"{across:.1f},{down:.1f}" for across, down in places)
        yield f'<polyline stroke="{COLOURS[proxy]}" points="{line}"/>'
        for across, down in places:
            yield f'<circle cx="{across:.1f}" cy="{down:.1f}" r="{RADIUS}" fill="{COLOURS[proxy]}"/>'


def scale(least, most, begin, end):
    """Where a value lies between two ends, by its logarithm."""
    # One value alone has no span.
    span = math.log(most / least) or 1

    def place(value):
        return begin + (end - begin) * math.log(value / least) / span

    return place


def ticks(least, most):
    """Lines of the vertical axis, at round numbers."""
    powers = range(math.floor(math.log10(least)), math.ceil(math.log10(most)) + 1)
    for steps in STEPS:
        found = [step * 10.0**power for power in powers for step in steps if least <= step * 10.0**power <= most]
        if len(found) <= LARGEST:
            break
    return found
