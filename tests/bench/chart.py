"""The chart of a result, as SVG: what a request costs each proxy, relative to nginx. Curves have a chart of their own (lines.py)."""

from html import escape

import proxies
import rounds
from load import TESTS

WIDTH, LABELS, RIGHT = 860, 150, 100
BAR, GAP, GROUP = 16, 4, 22
TOP, BOTTOM = 70, 34
# Distinguishable with any colour vision, on white and on black.
COLOURS = {
    "nginx": "#7f7f7f",
    "haproxy": "#56b4e9",
    "bare-pingora": "#e69f00",
    "s3cors": "#009e73",
    "s3cors-log": "#cc79a7",
}
STYLE = """
    text { font: 13px system-ui, sans-serif; fill: #222 }
    .title { font-size: 16px; font-weight: 600 }
    .axis { stroke: #bbb } .one { stroke: #222; stroke-dasharray: 4 3 } .range { stroke: #222 }
    .page { fill: #fff }
    @media (prefers-color-scheme: dark) {
      text { fill: #ddd } .axis { stroke: #555 } .one, .range { stroke: #ddd } .page { fill: #111 }
    }"""


def groups(result):
    """By test: its title, and the ratio of each proxy that has one."""
    for name, runs in result.get("rounds", {}).items():
        ratios = {proxy: each["cpu_us_ratio"] for proxy, each in rounds.summary(runs).items() if each["cpu_us_ratio"]}
        if ratios:
            yield TESTS[name].title, ratios


def axis(largest):
    """The end of the axis and the step between its lines."""
    step = next(step for step in (0.25, 0.5, 1, 2, 5, 10, 20, 50) if largest / step <= 8)
    return (int(largest / step) + 1) * step, step


def svg(result):
    """The whole chart, or None if the result holds no rounds."""
    shown = list(groups(result))
    if not shown:
        return None
    end, step = axis(max(most for _, ratios in shown for _, _, most in ratios.values()))
    height = TOP + BOTTOM + sum(len(ratios) * (BAR + GAP) + GROUP for _, ratios in shown)

    def x(value):
        return LABELS + (WIDTH - LABELS - RIGHT) * value / end

    names = [name for name in result["proxies"] if any(name in ratios for _, ratios in shown)]
    parts = [*legend(names, result["proxies"]), *grid(end, step, x, height)]
    y = TOP
    for title, ratios in shown:
        middle = y + len(ratios) * (BAR + GAP) / 2
        parts.append(f'<text x="{LABELS - 10}" y="{middle + 2:.0f}" text-anchor="end">{escape(title)}</text>')
        for name, ratio in ratios.items():
            parts += bar(name, ratio, x, y)
            y += BAR + GAP
        y += GROUP
    inside = "\n  ".join(parts)
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img">
  <title>CPU time a request, relative to nginx</title>
  <style>{STYLE}
  </style>
  <rect class="page" width="{WIDTH}" height="{height}"/>
  <text class="title" x="20" y="26">CPU time a request, relative to nginx (less is better)</text>
  {inside}
</svg>
"""


def legend(names, titles):
    left = 20
    for name in names:
        yield f'<rect x="{left}" y="40" width="12" height="12" fill="{COLOURS[name]}"/>'
        yield f'<text x="{left + 17}" y="51">{escape(titles[name])}</text>'
        left += 42 + round(7 * len(titles[name]))


def grid(end, step, x, height):
    bottom = height - BOTTOM
    for number in range(round(end / step) + 1):
        value = number * step
        yield f'<line class="axis" x1="{x(value):.1f}" y1="{TOP - 6}" x2="{x(value):.1f}" y2="{bottom}"/>'
        yield f'<text x="{x(value):.1f}" y="{bottom + 18}" text-anchor="middle">{value:g}</text>'
    yield f'<line class="one" x1="{x(1):.1f}" y1="{TOP - 6}" x2="{x(1):.1f}" y2="{bottom}"/>'


def bar(name, ratio, x, y):
    """The median as a bar, the least and the most as a line, and the median as a number."""
    median, least, most = ratio
    middle = y + BAR / 2
    yield f'<rect x="{x(0):.1f}" y="{y}" width="{x(median) - x(0):.1f}" height="{BAR}" fill="{COLOURS[name]}"/>'
    if name != proxies.BASE:
        yield f'<line class="range" x1="{x(least):.1f}" y1="{middle}" x2="{x(most):.1f}" y2="{middle}"/>'
    yield f'<text x="{x(max(median, most)) + 6:.1f}" y="{middle + 5:.0f}">{median:.2f}</text>'
