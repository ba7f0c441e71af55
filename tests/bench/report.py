# SPDX-License-Identifier: MIT
"""The results as tables."""
import os
import platform

from stats import growth

BEGIN = '<!-- make bench writes from here -->\n'
END = '<!-- to here -->\n'
UNITS = {'ms': ('time', 1000, 'µs'), 'cpu_ms': ('CPU time', 1000, 'µs'),
         'rss_kb': ('memory', 1, 'KiB')}


def number(value, digits=3):
    """To so many significant digits, and never in the form 1e+03."""
    if abs(value) >= 10 ** (digits - 1):
        return '{:,.0f}'.format(value)
    text = '%.*g' % (digits, value)
    return '%.6f' % value if 'e' in text else text


def spread(three):
    low, middle, high = map(number, three)
    return '**%s**' % middle if low == high else '**%s** (%s to %s)' % (
        middle, low, high)


# ---- a work in a world

def trips(r):
    if 'round_trips' not in r:
        return ''
    return '%d' % r['round_trips'] + (
        ' (%d connections)' % r['connections']
        if r.get('connections', 1) > 1 else '')


def traffic(r):
    return '%s + %s' % (number(r['bytes_up']), number(r['bytes_down'])) \
        if 'bytes_up' in r else ''


def told(key, scale=1):
    return lambda r: number(r[key] / scale) if r.get(key) is not None else ''


COLUMNS = (('ms', told('ms'), 'ms'), ('CPU ms', told('cpu_ms'), 'cpu_ms'),
           ('MiB', told('rss_kb', 1024), 'rss_kb'),
           ('round trips', trips, 'round_trips'),
           ('bytes up + down', traffic, 'bytes_up'),
           ('instructions, millions', told('instructions', 1e6),
            'instructions'))


def first_cell(r):
    if 'failed' in r:
        return 'failed: ' + r['failed'].replace('|', '/')
    return '1' if r['peer'] == 'mizzle' else spread(r['ratio']) \
        if 'ratio' in r else ''


def heading(report, work, world, rows):
    name, where = report['works'][work], report['worlds'][world]
    turns = max(len(r['runs']) for r in rows)
    fewer = '' if turns >= report['runs'] else \
        ' (%d turn%s)' % (turns, 's' * (turns > 1))
    return ['', '### %s: %s%s' % (name[0].upper() + name[1:], where, fewer), '']


def table(report, work, world):
    rows = [r for r in report['results']
            if (r['work'], r['world']) == (work, world)]
    if not rows:
        return []
    columns = [c for c in COLUMNS if any(c[2] in r for r in rows)]
    ratio = any('ratio' in r for r in rows)
    head = ['times as long as mizzle (quartiles)'] * ratio + [
        c[0] for c in columns]
    lines = heading(report, work, world, rows) + [
        '| | %s |' % ' | '.join(head),
        '|---|' + '---|' * ratio + '--:|' * len(columns)]
    for r in rows:
        cells = [first_cell(r)] * (ratio or 'failed' in r) + [
            c[1](r) for c in columns]
        lines.append('| %s | %s |' % (r['peer'], ' | '.join(
            cells[:len(head)])))
    return lines + (grown(rows) if work in report['grows'] else [])


def grown(rows):
    """What one more costs."""
    rows = {r['peer']: r['runs'] for r in rows if 'failed' not in r}
    unit = next(iter(rows), '').partition(' ')[2].rstrip('s')
    lines = ['']
    for key, (what, scale, of) in UNITS.items():
        found = growth(rows, key)
        if found:
            lines.append('- %s: %s %s a %s; the last step %s times the first'
                         % (what, spread([scale * v for v in found['slope']]),
                            of, unit, spread(found['bend'])))
    return lines


# ---- targets

def targets(report):
    if not report['targets']:
        return []
    lines = ['', '### What is wanted, and whether it is so', '',
             '| work | mizzle | wanted | measured (quartiles) | |',
             '|---|---|--:|---|---|']
    for t in report['targets']:
        lines.append('| %s | %s | %s %s | %s | %s |' % (
            t['work'], t['what'], t['sign'], number(t['bound']),
            spread(t['found']) if t['found'] else 'not measured',
            '' if t['met'] is None else 'met' if t['met'] else '**not met**'))
    return lines


# ---- all

def machine():
    with open('/proc/cpuinfo') as f:
        models = [line.split(':')[1].strip() for line in f
                  if line.startswith('model name')]
    return '%d × %s, %s %s, a load of %.1f at the end' % (
        os.cpu_count(), models[0] if models else '?', platform.system(),
        platform.release(), os.getloadavg()[0])


def preface(report):
    versions = ['%s %s' % v for v in report['versions'].items()]
    build = report['build']
    kind = 'static, as it is released' \
        if '--enable-static-binary' in build['configured'] \
        else '**not the static one that is released**'
    lines = ['%d turns each, where no other number is told, on %s, against '
             'PostgreSQL %s in memory, without fsync: %s.' % (
                 report['runs'], report['machine'], report['server'],
                 '; '.join(versions)),
             'The mizzle is %s (`configure %s`, %.1f MB).' % (
                 kind, build['configured'], build['bytes'] / 1e6)]
    if report['sizes']:
        lines.append('**Other sizes than what is wanted is about**: %s.'
                     % ', '.join('%s %s' % s for s in report['sizes'].items()))
    if report['absent']:
        lines.append('Not installed, and left out: %s.'
                     % ', '.join(report['absent']))
    return lines


def markdown(report):
    lines = preface(report) + targets(report)
    for work in report['works']:
        for world in report['worlds']:
            lines += table(report, work, world)
    return '\n'.join(lines) + '\n'


def insert(path, text):
    """Between the two markers of the file."""
    with open(path, encoding='utf-8') as f:
        before, begin, rest = f.read().partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit('%s: no markers: %s%s' % (path, BEGIN, END))
    with open(path, 'w', encoding='utf-8') as f:
        f.write(before + BEGIN + text + END + after)
