# SPDX-License-Identifier: MIT
"""What the static program may cost: bytes, time to start, memory.  Run by
tests/reproducible.sh where tests/bench/nothing and measure were built."""
import os
import shutil
import subprocess
import sys
import tempfile
import time

from harness import MIZZLE, check, journal, newdir, note, verdict, workdir
from tlsworld import TlsServer, certs

SIZE = 6_000_000        # stripped
PACKED = 2_400_000      # of that, by gzip -9
START = 1.5             # times what the least static program takes
MEMORY = 8 << 10        # KiB, of a migrate that finds nothing to do
STRIP = os.environ.get('STRIP', 'strip')
NOTHING, MEASURE = (os.path.abspath('tests/bench/' + name)
                    for name in ('nothing', 'measure'))
ROUNDS, RUNS = 5, 200

stripped = os.path.join(workdir(), 'mizzle')
subprocess.run([STRIP, '-o', stripped, MIZZLE], check=True)
with open(stripped, 'rb') as f:
    program = f.read()
packed = len(subprocess.run(['gzip', '-9nc', stripped], check=True,
                            stdout=subprocess.PIPE).stdout)
note('%d bytes stripped, %d by gzip -9' % (len(program), packed))
check('bytes', True, len(program) <= SIZE)
check('bytes, packed', True, packed <= PACKED)

# ---- time: both take turns, so that what else runs here meets both


def spent(program):
    start = time.perf_counter_ns()
    pid = os.posix_spawn(program, [program, '--version'], {},
                         file_actions=[(os.POSIX_SPAWN_OPEN, 1, '/dev/null',
                                        os.O_WRONLY, 0)])
    os.waitpid(pid, 0)
    return time.perf_counter_ns() - start


def ratio():
    """Of the quickest tenths: what is slower met somebody else."""
    times = [(spent(nothing), spent(stripped)) for _ in range(RUNS)]
    least = [sorted(one)[RUNS // 10] for one in zip(*times)]
    return least[1] / least[0]


nothing = os.path.join(workdir(), 'nothing')
subprocess.run([STRIP, '-o', nothing, NOTHING], check=True)
ratios = []
while len(ratios) < ROUNDS and (not ratios or min(ratios) > START):
    ratios.append(ratio())
note('mizzle --version takes %s times what nothing takes' %
     ', '.join('%.2f' % r for r in ratios))
check('time to start', True, min(ratios) <= START)

# ---- memory, as the kernel counted it


def peak(*command):
    """KiB, of a process that nothing larger forks: see measure.c."""
    with tempfile.NamedTemporaryFile(dir=workdir()) as f:
        subprocess.run([MEASURE, f.name,
                        stripped, *command], cwd=where, check=True,
                       stdin=subprocess.DEVNULL, capture_output=True)
        with open(f.name, encoding='ascii') as got:
            status, *_, memory = got.read().split()
    check('%s works' % command[0], '0', status)
    return int(memory)


server = TlsServer(hba=('host all tester 127.0.0.1/32 scram-sha-256',))
where = newdir('where')
journal(os.path.join(where, 'drizzle'), [
    ('%04d_t%d' % (i, i), 'CREATE TABLE t%d (id serial PRIMARY KEY);' % i)
    for i in range(100)])
server.fresh('budget')
for way, words in ('TCP', '?sslmode=disable'), (
        'TLS', '?sslmode=verify-full&sslrootcert=' + certs('root.crt')):
    url = server.url('budget', query=words).replace('127.0.0.1', 'localhost')
    subprocess.run([stripped, 'migrate', '--url', url], cwd=where, check=True,
                   capture_output=True)
    memory = peak('migrate', '--url', url)
    note('nothing to do of 100 migrations, by %s: %d KiB' % (way, memory))
    check('memory, by ' + way, True, memory <= MEMORY)
server.stop()
shutil.rmtree(where)
sys.exit(verdict())
