#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# bench-report.py RESULTS FOLDER [EXTERNAL]: writes what `mmio-bench --output=RESULTS` has measured as a table (results.md) and as plots
# (ratios.svg, scale.svg) into FOLDER. EXTERNAL holds lines like {"case": "read-64-hot", "ns_per_op": 9.3, "label": "other"}, of any
# other program: they become further peers, of figures that were not measured side by side.
import json
import math
import sys
from html import escape

FONT = 'font-family="sans-serif" font-size="12"'


def load_external(path, cases):
    by_name = {case['case']: case for case in cases}
    with open(path, encoding='utf-8') as stream:
        for line in filter(str.strip, stream):
            entry = json.loads(line)
            case = by_name.get(entry['case'])
            if case is None or 'skipped' in case:
                print(f"{path}: there is no case {entry['case']}", file=sys.stderr)
                continue
            ns = float(entry['ns_per_op'])
            floor = case['sides'][0]['ns_per_op']['median']
            ratio = ns / floor if case['measure'] == 'time' else floor / ns
            case['sides'].append({'role': 'external', 'label': entry.get('label', 'external'),
                                  'ns_per_op': dict.fromkeys(('median', 'min', 'max'), ns),
                                  'ratio': dict.fromkeys(('median', 'min', 'max'), ratio), 'ratio_of_best': ratio})


def time_text(ns):
    for limit, unit in ((1e3, 'ns'), (1e6, 'µs'), (1e9, 'ms')):
        if ns < limit:
            return f'{ns / limit * 1e3:.3g} {unit}'
    return f'{ns / 1e9:.3g} s'


def goal_text(case):
    if 'goal' not in case:
        return ''
    sign = '≤' if case['measure'] == 'time' else '≥'
    return f"{sign} {case['goal']:.2f}, {'met' if case['goal_met'] else '**missed**'}"


def write_table(results, stream):
    machine = results['machine']
    stream.write(f"Measured with libmmio {results['version']} on {machine['processor']}, {machine['processors']} processors, "
                 f"{machine['memory']}; Linux {machine['kernel']}, {machine['architecture']}, libc {machine.get('libc', '?')}, "
                 f"GLib {machine['glib']}, compiled with {machine['compiler']}; files on {machine['tmpfs']} and {machine['disk']}; "
                 f"load average {machine['load_average']}.\n\n")
    stream.write('A ratio is that of two neighbouring turns of one run: of times where less is better (goal ≤), of rates where more is '
                 '(goal ≥). “Best” is the ratio of the best turn of each.\n\n')
    stream.write('| case | side | time | ratio: median | min | best | goal |\n| --- | --- | ---: | ---: | ---: | ---: | --- |\n')
    for case in results['cases']:
        if 'skipped' in case:
            stream.write(f"| {case['case']} | skipped: {case['skipped']} | | | | | |\n")
            continue
        for i, side in enumerate(case['sides']):
            name = f"**{case['title']}** (`{case['case']}`)" if i == 0 else ''
            label = side['label'] if side['role'] != 'libmmio' else f"**{side['label']}**"
            time = time_text(side['ns_per_op']['median'])
            if i == 0:
                stream.write(f'| {name} | {label} | {time} | 1 | 1 | 1 | |\n')
            else:
                goal = goal_text(case) if side['role'] == 'libmmio' else ''
                stream.write(f"| {name} | {label} | {time} | {side['ratio']['median']:.2f} | {side['ratio']['min']:.2f} | "
                             f"{side['ratio_of_best']:.2f} | {goal} |\n")
    if results['curves']:
        stream.write('\nTime over size or number, and the exponent of time = c · x^exponent: 0 is constant.\n\n'
                     '| what | over | from | to | time at the least | time at the most | exponent |\n'
                     '| --- | --- | ---: | ---: | ---: | ---: | ---: |\n')
    for curve in results['curves']:
        first, last = curve['points'][0], curve['points'][-1]
        stream.write(f"| {curve['title']} | {curve['x_label']} | {first['x']:.0f} | {last['x']:.0f} | "
                     f"{time_text(first['ns_per_op']['median'])} | {time_text(last['ns_per_op']['median'])} | "
                     f"{curve['exponent']:.3f} |\n")


def svg_open(stream, width, height, title):
    stream.write(f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
                 f'{FONT}>\n<title>{escape(title)}</title>\n<rect width="100%" height="100%" fill="white"/>\n')


def text(stream, x, y, content, anchor='start', extra=''):
    stream.write(f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" {extra}>{escape(content)}</text>\n')


def line(stream, x1, y1, x2, y2, colour, extra=''):
    stream.write(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" {extra}/>\n')


def plot_ratios(results, stream):
    """A row a case: the floor is the line at 1, libmmio a full dot, peers hollow ones, a bar the goal."""
    cases = [case for case in results['cases'] if 'skipped' not in case]
    row, top, left, span = 22, 70, 300, 560
    width, height = left + span + 150, top + row * len(cases) + 40
    low, high = 0.01, 100

    def place(ratio):
        ratio = min(max(ratio, low), high)
        return left + span * (math.log10(ratio) - math.log10(low)) / (math.log10(high) - math.log10(low))

    svg_open(stream, width, height, 'libmmio beside its floor')
    text(stream, left, 20, 'Beside the floor in the same run (logarithmic; the floor is 1)', extra='font-size="14" font-weight="bold"')
    stream.write(f'<circle cx="{left + 6}" cy="36" r="5" fill="#1a5fb4"/>\n')
    text(stream, left + 16, 40, 'libmmio')
    stream.write(f'<circle cx="{left + 86}" cy="36" r="4" fill="white" stroke="#77767b"/>\n')
    text(stream, left + 96, 40, 'peers')
    line(stream, left + 150, 30, left + 150, 42, '#c01c28', 'stroke-width="3"')
    text(stream, left + 158, 40, 'goal: at most, for rates at least')
    bottom = top + row * len(cases)
    for exponent in range(-2, 3):
        x = place(10 ** exponent)
        line(stream, x, top - 8, x, bottom, '#deddda' if exponent else '#5e5c64')
        text(stream, x, bottom + 16, f'{10 ** exponent:g}', 'middle')
    for i, case in enumerate(cases):
        y = top + row * i + row / 2
        rate = case['measure'] == 'rate'
        text(stream, left - 12, y + 4, case['case'] + (' (rate)' if rate else ''), 'end')
        if 'goal' in case:
            x = place(case['goal'])
            line(stream, x, y - 8, x, y + 8, '#c01c28', 'stroke-width="3"')
        for side in case['sides'][2:]:
            stream.write(f"<circle cx=\"{place(side['ratio']['median']):.1f}\" cy=\"{y:.1f}\" r=\"4\" fill=\"white\" "
                         f"stroke=\"#77767b\"><title>{escape(side['label'])}: {side['ratio']['median']:.2f}</title></circle>\n")
        ours = case['sides'][1]
        stream.write(f"<circle cx=\"{place(ours['ratio']['median']):.1f}\" cy=\"{y:.1f}\" r=\"5\" fill=\"#1a5fb4\">"
                     f"<title>{escape(ours['label'])}: {ours['ratio']['median']:.2f}</title></circle>\n")
        value = ours['ratio']['median']
        text(stream, left + span + 12, y + 4,
             f"{value:.2f}  ({time_text(ours['ns_per_op']['median'])})" if value >= 0.01
             else f"< 0.01  ({time_text(ours['ns_per_op']['median'])})")
    stream.write('</svg>\n')


def plot_scale(results, stream):
    """A small plot a curve: both axes logarithmic, two decades of time around the first point."""
    curves = results['curves']
    columns, plot_width, plot_height = 2, 420, 200
    rows = (len(curves) + columns - 1) // columns
    svg_open(stream, columns * plot_width, rows * plot_height + 30, 'How time grows')
    text(stream, 20, 20, 'Time over size or number (both logarithmic)', extra='font-size="14" font-weight="bold"')
    for i, curve in enumerate(curves):
        left, top = (i % columns) * plot_width + 70, 30 + (i // columns) * plot_height + 40
        width, height = plot_width - 100, plot_height - 90
        xs = [math.log10(point['x']) for point in curve['points']]
        ys = [math.log10(point['ns_per_op']['median']) for point in curve['points']]
        x_low, x_high = min(xs), max(max(xs), min(xs) + 1)
        middle = (min(ys) + max(ys)) / 2
        y_low, y_high = min(middle - 1, min(ys)), max(middle + 1, max(ys))

        def place(x, y):
            return (left + width * (x - x_low) / (x_high - x_low), top + height * (1 - (y - y_low) / (y_high - y_low)))

        text(stream, left, top - 22, curve['title'], extra='font-weight="bold" font-size="11"')
        text(stream, left, top - 8, f"exponent {curve['exponent']:.3f}", extra='fill="#1a5fb4"')
        stream.write(f'<rect x="{left}" y="{top}" width="{width}" height="{height}" fill="none" stroke="#deddda"/>\n')
        for exponent in range(math.ceil(y_low), math.floor(y_high) + 1):
            y = place(x_low, exponent)[1]
            line(stream, left, y, left + width, y, '#deddda')
            text(stream, left - 6, y + 4, time_text(10 ** exponent), 'end')
        points = [place(x, y) for x, y in zip(xs, ys)]
        stream.write('<polyline fill="none" stroke="#1a5fb4" stroke-width="2" points="'
                     + ' '.join(f'{x:.1f},{y:.1f}' for x, y in points) + '"/>\n')
        for (x, y), point in zip(points, curve['points']):
            stream.write(f"<circle cx=\"{x:.1f}\" cy=\"{y:.1f}\" r=\"3\" fill=\"#1a5fb4\"><title>{point['x']:.0f}: "
                         f"{time_text(point['ns_per_op']['median'])}</title></circle>\n")
            text(stream, x, top + height + 16, short_number(point['x'], 'bytes' in curve['x_label']), 'middle', 'font-size="10"')
        text(stream, left + width / 2, top + height + 32, curve['x_label'], 'middle', 'font-size="11"')
    stream.write('</svg>\n')


def short_number(x, binary):
    step, units = (1024, ('', 'Ki', 'Mi', 'Gi', 'Ti')) if binary else (1000, ('', 'k', 'M', 'G'))
    for unit in units:
        if x < step or unit == units[-1]:
            return f'{x:g}{unit}'
        x /= step


def main(arguments):
    if len(arguments) not in (3, 4):
        print('usage: bench-report.py RESULTS FOLDER [EXTERNAL]', file=sys.stderr)
        return 2
    with open(arguments[1], encoding='utf-8') as stream:
        results = json.load(stream)
    if len(arguments) == 4:
        load_external(arguments[3], results['cases'])
    for name, write in (('results.md', write_table), ('ratios.svg', plot_ratios), ('scale.svg', plot_scale)):
        with open(f'{arguments[2]}/{name}', 'w', encoding='utf-8') as stream:
            write(results, stream)
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv))
