# SPDX-License-Identifier: MIT
"""Everything that can break is broken, and what was lost or doubled counted.

    faults.py [--markdown FILE] [NAME...]

Each scenario is a function of a module below, and a line of the table; NAME is
a module, or a part of a scenario's name.  LONG=1 runs the long form.  A run
with the same SEED takes the same decisions; when things happen is still up to
the machine.
"""
import argparse
import importlib
import os
import random
import sys
import threading
import time
import traceback
import zlib
from concurrent.futures import ThreadPoolExecutor

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, '..', 'it')]

# pylint: disable=wrong-import-position
from harness import LONG, needs_program  # noqa: E402
from table import Table  # noqa: E402
from world import World  # noqa: E402

MODULES = [
    'cut',
    'fails',
    'freeze',
    'kill',
    'crash',
    'runners',
    'slow',
    'steps',
    'process',
    'roles',
    'environment',
    'newer',
]
AT_ONCE = 2


class Context:
    """What a scenario is given beside its row.  SCALE=0.1 in the environment
    makes it a tenth of the runs."""

    def __init__(self, seed):
        self.seed, self.long = seed, LONG
        self.scale = float(os.environ.get('SCALE') or 1)
        self._worlds, self._lock = {}, threading.Lock()

    def rng(self, name):
        return random.Random(self.seed ^ zlib.crc32(name.encode()))

    def shared(self, name, make):
        """Something that several scenarios use; made when first asked for."""
        with self._lock:
            if name not in self._worlds:
                self._worlds[name] = make()
            return self._worlds[name]

    def world(self, **more):
        """In a server that nobody ends."""
        base = self.shared('world', World)
        return self.shared('world %s' % sorted(more.items()),
                           lambda: base.like(**more)) if more else base

    def count(self, ci, long):
        """How many runs."""
        return max(1, round((long if self.long else ci) * self.scale))

    def some(self, items, ci):
        """All of them in the long form, else that many, evenly spread."""
        items = list(items)
        most = max(1, round((len(items) if self.long else ci) * self.scale))
        if len(items) <= most:
            return items
        return [items[i * len(items) // most] for i in range(most)]


def scenarios(names):
    """(name, function, whether it sleeps) of those that are wanted."""
    for name in MODULES:
        module = importlib.import_module(name)
        for title, function in module.SCENARIOS.items():
            if not names or any(n == name or n in title for n in names):
                yield title, function, getattr(module, 'SLEEPS', False)


def run(name, function, row, context):
    began = time.monotonic()
    try:
        function(row, context)
    except Exception:   # pylint: disable=broad-except
        row.fail(traceback.format_exc())
    row.seconds = time.monotonic() - began
    print('%-50s %5d runs, %d s, ends %s' % (
        name, row.runs, row.seconds, dict(row.seen)), flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--markdown', metavar='FILE')
    parser.add_argument('names', nargs='*')
    given = parser.parse_args()
    needs_program()
    seed = int(os.environ.get('SEED') or
               int.from_bytes(os.urandom(3), 'big'))
    print('SEED=%d%s' % (seed, ' LONG=1' if LONG else ''), flush=True)
    began = time.monotonic()
    context, table = Context(seed), Table()
    wanted = list(scenarios(given.names))
    if not wanted:
        sys.exit('faults: no such scenario: ' + ' '.join(given.names))
    with ThreadPoolExecutor(AT_ONCE) as pool, ThreadPoolExecutor(1) as beside:
        jobs = [(beside if sleeps else pool).submit(
            run, name, function, table.row(name), context)
            for name, function, sleeps in wanted]
        for job in jobs:
            job.result()
    print('%d s; to repeat it: SEED=%d' % (time.monotonic() - began, seed))
    if given.markdown:
        with open(given.markdown, 'w', encoding='utf-8') as f:
            f.write('\n'.join(table.lines(True)) + '\n')
    return table.verdict()


if __name__ == '__main__':
    sys.exit(main())
