#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes what `mmio-bench --output=RESULTS` has measured as a table (results.md) and plots (ratios.svg, scale.svg) into FOLDER.

    bench-report.py take EXTERNAL FOLDER
    bench-report.py write [--page=DOCS] RESULTS FOLDER

EXTERNAL is a file, or a command, whose lines are like {"case": "read-64-hot", "ns_per_op": 9.3, "label": "other"}. `take` looks at them
and keeps them in FOLDER: before anything is measured, since that takes minutes. `write` makes further peers of them, of figures that were
not measured side by side. --page writes DOCS/performance.md and its plots as well.
"""
import argparse
import json
import math
import os
import subprocess
import sys
from html import escape

FONT = 'font-family="Cantarell, DejaVu Sans, sans-serif" font-size="12"'
BLUE, RED, GREY, LIGHT, DARK, WHITE = '#1a5fb4', '#c01c28', '#77767b', '#e8e7e5', '#3d3846', '#ffffff'
# What they become for a reader who wants dark pages.
AT_NIGHT = {BLUE: '#78aeed', RED: '#ff7b63', GREY: '#9a9996', LIGHT: '#3d3d3d', DARK: '#deddda', WHITE: '#1e1e1e',
            '#813d9c': '#c061cb', '#a51d2d': '#ed333b', '#865e3c': '#cdab8f'}

# The cases by subject, by how their names begin.
GROUPS = (
    ('Reading and writing by copy', ('read-', 'write-')),
    ('Pointers, views, walks and records', ('peek-', 'view-', 'chunk-', 'record-', 'find-', 'limited-')),
    ('Opening, size and durability', ('open-', 'resize-', 'grow-', 'flush-')),
    ('The guard against truncation', ('guard-',)),
    ('Streams', ('stream-',)),
    ('Threads', ('threads-',)),
    ('Between processes', ('atomic-', 'wake-')),
    ('Changes by others', ('watch-', 'locate-')),
    ('Other languages', ('python-', 'gjs-', 'vala-')),
)

# What has to hold: the title, and the cases that show it.
PROMISES = (
    ('read 64 B, hot', 'read-64-hot', 'memcpy with a bounds check'),
    ('the same in two threads, all together', 'threads-2-read-64', 'one thread'),
    ('write 64 B, hot', 'write-64-hot', 'memcpy with a bounds check'),
    ('read 4 KiB anywhere in 64 MiB', 'read-4k-random', 'memcpy with a bounds check'),
    ('read 64 KiB anywhere in 64 MiB', 'read-64k-random', 'memcpy with a bounds check'),
    ('a reader beside a constant writer', 'threads-read-beside-writer', 'its rate alone'),
    ('peek', 'peek-64-hot', 'a bounds check in a function of one\'s own'),
    ('a pinned view, taken and released', 'view-cycle', 'malloc and free'),
    ('walk through 64 MiB in chunks of 4 KiB', 'chunk-sum', 'a loop over a pointer'),
    ('walk through more than memory holds', 'limited-sum', 'a loop over a pointer'),
    ('add to an atomic that is held', 'atomic-add', 'the bare instruction'),
    ('a stream, 4 KiB at a time', 'stream-bytes-4k', 'GFileInputStream'),
    ('a stream, 1 MiB at a time', 'stream-read-1m', 'GFileInputStream'),
    ('resize cycle', 'resize-tmpfs', 'remapping'),
    ('flush one page', 'flush-page-disk', 'msync'),
    ('open and close', 'open-close-tmpfs', 'the system calls'),
    ('wake to awake', 'wake-cycle', 'a bare futex'),
    ('handler after an external write', 'watch-latency', 'a bare GFileMonitor at rate 0'),
)

# Peers that are met again and again have a colour.
PEERS = (
    ('pread and pwrite', '#e66100', ('pread', 'pwrite')),
    ('read and write', '#865e3c', ('lseek + ', 'read')),
    ('GLib', '#26a269', ('GMappedFile', 'g_mapped_file', 'GFileInputStream', 'g_file_read')),
    ('Boost.Interprocess', '#813d9c', ('Boost',)),
    ('LMDB', '#a51d2d', ('LMDB',)),
    ('Python, numpy, watchdog', '#e5a50a', ('Python', 'numpy', 'python3-watchdog', 'os.pread')),
    ('others', GREY, ('',)),
)


def read_external(source):
    """The lines of a file, or of what a command prints."""
    if os.path.isfile(source) and not os.access(source, os.X_OK):
        with open(source, encoding='utf-8') as stream:
            return stream.read().splitlines()

    done = subprocess.run(source, shell=True, stdout=subprocess.PIPE, encoding='utf-8')
    if done.returncode == 127:
        raise ValueError(f'there is no such file in {os.getcwd()}, and no such command')
    if done.returncode != 0:
        raise ValueError(f'the command has ended with status {done.returncode}')
    return done.stdout.splitlines()


def check_external(line):
    entry = json.loads(line)
    if not isinstance(entry, dict) or not isinstance(entry.get('case'), str):
        raise ValueError('an object with the name of a "case" is wanted')
    ns = entry.get('ns_per_op')
    if isinstance(ns, bool) or not isinstance(ns, (int, float)) or not 0 < ns < 1e18:
        raise ValueError('"ns_per_op" is to be a number of nanoseconds, above 0')
    if not isinstance(entry.get('label', ''), str):
        raise ValueError('"label" is to be a string')
    return {'case': entry['case'], 'ns_per_op': ns, 'label': entry.get('label', 'external')}


def take_external(source, folder):
    entries = []
    for number, line in enumerate(read_external(source), 1):
        if line.strip():
            try:
                entries.append(check_external(line))
            except ValueError as error:
                raise ValueError(f'line {number}: {line.strip()}: {error}') from None
    if not entries:
        raise ValueError('there is no line in it')
    with open(f'{folder}/external.json', 'w', encoding='utf-8') as stream:
        json.dump(entries, stream, indent=2)


def add_external(entries, cases):
    by_name = {case['case']: case for case in cases}
    for entry in entries:
        case = by_name.get(entry['case'])
        if case is None or 'skipped' in case:
            why = 'no such case was run' if case is None else f"it was skipped: {case['skipped']}"
            print(f"EXTERNAL, {entry['label']}: {entry['case']}: {why}", file=sys.stderr)
            continue
        ns = entry['ns_per_op']
        floor = case['sides'][0]['ns_per_op']['median']
        ratio = ns / floor if case['measure'] == 'time' else floor / ns
        case['sides'].append({'role': 'external', 'label': f"{entry['label']} (measured elsewhere)",
                              'ns_per_op': dict.fromkeys(('median', 'low', 'high', 'min', 'max'), ns),
                              'ratio': dict.fromkeys(('median', 'low', 'high', 'min', 'max'), ratio), 'ratio_of_best': ratio})


def cell(content):
    """Text that is not this program's own, for a cell of a table."""
    return ' '.join(content.split()).replace('\\', '\\\\').replace('|', '\\|').replace('`', '\\`').replace('<', '&lt;')


def time_text(ns):
    for limit, unit in ((1e3, 'ns'), (1e6, 'µs'), (1e9, 'ms')):
        if ns < 0.9995 * limit:
            value = ns / limit * 1e3
            return f'{value:.3g} {unit}' if value < 100 else f'{value:.0f} {unit}'
    return f'{ns / 1e9:.3g} s'


def ratio_text(ratio):
    return '< 0.01' if ratio < 0.01 else f'{ratio:.2f}' if ratio < 10 else f'{ratio:.0f}'


def interval_text(ratio):
    return f"{ratio['low']:.2f}–{ratio['high']:.2f}"


def exponent_text(exponent):
    return f'{exponent:.2f}' if abs(exponent) >= 0.005 else '0.00'


def number_text(x, binary):
    if not binary:
        return f'{x:,.0f}'
    for unit in ('B', 'KiB', 'MiB', 'GiB', 'TiB'):
        if x < 1024 or unit == 'TiB':
            return f'{x:g} {unit}'
        x /= 1024


def is_met(case):
    ratio = case['sides'][1]['ratio']['median']
    return ratio <= case['goal'] if case['measure'] == 'time' else ratio >= case['goal']


def goal_text(case):
    if 'goal' not in case:
        return ''
    return f"{'≤' if case['measure'] == 'time' else '≥'} {case['goal']:.2f}"


def verdict_text(case):
    return f"{goal_text(case)}, {'met' if is_met(case) else '**missed**'}" if 'goal' in case else ''


def measured(sides):
    return [side for side in sides if 'skipped' not in side]


def groups(cases):
    """(title, cases) of each subject that has any; what belongs to none comes last."""
    rest = list(cases)
    for title, prefixes in GROUPS:
        group = [case for case in rest if case['case'].startswith(prefixes)]
        rest = [case for case in rest if case not in group]
        if group:
            yield title, group
    if rest:
        yield 'Others', rest


def machine_text(results):
    machine = results['machine']
    memory = machine['memory'].split()
    memory = f'{int(memory[0]) / 1048576:.0f} GiB' if memory[1:] == ['kB'] else machine['memory']
    return (f"libmmio {results['version']} on {machine['processor']}, {machine['processors']} processors, {memory}; "
            f"Linux {machine['kernel']}, {machine['architecture']}, libc {machine.get('libc', '?')}, GLib {machine['glib']}, compiled with "
            f"{machine['compiler']}; files on {machine['tmpfs']} and {machine['disk']}; load average {machine['load_average']} at the end; "
            f"{results['seconds']:.0f} s in all{', with fewer repeats (--quick)' if results['mode'] == 'quick' else ''}")


# Tables

def write_curves(results, stream):
    if not results['curves']:
        return
    stream.write('| what | over | from | to | time there | time here | exponent | goal |\n'
                 '| --- | --- | ---: | ---: | ---: | ---: | ---: | --- |\n')
    for curve in results['curves']:
        binary = 'bytes' in curve['x_label']
        first, last = curve['points'][0], curve['points'][-1]
        goal = f"≤ {curve['goal']:.2f}, {'met' if curve['goal_met'] else '**missed**'}" if 'goal' in curve else ''
        stream.write(f"| {curve['title']} | {curve['x_label'].split(',')[0]} | {number_text(first['x'], binary)} | "
                     f"{number_text(last['x'], binary)} | {time_text(first['ns_per_op']['median'])} | "
                     f"{time_text(last['ns_per_op']['median'])} | {exponent_text(curve['exponent'])} | {goal} |\n")


def write_table(results, stream):
    """Everything: a row a side."""
    stream.write(f'Measured with {machine_text(results)}.\n\n'
                 'A ratio is that of two neighbouring turns of one run: of times where less is better (goal ≤), of rates where more is '
                 '(goal ≥). Between the two figures of “95 %” the median lies as far as turns differ by chance. “Best” is the ratio of the best turn '
                 'of each.\n\n'
                 '| case | side | time | ratio: median | 95 % | min | best | goal |\n| --- | --- | ---: | ---: | ---: | ---: | ---: | --- |\n')
    for case in results['cases']:
        if 'skipped' in case:
            stream.write(f"| {case['case']} | skipped: {cell(case['skipped'])} | | | | | | |\n")
            continue
        for i, side in enumerate(case['sides']):
            name = f"**{case['title']}** (`{case['case']}`)" if i == 0 else ''
            label = cell(side['label']) if side['role'] != 'libmmio' else f"**{cell(side['label'])}**"
            if 'skipped' in side:
                stream.write(f"| {name} | {label} | skipped: {cell(side['skipped'])} | | | | | |\n")
                continue
            time = time_text(side['ns_per_op']['median'])
            if i == 0:
                stream.write(f'| {name} | {label} | {time} | 1 | | 1 | 1 | |\n')
            else:
                verdict = verdict_text(case) if side['role'] == 'libmmio' else ''
                stream.write(f"| {name} | {label} | {time} | {side['ratio']['median']:.2f} | {interval_text(side['ratio'])} | {side['ratio']['min']:.2f} | "
                             f"{side['ratio_of_best']:.2f} | {verdict} |\n")
    if results['curves']:
        stream.write('\nTime over size or number, and the exponent of time = c · x^exponent: 0 is constant.\n\n')
    write_curves(results, stream)


def write_promises(results, stream):
    by_name = {case['case']: case for case in results['cases']}
    stream.write('| what | beside | goal | got: median | 95 % | min |\n| --- | --- | --- | ---: | ---: | ---: |\n')
    for title, name, beside in PROMISES:
        case = by_name.get(name)
        if case is None or 'skipped' in case:
            why = 'not measured' if case is None else f"skipped: {cell(case['skipped'])}"
            stream.write(f'| {title} | {beside} | | {why} | | |\n')
            continue
        ratio = case['sides'][1]['ratio']
        got = f"{ratio['median']:.2f}" if is_met(case) else f"**{ratio['median']:.2f}, missed**"
        stream.write(f"| {title} (`{name}`) | {beside} | {goal_text(case)} | {got} | {interval_text(ratio)} | {ratio['min']:.2f} |\n")


def write_group(cases, stream):
    """A row a case."""
    stream.write('| what | floor | libmmio | ratio: median (min) | goal | peers, their ratio |\n'
                 '| --- | --- | --- | --- | --- | --- |\n')
    for case in cases:
        if 'skipped' in case:
            stream.write(f"| `{case['case']}` | skipped: {cell(case['skipped'])} | | | | |\n")
            continue
        floor, ours, *peers = case['sides']
        rate = ' (rate: more is better)' if case['measure'] == 'rate' and 'rate' not in case['title'] else ''
        others = '; '.join(f"{cell(peer['label'])} {ratio_text(peer['ratio']['median'])}" if 'skipped' not in peer
                           else f"{cell(peer['label'])}: skipped, {cell(peer['skipped'])}" for peer in peers)
        stream.write(f"| {case['title']}{rate} (`{case['case']}`) | {floor['label']}, {time_text(floor['ns_per_op']['median'])} | "
                     f"{ours['label']}, {time_text(ours['ns_per_op']['median'])} | "
                     f"**{ratio_text(ours['ratio']['median'])}** ({ratio_text(ours['ratio']['min'])}) | {verdict_text(case)} | {others} |\n")


def write_page(results, stream):
    repeats = [case['repeats'] for case in results['cases'] if 'repeats' in case]
    stream.write(f"""Title: Performance

# Performance

What a call costs, as the ratio to what has to be done anyway: a `memcpy` with a bounds check, the system calls alone. This page was
written by `make bench-docs`, which measures everything on it in one run.

Measured with {machine_text(results)}.

## What has to hold

A ratio of times where the goal is at most (≤), of rates where it is at least (≥). It is held to the median. Between the two figures of “95 %”
the median lies as far as turns differ by chance; from one run to the next it may move by more, where the machine does other things in each.

""")
    write_promises(results, stream)
    stream.write(f"""
## Beside the floor and others

All sides of a case take turns for about a millisecond each, {min(repeats, default=0)} to {max(repeats, default=0)} times, and each \
turn is set against the floor's turn
beside it, in an order that changes from round to round. What disturbs the machine disturbs neighbours alike. Each figure is a median over all turns, in brackets the least ratio.

![Time as a multiple of the floor's, on a logarithmic axis: a dot a case for libmmio, rings for its peers](performance-ratios.svg)
""")
    for title, cases in groups(results['cases']):
        stream.write(f'\n### {title}\n\n')
        write_group(cases, stream)
    stream.write("""
## What is constant

The exponent is that of time = c · x^exponent, fitted to the medians: 0 is constant, 1 is proportional, -1 is n times
the rate of one. Files of any size are sparse.

""")
    write_curves(results, stream)
    stream.write("""
![Time over size or number, a small plot a curve, both axes logarithmic](performance-scale.svg)

## How to repeat it

    ./bootstrap check
    make -C build bench-docs

measures all of it in about ten minutes and writes this page; `make bench` leaves the page alone and writes the same to `bench/`, with a row a side and as JSON;
`make bench-quick` takes less than three minutes. The peers are optional and say SKIP where they are not installed. On Debian, all of them:

    apt install g++ libboost-dev liblmdb-dev inotify-tools python3-watchdog python3-numpy python3-gi gjs valac

Processors that other machines share make times vary by a half, and ratios by a tenth or so: run it twice before you believe a small
difference. `make bench-check` counts instructions instead, which nothing else on the machine moves; CI fails where a call has more than
5 % more of them than `benchmarks/instructions.txt` says. `benchmarks/README.md` tells how to add a program of your own to the turns,
and why no framework for benchmarks in Debian fits.
""")


# Plots

def svg_open(stream, width, height, title):
    at_night = ''.join(f'[fill="{day}"] {{ fill: {night} }} [stroke="{day}"] {{ stroke: {night} }} ' for day, night in AT_NIGHT.items())
    stream.write(f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
                 f'{FONT} fill="{DARK}">\n<title>{escape(title)}</title>\n'
                 f'<style>@media (prefers-color-scheme: dark) {{ {at_night}}}</style>\n'
                 f'<rect width="100%" height="100%" fill="{WHITE}"/>\n')


def text(stream, x, y, content, anchor='start', extra=''):
    stream.write(f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" {extra}>{escape(content)}</text>\n')


def line(stream, x1, y1, x2, y2, colour, extra=''):
    stream.write(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" {extra}/>\n')


def dot(stream, x, y, radius, title, **style):
    attributes = ' '.join(f'{name.replace("_", "-")}="{value}"' for name, value in style.items())
    stream.write(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" {attributes}><title>{escape(title)}</title></circle>\n')


def peer_colour(label):
    return next(colour for _, colour, beginnings in PEERS if label.startswith(beginnings))


def plot_ratios(results, stream):
    """A row a case: the floor is the line at 1, libmmio a full dot, peers rings, a bar the goal. Rates are shown as times."""
    parts = [(title, [case for case in cases if 'skipped' not in case]) for title, cases in groups(results['cases'])]
    parts = [(title, cases) for title, cases in parts if cases]
    row, gap, top, left, span = 20, 30, 136, 200, 450
    rows = sum(len(cases) for _, cases in parts)
    width, height = left + span + 200, top + row * rows + gap * len(parts) + 56
    low, high = -2, 3

    def place(ratio):
        exponent = min(max(math.log10(max(ratio, 1e-9)), low), high)
        return left + span * (exponent - low) / (high - low)

    def as_time(case, ratio):
        return ratio if case['measure'] == 'time' else 1 / max(ratio, 1e-9)

    svg_open(stream, width, height, 'libmmio beside its floor')
    text(stream, 16, 26, "Time as a multiple of the floor's, in the same run", extra='font-size="16" font-weight="bold"')
    text(stream, 16, 46, 'Further left is faster; the line at 1 is the floor. Medians. Opened by itself it says of each dot who and how much.', extra=f'fill="{GREY}"')
    x = 16
    dot(stream, x + 6, 66, 5, 'libmmio', fill=BLUE)
    text(stream, x + 16, 70, 'libmmio')
    x += 80
    line(stream, x, 58, x, 74, RED, 'stroke-width="3"')
    text(stream, x + 8, 70, 'goal: no more than')
    x = 16
    for label, colour, _ in PEERS:
        dot(stream, x + 6, 88, 4, label, fill=WHITE, stroke=colour, stroke_width=2)
        text(stream, x + 16, 92, label)
        x += 30 + 6.6 * len(label)

    def write_axis(y, title_y):
        for exponent in range(low, high + 1):
            label = f'{10 ** exponent:g}'
            text(stream, place(10 ** exponent), y, f'≤ {label}' if exponent == low else f'≥ {label}' if exponent == high else label, 'middle')
        text(stream, left + span / 2, title_y, "time / the floor's time", 'middle', f'font-size="11" fill="{GREY}"')

    write_axis(top - 4, top - 20)
    y = top
    for title, cases in parts:
        text(stream, 16, y + 16, title, extra='font-weight="bold"')
        y += gap - 6
        bottom = y + row * len(cases)
        for exponent in range(low, high + 1):
            line(stream, place(10 ** exponent), y, place(10 ** exponent), bottom, LIGHT if exponent else DARK)
        for case in cases:
            middle = y + row / 2
            text(stream, left - 12, middle + 4, case['case'], 'end')
            if 'goal' in case:
                at = place(as_time(case, case['goal']))
                line(stream, at, middle - 8, at, middle + 8, RED, 'stroke-width="3"')
            ours = case['sides'][1]
            for peer in measured(case['sides'][2:]):
                ratio = as_time(case, peer['ratio']['median'])
                dot(stream, place(ratio), middle, 4, f"{peer['label']}: {ratio_text(ratio)}", fill=WHITE,
                    stroke=peer_colour(peer['label']), stroke_width=2)
            ratio = as_time(case, ours['ratio']['median'])
            dot(stream, place(ratio), middle, 5, f"{ours['label']}: {ratio_text(ratio)}", fill=BLUE)
            missed = 'goal' in case and not is_met(case)
            figures = f"{ratio_text(ratio)}  ({time_text(ours['ns_per_op']['median'])})"
            if 'goal' in case:
                figures += f"{', not' if missed else ','} ≤ {as_time(case, case['goal']):.2f}"
            text(stream, left + span + 12, middle + 4, figures, extra=f'fill="{RED}"' if missed else '')
            y += row
        y += 6
    write_axis(y + 14, y + 30)
    stream.write('</svg>\n')


def short_number(x, binary):
    step, units = (1024, ('', 'Ki', 'Mi', 'Gi', 'Ti')) if binary else (1000, ('', 'k', 'M', 'G'))
    for unit in units:
        if x < step or unit == units[-1]:
            return f'{x:g}{unit}'
        x /= step


def wrap(words, limit):
    lines = ['']
    for word in words.split():
        if len(lines[-1]) + len(word) > limit:
            lines.append('')
        lines[-1] = f'{lines[-1]} {word}'.strip()
    return lines


def plot_scale(results, stream):
    """A small plot a curve: both axes logarithmic, at least two decades of time, so that what is constant looks it."""
    curves = results['curves']
    columns, plot_width, plot_height, head = 2, 360, 232, 56
    count = (len(curves) + columns - 1) // columns
    svg_open(stream, columns * plot_width + 10, count * plot_height + head, 'How time grows')
    text(stream, 16, 26, 'Time over size or number', extra='font-size="16" font-weight="bold"')
    text(stream, 16, 46, 'Upwards: the time that one takes. Both axes logarithmic. Exponents: 0 is constant, 1 proportional, -1 n times the rate.', extra=f'fill="{GREY}"')
    for i, curve in enumerate(curves):
        left, top = (i % columns) * plot_width + 64, head + (i // columns) * plot_height + 54
        width, height = plot_width - 80, plot_height - 108
        xs = [math.log10(point['x']) for point in curve['points']]
        ys = [math.log10(point['ns_per_op']['median']) for point in curve['points']]
        x_low, x_high = min(xs), max(max(xs), min(xs) + 0.1)
        middle = (min(ys) + max(ys)) / 2
        y_low, y_high = math.floor(min(middle - 1, min(ys))), math.ceil(max(middle + 1, max(ys)))

        def place(x, y):
            return (left + width * (x - x_low) / (x_high - x_low), top + height * (1 - (y - y_low) / (y_high - y_low)))

        title = wrap(curve['title'], 50)
        for k, words in enumerate(title):
            text(stream, left - 46, top - 38 + 14 * k, words, extra='font-weight="bold" font-size="11"')
        missed = 'goal' in curve and not curve['goal_met']
        text(stream, left + width, top - 8, f"exponent {exponent_text(curve['exponent'])}", 'end', f'fill="{RED if missed else BLUE}" font-size="11"')
        for exponent in range(y_low, y_high + 1):
            y = place(x_low, exponent)[1]
            line(stream, left, y, left + width, y, LIGHT)
            text(stream, left - 6, y + 4, time_text(10 ** exponent), 'end', 'font-size="10"')
        line(stream, left, top + height, left + width, top + height, GREY)
        points = [place(x, y) for x, y in zip(xs, ys)]
        stream.write(f'<polyline fill="none" stroke="{BLUE}" stroke-width="2" points="'
                     + ' '.join(f'{x:.1f},{y:.1f}' for x, y in points) + '"/>\n')
        binary = 'bytes' in curve['x_label']
        for (x, y), point in zip(points, curve['points']):
            dot(stream, x, y, 3.5, f"{number_text(point['x'], binary)}: {time_text(point['ns_per_op']['median'])}", fill=BLUE)
            text(stream, x, top + height + 15, short_number(point['x'], binary), 'middle', 'font-size="10"')
        text(stream, left + width / 2, top + height + 31, curve['x_label'], 'middle', f'font-size="11" fill="{GREY}"')
    stream.write('</svg>\n')


def main():
    parser = argparse.ArgumentParser(description='Writes what was measured as a table and plots')
    commands = parser.add_subparsers(dest='command', required=True)
    take = commands.add_parser('take', help='look at figures from elsewhere, and keep them in FOLDER')
    take.add_argument('external', metavar='EXTERNAL', help='a file, or a command')
    take.add_argument('folder', metavar='FOLDER')
    write = commands.add_parser('write', help='write the table and the plots, with what was taken')
    write.add_argument('--page', metavar='DOCS', help='write DOCS/performance.md and its plots as well')
    write.add_argument('results', metavar='RESULTS')
    write.add_argument('folder', metavar='FOLDER')
    arguments = parser.parse_args()

    if arguments.command == 'take':
        try:
            take_external(arguments.external, arguments.folder)
        except ValueError as error:
            print(f'EXTERNAL={arguments.external}: {error}', file=sys.stderr)
            return 2
        return 0

    with open(arguments.results, encoding='utf-8') as stream:
        results = json.load(stream)
    if arguments.page and results['only'] is not None:
        print(f"of the cases {results['only']}… alone no page is made: measure all of them", file=sys.stderr)
        return 2
    if os.path.exists(f'{arguments.folder}/external.json'):
        with open(f'{arguments.folder}/external.json', encoding='utf-8') as stream:
            add_external(json.load(stream), results['cases'])

    outputs = [(f'{arguments.folder}/{name}', write_to)
               for name, write_to in (('results.md', write_table), ('ratios.svg', plot_ratios), ('scale.svg', plot_scale))]
    if arguments.page:
        outputs += [(f'{arguments.page}/performance{name}', write_to)
                    for name, write_to in (('.md', write_page), ('-ratios.svg', plot_ratios), ('-scale.svg', plot_scale))]
    for path, write_to in outputs:
        with open(path, 'w', encoding='utf-8') as stream:
            write_to(results, stream)
        print('written to', os.path.abspath(path))
    return 0


if __name__ == '__main__':
    sys.exit(main())
