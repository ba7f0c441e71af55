# SPDX-License-Identifier: MIT
"""mizzle beside its peers: `make bench` (CONTRIBUTING.md says how).

All take turns, in an order that moves on by one each time, against one server.
What is told is how often longer than mizzle each of them took in its turn: the
median of these ratios, and the quartiles.  Times alone say little: others may
use the machine, and it is not yours.

  --runs N        turns of each; at least 9 for a table that is shown to others
                  (a work that takes many seconds has fewer, and says so)
  --works LIST    some of: start noop1 noop100 noop1000 first firstfar real tiny
                  huge seed asked fleet grow growapply growall growfile
                  direct disk
  --worlds LIST   only these: socket, tcp, tls; and from afar: tcp20, tls100
  --far LIST      the worlds of what is done from afar; the slow works take the
                  first of them alone
  --long          they take them all
  --quick         see that it works: few turns, and little of everything
  --targets       say what is wanted of each, and whether it is met
  --add           keep what NAME.json has of other works
  --out NAME      writes NAME.md and NAME.json
  --beside FILE   another mizzle, to see what a change is worth
  --into FILE     puts the tables in FILE too, where its markers are
"""
import argparse
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'it'))
from harness import MIZZLE, Server, needs_program, note
from costs import can_count, instructions, measured
from fleet import Fleet, part
from growth import GROWTHS
from limits import demanded
from peers import peers
from report import insert, machine, markdown
from stats import medians, quartiles, ratios, take_turns
from targets import judged
from works import ELSEWHERE, SELECT, works
from worlds import Worlds, title

SIZES = {'migrations': 10000, 'databases': 500, 'huge': 200, 'seed': 50}
DEMANDED = 'what the protocol demands'


def arguments():
    p = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    for name, value in (('works', None), ('worlds', None), ('into', None),
                        ('beside', None), ('far', 'tcp20,tcp100'),
                        ('out', 'bench')):
        p.add_argument('--' + name, default=value)
    for name in ('long', 'quick', 'targets', 'add'):
        p.add_argument('--' + name, action='store_true')
    p.add_argument('--runs', type=int)
    for name, value in SIZES.items():
        p.add_argument('--' + name, type=int, default=value,
                       help='%d of them, or MB' % value)
    o = p.parse_args()
    o.runs = o.runs or (3 if o.quick else 9)
    if o.quick:
        o.databases = min(o.databases, 20)
        o.huge = min(o.huge, 60)
    return o


class Bench:
    def __init__(self, options, *settings):
        self.options = options
        self.server = Server('autovacuum=off', 'max_wal_size=8GB',
                             'checkpoint_timeout=1h', *settings)
        self.peers, self.absent = peers(self.server, options.beside)
        self.mizzle, self.all = self.peers[:2]
        self.psql = next(p for p in self.peers if p.name == 'psql')
        self.is_version = self.server.sql('postgres', 'SHOW server_version')
        self.direct_tls = self.server.version() >= 170000
        self.worlds = Worlds(self.server)
        self.ready, self.results = set(), []

    def applied(self, folder, peer):
        """The database in which this folder is applied for this family."""
        name = '%s_%s' % (folder.name, peer.family)
        if name not in self.ready:
            self.ready.add(name)
            self.server.fresh(name)
            first = peer if peer.family == 'dbmate' else self.all
            done = measured(*first.run(first.ready(folder), self.worlds.get(
                'socket').place(name)))
            if 'failed' in done:
                note('%s: %s' % (first.name, done['failed']))
        return name

    def through(self, world, command, env):
        """What it costs, and what went through the proxy, if there is one."""
        got = measured(command, env)
        if world.delay:
            got.update(world.delay.seen('failed' in got))
        return got

    # ---- a work in a world

    def measure(self, key, work, name):
        world = name and self.worlds.get(name)
        results = take_turns(work.players(self, world),
                             work.turns(self.options.runs), work.warm)
        if key != 'fleet':
            self.add(key, work, name, results)
        else:
            self.add(key, work, name, part(results, 'apply'))
            self.add('fleetagain', work, name, part(results, 'again'))
            work.drop(self.server)
        if work.counted and not world.delay:
            self.count(key, work, name)

    def add(self, key, work, world, results):
        base = results.get('mizzle', [])
        for name, runs in results.items():
            row = {'work': key, 'world': world, 'peer': name, 'runs': runs}
            failed = [r['failed'] for r in runs if 'failed' in r]
            if failed:
                row['failed'] = failed[0]
                note('%s, %s, %s: %s' % (key, world, name, failed[0]))
            else:
                row.update(medians(runs))
                of = ratios(runs, base)
                row.update({'ratio': quartiles(of)} if of else {})
            self.results.append(row)
            note('%-10s %-7s %-27s %9.3f ms %s' % (
                key, world, name, row.get('ms', 0), ' '.join(
                    '%.3f' % r for r in row.get('ratio', []))))

    def count(self, key, work, near):
        """Round trips and bytes, of a turn through the proxy that is not
        timed; and instructions."""
        rows = {r['peer']: r for r in self.results
                if (r['work'], r['world']) == (key, near)}
        if near != 'socket':
            far = self.worlds.get(near + '20')
            for name, command in work.commands(self, far).items():
                got = self.through(far, *command)
                rows[name].update({k: got[k] for k in (
                    'round_trips', 'connections', 'bytes_up', 'bytes_down')})
        here = work.commands(self, self.worlds.get(near))
        for name in ('mizzle', SELECT):
            if can_count() and name in here:
                rows[name]['instructions'] = instructions(*here[name])
        for direct in (False, True)[:1 + ('mizzle, direct TLS' in rows)]:
            self.results.append({
                'work': key, 'world': near, 'runs': [],
                'peer': DEMANDED + ', direct TLS' * direct,
                'round_trips': demanded(near, direct)})

    # ---- all of them

    def run(self, known):
        """Yields (key, title) of what has been done of {key: what makes a
        work}."""
        worlds = self.options.worlds
        for key, make in known.items():
            work = make()
            if not work:
                note('%s is not here and is left out' % key)
                continue
            for name in work.worlds:
                if not name or not worlds or name in worlds.split(','):
                    self.measure(key, work, name)
            yield key, work.title
            if key == 'fleet':
                yield 'fleetagain', work.title + ', again: nothing to do'
        self.worlds.close()


def asked(options):
    """{key: what makes the work}"""
    known = {**works(options), 'fleet': lambda: Fleet(options.databases),
             **GROWTHS, **ELSEWHERE}
    keys = options.works.split(',') if options.works else list(known)
    for key in keys:
        if key not in known:
            sys.exit('no work %s; there are: %s' % (key, ' '.join(known)))
    return {key: known[key] for key in known if key in keys}


def run_all(bench):
    """Likewise, everything that is asked for."""
    wanted = asked(bench.options)
    yield from bench.run({key: make for key, make in wanted.items()
                          if key not in ELSEWHERE})
    for key in [key for key in wanted if key in ELSEWHERE]:
        make, env, settings = ELSEWHERE[key]()
        if not make:
            note('%s cannot be done here and is left out' % key)
            continue
        os.environ.update(env)
        other = Bench(bench.options, *settings)
        for name in env:
            del os.environ[name]
        for done in other.run({key: make}):
            bench.results += other.results
            yield done
        other.server.stop()


# ---- the report

def build():
    """How the program that is measured was configured."""
    try:
        config = subprocess.run(
            [os.path.join(os.path.dirname(MIZZLE), 'config.status'),
             '--config'], capture_output=True, text=True, check=False).stdout
    except OSError:
        config = ''
    return {'configured': ' '.join(config.replace("'", '').split()),
            'bytes': os.path.getsize(MIZZLE)}


def made_report(bench, titles):
    o = bench.options
    return {'runs': o.runs, 'machine': machine(), 'build': build(),
            'versions': {p.name: p.is_version for p in bench.peers
                         if ' --' not in p.name},
            'server': bench.is_version,
            'absent': bench.absent + ['valgrind'] * (not can_count()),
            'works': titles,
            'worlds': {r['world']: title(r['world']) for r in bench.results},
            'sizes': {name: getattr(o, name) for name, of in SIZES.items()
                      if getattr(o, name) != of},
            'grows': [k for k in titles if k in GROWTHS],
            'results': bench.results}


def added(report, old):
    """With what another run has that is not in this one."""
    here = {(r['work'], r['world']) for r in report['results']}
    report['results'] = [r for r in old['results'] if (
        r['work'], r['world']) not in here] + report['results']
    for key in ('works', 'worlds'):
        report[key] = {**old[key], **report[key]}
    report['grows'] = sorted({*old['grows'], *report['grows']})
    report['sizes'] = {**old['sizes'], **report['sizes']}
    return report


def save(bench, titles, old, out):
    """What there is by now, so that nothing is lost if the rest is."""
    report = made_report(bench, titles)
    if old:
        report = added(report, old)
    report['targets'] = judged(report['results']) \
        if bench.options.targets else []
    with open(out + '.json', 'w') as f:
        json.dump(report, f, indent=1)
    text = markdown(report)
    with open(out + '.md', 'w') as f:
        f.write(text)
    return text


def kept(path):
    """What another run has said, which this one adds to."""
    if not os.path.exists(path):
        return None
    with open(path) as f:
        return json.load(f)


def main():
    needs_program()
    options = arguments()
    out = os.path.abspath(options.out)
    into = options.into and os.path.abspath(options.into)
    old = kept(out + '.json') if options.add else None
    bench, titles, text = Bench(options), {}, ''
    for name in bench.absent:
        note('%s is not here and is left out (see CONTRIBUTING.md)' % name)
    for key, said in run_all(bench):
        titles[key] = said
        text = save(bench, titles, old, out)
    if into:
        insert(into, text)
    print(text)
    return any('failed' in r for r in bench.results
               if r['peer'].startswith('mizzle'))


sys.exit(main())
