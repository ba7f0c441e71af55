# SPDX-License-Identifier: MIT
"""size_peers.py PROGRAM: its size beside what else applies migrations, as a
table in Markdown.  Files are counted, each once, by their bytes; of a program
with shared libraries those are counted, too.  BENCH_HOME and KIT_HOME are
where ./check keeps what npm brings; what is not there is left out."""
import gzip
import os
import re
import shutil
import subprocess
import sys
import tempfile

BENCH = os.environ.get('BENCH_HOME', '/var/cache/mizzle-tests/bench')
KITS = os.environ.get('KIT_HOME', '/var/cache/mizzle-tests')


def number(n):
    return format(n, ',')


def row(*cells):
    print('| %s |' % ' | '.join(str(cell) for cell in cells))


def tree(*tops):
    """All files below, links not followed."""
    return [os.path.join(place, name) for top in tops
            for place, _, names in os.walk(top) for name in names
            if not os.path.islink(os.path.join(place, name))]


def with_libraries(program):
    """A program, and what the loader says that it loads."""
    listed = subprocess.run(['ldd', program], capture_output=True, text=True)
    return [program] + [
        os.path.realpath(path) for path in
        re.findall(r'(/\S+) \(0x', listed.stdout)]


def show(what, files):
    files = sorted({os.path.realpath(f) for f in files})
    if not files:
        return
    packed = 0
    for name in files:
        with open(name, 'rb') as f:
            packed += len(gzip.compress(f.read(), 9))
    row(what, number(len(files)), number(sum(map(os.path.getsize, files))),
        number(packed))


def newest_psql():
    top = '/usr/lib/postgresql'
    found = sorted(os.listdir(top), key=float) if os.path.isdir(top) else []
    paths = [os.path.join(top, v, 'bin/psql') for v in found]
    return [p for p in paths if os.path.exists(p)][-1:]


def main(program):
    row('', 'files', 'bytes', 'each by `gzip -9`')
    row('---', '--:', '--:', '--:')
    with tempfile.TemporaryDirectory() as room:
        stripped = os.path.join(room, 'mizzle')
        subprocess.run([os.environ.get('STRIP', 'strip'), '-o', stripped,
                        program], check=True)
        show('mizzle', [stripped])
    for path in newest_psql():
        show('psql, and the libraries it loads', with_libraries(path))
    show('dbmate (the npm package of this machine)', [
        f for f in tree(os.path.join(BENCH, 'node_modules/@dbmate'))
        if os.access(f, os.X_OK)])
    node = shutil.which('node')
    for version, name in (0, '0.x'), (1, '1.0'):
        home = os.path.join(KITS, 'kit%d/node_modules' % version)
        show('drizzle-kit %s, its `node_modules`' % name, tree(home))
        if node and version == 0 and os.path.isdir(home):
            show('the same, and Node', tree(home) + with_libraries(node))


main(*sys.argv[1:])
