# SPDX-License-Identifier: MIT
"""What is measured: folders of migrations, ways to the server, one run."""
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'it'))
from harness import BREAK, environment, journal, newdir, shared, workdir
from peers import Place

TOOLS = os.path.abspath('tests/bench')
SHAPE = (
    'CREATE TABLE t%d (id serial PRIMARY KEY, name varchar(80) NOT NULL, '
    'created_at timestamptz DEFAULT now());\n',
    'CREATE UNIQUE INDEX t%d_name ON t%d (name);\n',
    'ALTER TABLE t%d ADD COLUMN note text;\n')


class Folder:
    """A folder in the journal layout."""

    def __init__(self, name, path):
        self.name, self.path = name, path

    def files(self):
        with open(os.path.join(self.path, 'meta', '_journal.json')) as f:
            return [os.path.join(self.path, e['tag'] + '.sql')
                    for e in json.load(f)['entries']]


def made(migrations):
    """A table, an index and a column each."""
    name = 'made%d' % migrations
    return Folder(name, journal(newdir(name), [
        ('%04d_m' % m, (BREAK + '\n').join(
            s.replace('%d', str(m)) for s in SHAPE))
        for m in range(migrations)]))


def largest():
    """Of the folders of real projects, with its statements, the largest that
    Drizzle can apply, any server too, and in one transaction."""
    place = shared() and os.path.join(shared(), 'corpora')
    if not place or not os.path.exists(os.path.join(place, 'TRUTH.tsv')):
        return None, 0
    with open(os.path.join(place, 'TRUTH.tsv')) as f:
        head, *rows = [line.rstrip('\n').split('\t') for line in f]
    rows = [dict(zip(head, row)) for row in rows]
    for row in sorted(rows, key=lambda r: -int(r['statements'] or 0)):
        folder = Folder('real', os.path.join(place, 'folders', row['name']))
        if row['all'] == 'ok' and row['format'] == 'v0' and plain(folder):
            return folder, int(row['statements'])
    return None, 0


def plain(folder):
    for name in folder.files():
        with open(name, encoding='utf-8', errors='replace') as f:
            text = f.read().upper()
        if any(word in text for word in ('EXTENSION', 'CONCURRENTLY',
                                         'VECTOR(', 'COMMIT;')):
            return False
    return True


class Delay:
    """The way through delay.c; it counts round trips."""

    def __init__(self, server, ms):
        self.process = subprocess.Popen(
            [TOOLS + '/delay', str(server.port), str(ms)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())

    def seen(self):
        """[(round trips, bytes up, bytes down)] of the connections since the
        last time; waits for their end, so they must come to one."""
        taken, ended = 0, []
        while not taken or taken > len(ended):
            line = self.process.stdout.readline()
            if line == '+\n':
                taken += 1
            else:
                ended.append(tuple(map(int, line.split())))
        return ended

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class World:
    """A way to the server."""

    def __init__(self, name, server, delay=None, tcp=False):
        self.name, self.server, self.delay = name, server, delay
        self.port = delay.port if delay else server.port if tcp else None

    def place(self, db):
        return Place(self.server, db, self.port)


def measured(command, env):
    """{'ms', 'cpu_ms', 'rss_kb'}, or {'failed': why}."""
    result = os.path.join(workdir(), 'measured')
    done = subprocess.run(
        [TOOLS + '/measure', result, *command], env=environment(env),
        cwd=workdir(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE, check=False)
    if done.returncode:
        return {'failed': 'it cannot be run'}
    with open(result) as f:
        status, us, user, system, rss = map(int, f.read().split())
    if status:
        why = done.stderr.decode('utf-8', 'replace').strip().split('\n')
        return {'failed': 'status %d: %s' % (status, why[0][:200])}
    return {'ms': us / 1000, 'cpu_ms': (user + system) / 1000, 'rss_kb': rss}
