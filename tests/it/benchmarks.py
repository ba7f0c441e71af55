# SPDX-License-Identifier: MIT
"""What make bench makes of its numbers.  Nothing is timed here."""
import os
import re
import sys

from harness import HERE, Server, check, newdir, verdict, write

sys.path.insert(0, os.path.join(os.path.dirname(HERE), 'bench'))
from folders import folder, one_file
from limits import demanded, in_one_message, server_alone
from report import BEGIN, END, insert, markdown, number
from stats import (bend, growth, medians, points, quartiles, ratios, slope,
                   take_turns)
from targets import ALONE, HASH, PSQL, TRUE, judged, targets
from worlds import Place, title
import works


def raises(call, *args):
    try:
        call(*args)
    except SystemExit as e:
        return str(e)
    return None


# ---- turns

order = []


def player(name, fails_at=None):
    def turn():
        order.append(name)
        n = order.count(name)
        return {'failed': 'no'} if n == fails_at else {'ms': n}
    return turn


got = take_turns({n: player(n) for n in 'abc'}, 2)
check('the order moves on by one', 'abcbcacab', ''.join(order))
check('the first turn is not counted', [{'ms': 2}, {'ms': 3}], got['a'])
order = []
got = take_turns({n: player(n) for n in 'ab'}, 1, 0)
check('... unless it is to be', [{'ms': 1}], got['b'])
order = []
got = take_turns({'a': player('a', 1), 'b': player('b')}, 3)
check('who fails does not go on', 'abbbb', ''.join(order))
check('... and it is told', [{'failed': 'no'}], got['a'])

# ---- numbers

check('quartiles', [2, 3, 4], quartiles([5, 1, 4, 2, 3]))
check('quartiles of one number', [7, 7, 7], quartiles([7]))
check('medians are of what all have', {'ms': 2},
      medians([{'ms': 1, 'x': 1}, {'ms': 2}, {'ms': 9, 'x': 3}]))
runs = [{'ms': 2}, {'ms': 6}]
check('ratios are of the same turn', [2, 0.5],
      ratios(runs, [{'ms': 1}, {'ms': 12}]))
check('no ratio where one has not taken part', None,
      ratios(runs, [{'ms': 1}]))
check('... nor of what was not measured', None, ratios(runs, runs, 'cpu_ms'))
check('... nor of nobody', None, ratios([], []))
line = [(10, 25), (100, 205), (1000, 2005)]
check('a slope', 2.0, slope(line))
check('a straight line does not bend', True, abs(bend(line) - 1) < 0.01)
check('a square one does', True,
      bend([(n, n * n) for n in (1, 10, 100)]) > 9)
rows = {'1,000 files': [{'ms': 30}, {'ms': 31}],
        '10 files': [{'ms': 10}, {'ms': 11}],
        '100 files': [{'ms': 12}, {'ms': 13}]}
check('points, by size and turn',
      [[(10, 10), (100, 12), (1000, 30)], [(10, 11), (100, 13), (1000, 31)]],
      points(rows, 'ms'))
check('two points are no line', {},
      growth({k: rows[k] for k in ('10 files', '100 files')}, 'ms'))
for value, text in ((0.123456, '0.123'), (12.34, '12.3'), (1234.5, '1,234'),
                    (99.96, '100'), (0.00001, '0.000010'), (-0.5, '-0.5')):
    check('the number %r' % value, text, number(value))

# ---- targets


def result(work, world, peer, runs, **more):
    return {'work': work, 'world': world, 'peer': peer, 'runs': runs, **more}


def said(results, work, what):
    found = [(t['found'], t['met']) for t in judged(results)
             if t['work'] == work and t['what'] == what]
    return found[0] if len(found) == 1 else found


start = 'start-up: `--version`', '/ a static `true`'
check('what was not measured is neither met nor missed', (None, None),
      said([], *start))
for mine, met in ((3, True), (3.02, False)):
    check('%g to 2 is wanted to be 1.5 at most' % mine,
          ([mine / 2] * 3, met), said([
              result('start', '', 'mizzle', [{'ms': mine}]),
              result('start', '', TRUE, [{'ms': 2}])], *start))
check('who failed was not measured', (None, None), said([
    result('start', '', 'mizzle', [{'failed': 'no'}], failed='no'),
    result('start', '', TRUE, [{'ms': 2}])], *start))
far = 'the same, a round trip takes 20 ms'
for peer, mode in (('mizzle', ''), ('mizzle --transaction all', ', `all`')):
    results = [result('firstfar', 'tcp20', peer, [{'ms': 300}]),
               result('firstfar', 'tcp20', peer + ', near', [{'ms': 100}]),
               result('firstfar', 'tcp20', 'dbmate', [{'ms': 12000}])]
    check('ten round trips more are too many' + mode, ([10] * 3, False),
          said(results, far + mode, 'beyond 0 ms, round trips'))
    check('forty times are enough' + mode, ([40] * 3, True),
          said(results, far + mode, 'dbmate / mizzle'))
check('round trips are those after connecting', ([6] * 3, True), said(
    [result('noop100', 'tls', 'mizzle', [], round_trips=7)],
    'the same over TLS 1.3, verify-full, 140 roots',
    'round trips after connecting'))
check('growth is by one file more', 12, round(said([
    result('grow', 'tcp', '%d migrations' % n, [{'ms': 5 + n * 0.012}])
    for n in (100, 1000, 5000)], 'growth: nothing to do',
    'µs a file')[0][1]))
names = [t[:2] for t in targets()]
check('no target is there twice', len(names), len(set(names)))
check('each has a sign', set('≤≥'), {t[2] for t in targets()})

# ---- the report

report = {
    'runs': 9, 'machine': 'a machine', 'versions': {'mizzle': '1'},
    'server': '15', 'absent': ['dbmate'], 'grows': [],
    'sizes': {'seed': 2},
    'build': {'configured': '--enable-static-binary', 'bytes': 5e6},
    'works': {'start': 'start-up'}, 'worlds': {'': 'no server'},
    'targets': judged([]), 'results': [
        result('start', '', 'mizzle', [{'ms': 1}], ms=1, ratio=[1, 1, 1]),
        result('start', '', 'psql', [{'ms': 3}], ms=3, ratio=[2, 3, 4]),
        result('start', '', 'x', [], failed='a | b')]}
text = markdown(report)
for what, pattern in (
        ('it says which build it was', r'static, as it is released'),
        ('... and who is absent', r'left out: dbmate'),
        ('... and what was smaller', r'Other sizes .*: seed 2\.'),
        ('... and that there were fewer turns', r'### Start-up: no server '
         r'\(1 turn\)\n'),
        ('a row has the ratio and its spread',
         r'\n\| psql \| \*\*3\*\* \(2 to 4\) \| 3 \|\n'),
        ('a failure is a row', r'\n\| x \| failed: a / b \| *\|\n'),
        ('a target that was not measured says so', r'not measured')):
    check(what, re.compile(pattern), text)
report['build']['configured'] = ''
check('another build than the static one is told', re.compile(
    r'not the static one'), markdown(report))
place = write(newdir('docs') + '/b.md', 'a\n' + BEGIN + 'old\n' + END + 'z\n')
insert(place, 'new\n')
with open(place, encoding='utf-8') as f:
    check('the tables stand between the markers',
          'a\n' + BEGIN + 'new\n' + END + 'z\n', f.read())
check('a file without markers is left alone', re.compile('no markers'),
      raises(insert, write(newdir('docs') + '/c.md', 'x\n'), 'new\n'))
for name, says in (('', 'no server'), ('socket', 'local socket'),
                   ('tcp20', 'TCP, SCRAM, a round trip takes 20 ms')):
    check('the world %r' % name, says, title(name))

# ---- limits

check('what the protocol demands', (2, 5, 7, 6), (
    demanded('socket'), demanded('tcp'), demanded('tls20'),
    demanded('tls', True)))
made = folder('made', 2)
check('one message has all statements', True, in_one_message(
    made.contents()).count(b'CREATE TABLE') == 2)
check('... and no breakpoints', False,
      b'breakpoint' in in_one_message(made.contents()))
check('a seed has a file of its size', True,
      1e6 <= os.path.getsize(one_file(1).files()[0]) < 1.2e6)
server = Server()
db = server.fresh('one')
check('the server alone has a time', ['ms'],
      list(server_alone(server, db, made.contents())))
check('... and has done all of it', '2', server.sql(
    db, "SELECT count(*) FROM pg_indexes WHERE indexname ~ '_name$'"))
check('... and says what failed', re.compile('already exists'),
      server_alone(server, db, made.contents()).get('failed', ''))
check('a password is quoted in a URL', re.compile(r'p%40ss%20word@127'),
      Place(server, db, 5432).url())
check('TLS is verified', ('verify-full', '/ca'), (lambda e: (
    e['PGSSLMODE'], e['PGSSLROOTCERT']))(Place(server, db, 1, '/ca').env()))
check('targets look for the names that works have',
      (works.ALONE, works.SELECT, works.TRUE, works.HASH),
      (ALONE, PSQL, TRUE, HASH))
sys.exit(verdict())
