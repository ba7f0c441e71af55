# SPDX-License-Identifier: MIT
"""The results as tables."""
import os
import platform

WORLDS = {'': 'no server', 'socket': 'local socket', 'tcp': 'TCP, SCRAM',
          'far': 'TCP, SCRAM, a round trip takes %g ms'}


def number(value, digits=3):
    """To so many significant digits, and never in the form 1e+03."""
    if value >= 10 ** (digits - 1):
        return '{:,.0f}'.format(value)
    return '%.*g' % (digits, value)


def row(r):
    if 'ratio' not in r:
        return '| %s | failed: %s | | | | |' % (
            r['peer'], r.get('failed', 'some of its turns').replace('|', '/'))
    ratio = '1' if r['peer'] == 'mizzle' else '**%s** (%s to %s)' % (
        number(r['ratio']), number(r['ratio_low']), number(r['ratio_high']))
    trips = '%d' % r['round_trips'] if 'round_trips' in r else ''
    if r.get('connections', 1) > 1:
        trips += ' (%d connections)' % r['connections']
    return '| %s | %s | %s | %s | %s | %s |' % (
        r['peer'], ratio, number(r['ms']), number(r['cpu_ms']),
        number(r['rss_kb'] / 1024), trips)


def table(report, work, world):
    rows = [r for r in report['results']
            if (r['work'], r['world']) == (work, world)]
    if not rows:
        return []
    title = report['works'][work]
    if work == 'real':
        title += ', ' + report['real']
    where = WORLDS[world]
    return ['', '### %s: %s' % (title[0].upper() + title[1:], where % (
        report['rtt_ms']) if '%' in where else where), '',
        '| | times as long as mizzle (quartiles) | ms | CPU ms | MiB | '
        'round trips |', '|---|---|--:|--:|--:|--:|', *map(row, rows)]


def machine():
    with open('/proc/cpuinfo') as f:
        models = [line.split(':')[1].strip() for line in f
                  if line.startswith('model name')]
    return '%d × %s, %s %s' % (os.cpu_count(), models[0] if models else '?',
                               platform.system(), platform.release())


def markdown(report):
    versions = ['%s %s' % v for v in report['versions'].items()]
    lines = ['%d turns each, on %s, against PostgreSQL %s in memory, without '
             'fsync: %s.' % (report['runs'], machine(), report['server'],
                             '; '.join(versions))]
    if report['absent']:
        lines.append('Not installed, and left out: %s.'
                     % ', '.join(report['absent']))
    for work in report['works']:
        for world in WORLDS:
            lines += table(report, work, world)
    return '\n'.join(lines) + '\n'
