# SPDX-License-Identifier: MIT
"""What is wanted of mizzle, and whether it is so.

A target has a work, what is measured of it, a bound, and what the rows of the
results say: a list with a number for each turn, or nothing.
"""
from stats import bend, paired, points, quartiles, ratios, slope

PSQL, TRUE = "psql -c 'select 1'", 'a static `true`'
ALONE = 'the server alone, one message'
HASH = 'SHA-256 of the files alone'
ALL = 'mizzle --transaction all'
MODES = (('mizzle', ''), (ALL, ', `all`'))


class Rows:
    """The runs of the results, by work, world and peer."""

    def __init__(self, results):
        self.known = {(r['work'], r['world'], r['peer']): r for r in results}

    def row(self, *key):
        return self.known.get(key, {})

    def runs(self, *key):
        row = self.row(*key)
        return [] if 'failed' in row else row.get('runs', [])

    def sizes(self, work, world):
        return {p: self.runs(w, l, p) for w, l, p in self.known
                if (w, l) == (work, world)}


def ratio(work, world, one, other, key='ms'):
    return lambda rows: ratios(rows.runs(work, world, one),
                               rows.runs(work, world, other), key)


def less(work, world, one, other, key, unit=1):
    return lambda rows: paired(lambda a, b: (a - b) / unit,
                               rows.runs(work, world, one),
                               rows.runs(work, world, other), key)


def memory(work, world, peer='mizzle'):
    return lambda rows: [r['rss_kb'] / 1024
                         for r in rows.runs(work, world, peer)]


def trips(work, world, peer='mizzle'):
    """Without that of connecting, which is TCP's."""
    def found(rows):
        row = rows.row(work, world, peer)
        return 'round_trips' in row and [row['round_trips'] - 1]
    return found


def grown(what, work, key, unit=1):
    return lambda rows: [unit * what(p) for p in points(
        rows.sizes(work, 'tcp'), key)]


def nothing_to_do():
    of = 'nothing to do, 100 applied, TCP, SCRAM'
    tls = 'the same over TLS 1.3, verify-full, 140 roots'
    at = ('noop100', 'tcp', 'mizzle')
    over = ('noop100', 'tls', 'mizzle')
    return [
        (of, "/ `psql -c 'select 1'`", '≤', 0.35, ratio(*at, PSQL)),
        (of, '/ dbmate', '≤', 0.18, ratio(*at, 'dbmate')),
        (of, '/ drizzle-orm (pg)', '≤', 0.025, ratio(*at, 'drizzle-orm (pg)')),
        (of, '/ drizzle-orm (postgres.js)', '≤', 0.025,
         ratio(*at, 'drizzle-orm (postgres.js)')),
        (of, "CPU beyond the files' SHA-256, ms", '≤', 2,
         less(*at, HASH, 'cpu_ms')),
        (of, 'most memory, MiB', '≤', 4, memory('noop100', 'tcp')),
        (tls, "/ `psql -c 'select 1'`", '≤', 0.6, ratio(*over, PSQL)),
        (tls, 'round trips after connecting', '≤', 6,
         trips('noop100', 'tls')),
        (tls, 'the same, direct TLS', '≤', 5,
         trips('direct', 'tls', 'mizzle, direct TLS')),
        (tls, 'most memory, MiB', '≤', 7, memory('noop100', 'tls'))]


def first_runs():
    of = '100 migrations, 300 statements, local socket'
    far = 'the same, a round trip takes 20 ms'
    found = []
    for peer, mode in MODES:
        at, away = ('first', 'socket', peer), ('firstfar', 'tcp20', peer)
        found += [
            (of + mode, '/ the server alone, one message', '≤',
             1.25 if mode else 1.5, ratio(*at, ALONE)),
            (of + mode, '/ dbmate', '≤', 0.7, ratio(*at, 'dbmate')),
            (of + mode, '/ `psql`, one process', '≤', 0.95,
             ratio(*at, 'psql')),
            (far + mode, 'beyond 0 ms, round trips', '≤', 9,
             less(*away, peer + ', near', 'ms', 20)),
            (far + mode, 'dbmate / mizzle', '≥', 40, ratio(
                'firstfar', 'tcp20', 'dbmate', peer)),
            (far + mode, '`psql` / mizzle', '≥', 15, ratio(
                'firstfar', 'tcp20', 'psql', peer))]
    return sorted(found, key=lambda t: (ALL[7:] in t[0], t[0].startswith(far)))


def large_ones():
    found = [('10,000 files, nothing pending', 'CPU / `sha256sum` of them', '≤',
              1.5, ratio('asked', 'tcp', 'mizzle', 'sha256sum', 'cpu_ms'))]
    for peer in ('mizzle exec', 'mizzle'):
        of = 'a seed file of 50 MB, ' + (
            '`exec`' if peer != 'mizzle' else 'as a migration')
        at = ('seed', 'tcp', peer, 'psql -f')
        found += [(of, '/ `psql -f`', '≤', 0.9, ratio(*at)),
                  (of, 'CPU / `psql -f`', '≤', 0.35, ratio(*at, 'cpu_ms')),
                  (of, 'most memory / `psql -f`', '≤', 1.0,
                   ratio(*at, 'rss_kb'))]
    of = '500 databases × 20 migrations, `xargs -P4`'
    return found + [
        (of, '/ dbmate', '≤', 0.55,
         ratio('fleet', 'tcp', 'mizzle', 'dbmate')),
        (of + ', again', "/ `psql -c 'select 1'`", '≤', 0.45,
         ratio('fleetagain', 'tcp', 'mizzle', PSQL))]


def growths():
    """A line's last step may be a quarter steeper than its first: that is how
    straight it can be seen to be."""
    return [
        ('growth: nothing to do', 'µs a file', '≤', 12,
         grown(slope, 'grow', 'ms', 1000)),
        ('growth: nothing to do', 'CPU: last step / first', '≤', 1.25,
         grown(bend, 'grow', 'cpu_ms')),
        ('growth: a first run', 'last step / first', '≤', 1.25,
         grown(bend, 'growapply', 'ms')),
        ('growth: a first run, `all`', 'last step / first', '≤', 1.25,
         grown(bend, 'growall', 'ms')),
        ('growth: a first run', 'memory, KiB a migration', '≤', 1,
         grown(slope, 'growapply', 'rss_kb')),
        ('growth: one file', 'memory, KiB a MB', '≤', 5,
         grown(slope, 'growfile', 'rss_kb'))]


def targets():
    return [('start-up: `--version`', '/ a static `true`', '≤', 1.5,
             ratio('start', '', 'mizzle', TRUE)),
            *nothing_to_do(), *first_runs(), *large_ones(), *growths()]


def judged(results):
    """[{'work', 'what', 'sign', 'bound', 'found', 'met'}]; found are quartiles,
    and both are None where it was not measured."""
    rows, said = Rows(results), []
    for work, what, sign, bound, values in targets():
        found = values(rows)
        found = quartiles(found) if found else None
        met = found and (found[1] <= bound if sign == '≤'
                         else found[1] >= bound)
        said.append({'work': work, 'what': what, 'sign': sign, 'bound': bound,
                     'found': found, 'met': met})
    return said
