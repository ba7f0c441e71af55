# SPDX-License-Identifier: MIT
"""mizzle beside its peers: `make bench` (CONTRIBUTING.md says how).

All take turns, in an order that moves on by one each time, against one server.
What is told is how often longer than mizzle each of them took in its turn: the
median of these ratios, and the quartiles.  Times alone say little: others may
use the machine, and it is not yours.

  --runs N      turns of each; at least 9 for a table that is shown to others
  --works LIST  of start, noop1, noop100, first, real
  --worlds LIST of socket, tcp, far
  --rtt MS      of far
  --long        real over far too, which takes a quarter of an hour
  --out NAME    writes NAME.md and NAME.json
"""
import argparse
import json
import os
import statistics
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'it'))
from harness import MIZZLE, Server, needs_program, note
from peers import peers
from report import markdown
from work import TOOLS, Delay, World, largest, made, measured

WORKS = {
    'start': 'start-up: `--version`',
    'noop1': 'nothing to do, 1 migration applied',
    'noop100': 'nothing to do, 100 migrations applied',
    'first': 'first run of 100 migrations, 300 statements',
    'real': 'first run of a real folder',
}


def arguments():
    p = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    p.add_argument('--runs', type=int, default=9)
    p.add_argument('--works', default=','.join(WORKS))
    p.add_argument('--worlds', default='socket,tcp,far')
    p.add_argument('--rtt', type=float, default=20)
    p.add_argument('--long', action='store_true')
    p.add_argument('--out', default='bench')
    return p.parse_args()


class Bench:
    def __init__(self, options):
        self.options = options
        self.server = Server('autovacuum=off')
        self.peers, self.absent = peers(self.server)
        self.results = []

    # ---- one turn

    def prepare(self, peer, work, world):
        """A database in which the work is still to be done, or is done."""
        db = '%s_%d' % (work, self.peers.index(peer))
        folder = peer.ready(self.folders[work])
        if not work.startswith('noop'):
            return folder, self.server.fresh(db)
        if not self.server.sql('postgres', "SELECT 1 FROM pg_database "
                               "WHERE datname = '%s'" % db):
            self.server.fresh(db)
            first = self.peers[0] if peer.name == 'psql' else peer
            done = measured(*first.run(first.ready(self.folders[work]),
                                       World('', self.server).place(db)))
            if 'failed' in done:
                note('%s: %s' % (first.name, done['failed']))
        return folder, db

    def turn(self, peer, work, world):
        folder, db = self.prepare(peer, work, world)
        call = peer.again if work.startswith('noop') else peer.run
        got = measured(*call(folder, world.place(db)))
        if world.delay:
            seen = world.delay.seen()
            got['round_trips'] = sum(s[0] for s in seen)
            got['connections'] = len(seen)
        return got

    # ---- all turns

    def take_turns(self, players, turn):
        """{name: [result]}; who fails once does not go on."""
        results = {name: [] for name in players}
        for r in range(self.options.runs + 1):  # the first is not counted
            order = players[r % len(players):] + players[:r % len(players)]
            for name in order:
                if results[name] and 'failed' in results[name][-1]:
                    continue
                got = turn(name)
                if r > 0 or 'failed' in got:
                    results[name].append(got)
        return results

    def add(self, work, world, results):
        base = [r.get('ms') for r in results['mizzle']]
        for name, runs in results.items():
            row = {'work': work, 'world': world, 'peer': name, 'runs': runs}
            failed = [r['failed'] for r in runs if 'failed' in r]
            if failed:
                row['failed'] = failed[0]
                note('%s, %s, %s: %s' % (work, world, name, failed[0]))
            elif None not in base and len(runs) == len(base):
                row.update(summary(runs, base))
            self.results.append(row)
            note('%-8s %-7s %-26s %s' % (work, world, name, row.get('ratio')))

    def start_up(self):
        commands = {'mizzle': [MIZZLE, '--version'],
                    'a static `true`': [TOOLS + '/nothing'],
                    'psql': [self.server.psql, '--version']}
        for p in self.peers:
            if p.name == 'dbmate':
                commands[p.name] = [p.program, '--version']
            elif p.name.endswith('(pg)'):
                commands['node'] = ['/usr/bin/env', 'node', '--version']
        self.add('start', '', self.take_turns(
            list(commands), lambda name: measured(commands[name], {})))

    def run(self):
        o = self.options
        real, statements = largest() if 'real' in o.works else (None, 0)
        self.folders = {'noop1': made(1), 'noop100': made(100),
                        'first': made(100), 'real': real}
        self.real = real and '%d migrations, %d statements' % (
            len(real.files()), statements)
        by_name = {p.name: p for p in self.peers}
        works = [w for w in WORKS if w in o.works.split(',')]
        if 'start' in works:
            self.start_up()
        delay = Delay(self.server, o.rtt / 2)
        worlds = {'socket': World('socket', self.server),
                  'tcp': World('tcp', self.server, tcp=True),
                  'far': World('far', self.server, delay)}
        for work in works:
            for world in (w for w in worlds if w in o.worlds.split(',')):
                long = (work, world) == ('real', 'far')
                if self.folders.get(work) and (o.long or not long):
                    players = [p.name for p in self.peers
                               if p.again or not work.startswith('noop')]
                    self.add(work, world, self.take_turns(
                        players, lambda name: self.turn(
                            by_name[name], work, worlds[world])))
        delay.close()


def quartiles(values):
    return statistics.quantiles(values, n=4, method='inclusive') \
        if len(values) > 1 else values * 3


def summary(runs, base):
    """Medians; and the ratios to what mizzle took in the same turn."""
    low, ratio, high = quartiles([r['ms'] / b for r, b in zip(runs, base)])
    middle = {key: statistics.median(r[key] for r in runs)
              for key in runs[0]}
    return {**middle, 'ratio': ratio, 'ratio_low': low, 'ratio_high': high}


def main():
    needs_program()
    options = arguments()
    out = os.path.abspath(options.out)
    bench = Bench(options)
    for name in bench.absent:
        note('%s is not here and is left out (see CONTRIBUTING.md)' % name)
    bench.run()
    report = {'runs': options.runs, 'rtt_ms': options.rtt,
              'versions': {p.name: p.is_version for p in bench.peers
                           if ' --' not in p.name},
              'server': bench.server.sql('postgres', 'SHOW server_version'),
              'absent': bench.absent, 'real': bench.real,
              'works': WORKS, 'results': bench.results}
    with open(out + '.json', 'w') as f:
        json.dump(report, f, indent=1)
    with open(out + '.md', 'w') as f:
        f.write(markdown(report))
    print(markdown(report))
    return any('failed' in r for r in bench.results if r['peer'] == 'mizzle')


sys.exit(main())
