# SPDX-License-Identifier: MIT
"""The machine fails the process: no memory, interrupted and short system
calls, no descriptors, full pipes and disks, small limits."""
import fcntl
import os
import re
import resource
import signal
import struct
import threading
from collections import Counter
from itertools import count

import tlsworld
from folders import SETS
from harness import LONG, finish, mizzle, newdir, start, wait_for, workdir
from world import Outcome, World, unclear

# A line that is more than a pipe takes at once, and no part of it like another.
SETS['loud'] = tuple((name, text + '''DO $$ BEGIN
    RAISE NOTICE '%', (SELECT string_agg(i::text, ' ')
                         FROM generate_series(1, 4000) i);
END $$;
''' if name == 'tables' else text) for name, text in SETS['whole'])
TIMES = re.compile(r'[0-9.]+ m?s\b|"(ms|round_trips)":[0-9]+')
SHIM = os.path.abspath('tests/faults/shim.so')
SCENARIOS = {}
_seen = count()


# ---- what the shim does

def shim(fault, seen):
    return {'LD_PRELOAD': SHIM, 'FAULT': fault, 'FAULT_SEEN': seen}


def numbers(path):
    """(how many calls there were, how many failed)"""
    try:
        with open(path, 'rb') as f:
            return struct.unpack('QQ', f.read())
    except (OSError, struct.error):
        return 0, 0


def preload(context):
    """Why there is no shim here, or None."""
    def tried():
        if not os.path.exists(SHIM):
            return 'there is no %s (make check-faults builds it)' % SHIM
        seen = os.path.join(workdir(), 'seen')
        for kind in 'alloc', 'eintr':
            got = mizzle('check', '--dir', newdir('nothing'),
                         env=shim(kind, seen))
            if numbers(seen)[0] == 0:
                return 'this program cannot be preloaded: %s' % (
                    got.err.strip()[:100] or 'it is static')
        return None
    return context.shared('preload', tried)


class Place:
    """Where runs go: a world, and how it is reached."""

    def __init__(self, world, url):
        self.world, self.url = world, url
        self.db = None

    def database(self):
        """As long as nothing was left in it, it is as good as a fresh one."""
        if self.db is None:
            self.db = self.world.database()
        return self.db

    def untouched(self):
        with self.db.talk() as ask:
            return ask("SELECT count(*) FROM pg_class WHERE relnamespace IN "
                       "(SELECT oid FROM pg_namespace WHERE nspname IN "
                       "('public', 'drizzle'))") == [('0',)]

    def settle(self, got, also):
        if got.status != 0 and self.world.quiet(self.db) and \
                self.untouched():
            outcome = Outcome()
            outcome.said.append(got)
            outcome.error = True
            outcome.unclear = unclear(got, also)
            return outcome
        db, self.db = self.db, None
        return self.world.settle(db, got, also=also)


def plain(context):
    world = context.world()
    return Place(world, lambda db: db.url())


def tls(context):
    """Its certificate is checked, and it wants a password."""
    def make():
        server = tlsworld.TlsServer('max_connections=50', hba=[
            'host all all 127.0.0.1/32 scram-sha-256'])
        return World(server=server)
    world = context.shared('tls', make)
    return Place(world, lambda db: db.url(
        query='?sslmode=verify-full&sslrootcert=%s' % tlsworld.certs(
            'root.crt')).replace('@127.0.0.1', '@localhost') +
        '&hostaddr=127.0.0.1')


def shimmed(scenario):
    """Left out where the shim cannot be loaded."""
    def careful(row, context):
        why = preload(context)
        if why:
            row.skip(why)
        else:
            scenario(row, context)
    return careful


def faulty(place, fault, *options, command='migrate'):
    seen = os.path.join(workdir(), 'seen%d' % next(_seen))
    world, db = place.world, place.database()
    got = mizzle(*world.arguments(db, *options, command=command,
                                  url=place.url(db)),
                 env=shim(fault, seen), timeout=60)
    found = numbers(seen)
    os.unlink(seen)
    return got, found


def spread(context, calls, ci):
    """All numbers up to calls in the long form, else about ci of them, as far
    from each other, and others each time."""
    apart = 1 if LONG else max(1, round(calls / (ci * context.scale)))
    return range(1 + context.rng('spread').randrange(apart), calls + 1, apart)


def not_said(want, got):
    """The first line that is missing, or not as it was, or not in its place;
    there may be others that tell of the time that it took."""
    for name in 'out', 'err':
        lines, found = ([TIMES.sub('T', line) for line in
                         getattr(run, name).splitlines()]
                        for run in (want, got))
        found = [line for line in found if line in lines]
        if found != lines:
            return 'std%s is not what it was: %s' % (name, next(
                (w for w, f in zip(lines, [*found, None]) if w != f),
                'more')[:100])
    return None


def sweep(kind, where, ci, also=(), more='', options=(), must=None,
          says=''):
    """Each call of that kind fails once: the status is one of must, if that
    is said, and the error says what it was.  What must succeed says the same
    as ever."""
    @shimmed
    def scenario(row, context):
        place, hits = where(context), 0
        want, (calls, _) = faulty(place, kind, *options)
        row.add(place.settle(want, ()), 'undisturbed')
        if want.status != 0:
            return
        for n in spread(context, calls, ci):
            fault = '%s,%d%s' % (kind, n, more)
            got, (_, failed) = faulty(place, fault, *options)
            hits += failed > 0
            outcome = place.settle(got, also)
            if must is not None and got.status not in must:
                outcome.unclear = 'status %s, not of %s' % (got.status, must)
            elif got.status != 0 and not re.search(says, got.err):
                outcome.unclear = 'it does not say: %s' % says
            elif must == (0,):
                outcome.unclear = not_said(want, got)
            row.add(outcome, 'FAULT=' + fault)
        row.note('%d calls, %d runs in which it failed' % (calls, hits))
        # two runs differ a little, and one may have had a call less
        if hits + 1 < (row.runs - 1) * 0.6:
            row.fail('only %d of %d runs met the fault' % (hits, row.runs))
    return scenario


# 70 is that there was no memory; 2 is the folder's or the options'
STARVED = (70,)
MEMORY = '[Mm]emory'
SCENARIOS['no memory for one allocation'] = sweep(
    'alloc', plain, 120, STARVED, says=MEMORY)
SCENARIOS['no memory from one allocation on'] = sweep(
    'alloc', plain, 60, STARVED, '+', says=MEMORY)
SCENARIOS['no memory for one allocation, all in one'] = sweep(
    'alloc', lambda c: Place(c.world(kind='fits', options=(
        '--transaction', 'all')), lambda db: db.url()), 50, STARVED, says=MEMORY)
SCENARIOS['no memory for one allocation, TLS'] = sweep(
    'alloc', tls, 120, STARVED, says=MEMORY)
SCENARIOS['no memory from one allocation on, TLS'] = sweep(
    'alloc', tls, 50, STARVED, '+', says=MEMORY)
SCENARIOS['no memory for one allocation, JSON'] = sweep(
    'alloc', plain, 40, STARVED, options=('--json', '-v'), says=MEMORY)
SCENARIOS['EINTR of one system call'] = sweep('eintr', plain, 100, must=(0,))
SCENARIOS['EINTR of one system call, TLS'] = sweep('eintr', tls, 40,
                                                   must=(0,))
SCENARIOS['EINTR of one system call, JSON'] = sweep(
    'eintr', plain, 40, options=('--json', '-v'), must=(0,))
SCENARIOS['one byte is moved, where more could be'] = sweep(
    'short', plain, 40, must=(0,))
SCENARIOS['one byte is moved, TLS'] = sweep('short', tls, 25, must=(0,))
SCENARIOS['only one byte is ever moved'] = sweep('short', plain, 2,
                                                 more='+', must=(0,))
SCENARIOS['EAGAIN of a socket that was ready'] = sweep('eagain', plain, 40,
                                                       must=(0,))
SCENARIOS['no descriptor for one call'] = sweep('emfile', plain, 30,
                                                STARVED, says='Too many')
SCENARIOS['no descriptors from one call on'] = sweep('emfile', plain, 20,
                                                     STARVED, '+',
                                                     says='Too many')
SCENARIOS['EIO of one call about a file'] = sweep('eio', plain, 30,
                                                  says='Input/output')
SCENARIOS['the disk is full for one write'] = sweep('enospc', plain, 10,
                                                    says='No space left')
SCENARIOS['EPIPE of one send'] = sweep('epipe', plain, 30, says='Broken pipe')
SCENARIOS['a reset at one receive'] = sweep('reset', plain, 30,
                                            says='reset by peer')


# ---- commands that change nothing

@shimmed
def readers(row, context):
    """They say what is so, or that there was no memory."""
    place = plain(context)
    world, db = place.world, place.database()
    row.add(place.world.settle(db, world.migrate(db)), 'before')
    place.db = None
    db = place.database()
    if world.migrate(db).status:
        row.fail('the migrations are not applied')
    for command in 'status', 'verify', 'check':
        quiet = 0
        arguments = ('--dir', world.dir) if command == 'check' else (
            '--dir', world.dir, '--url', db.url())
        seen = os.path.join(workdir(), 'seen%d' % next(_seen))
        want = mizzle(command, *arguments, env=shim('alloc', seen))
        calls, _ = numbers(seen)
        for n in spread(context, calls, 60):
            got = mizzle(command, *arguments, env=shim('alloc,%d' % n, seen))
            outcome = Outcome()
            outcome.said.append(got)
            outcome.error = got.status != 0
            outcome.unclear = unclear(got, STARVED)
            if got.status == want.status:
                # a file that cannot be read is a finding of check
                if got.out != want.out and not re.search(
                        MEMORY, got.out + got.err):
                    outcome.unclear = 'another answer, and no error'
                else:
                    outcome.unclear = None
            elif got.status not in (1, 3, 70):
                outcome.unclear = 'status %s' % got.status
            elif not re.search(MEMORY, got.err):
                outcome.unclear = 'it does not say: memory'
            quiet += got.status == 0
            row.add(outcome, '%s, FAULT=alloc,%d' % (command, n))
        row.note('%s: %d allocations' % (command, calls))
    db.close()


@shimmed
def stranger(row, context):
    """Whatever OpenSSL forgets without memory, it is not to trust."""
    place = tls(context)
    db = place.database()
    for what, old, new in (('the wrong name', '@localhost', '@example.org'),
                           ('another authority', 'root.crt', 'other.crt')):
        url = place.url(db).replace(old, new)
        seen = os.path.join(workdir(), 'seen%d' % next(_seen))
        arguments = ('ping', '--url', url)
        got = mizzle(*arguments, env=shim('alloc', seen))
        calls, _ = numbers(seen)
        if got.status != 3:
            row.fail('%s: %s' % (what, got))
        for n in spread(context, calls, 60):
            got = mizzle(*arguments, env=shim('alloc,%d' % n, seen))
            outcome = Outcome()
            outcome.said.append(got)
            outcome.error = True
            outcome.unclear = unclear(got, STARVED) if got.status else \
                'it connected'
            if not re.search('[Mm]emory|certificate', got.err):
                outcome.unclear = 'it says neither'
            row.add(outcome, '%s, FAULT=alloc,%d' % (what, n))


SCENARIOS['no memory: status, verify, check'] = readers
SCENARIOS['no memory, and a certificate that is not to be trusted'] = stranger


# ---- output that goes nowhere

def one(row, place, what, got, also=(), must=None, says=''):
    outcome = place.settle(got, also)
    if must is not None and got.status not in must:
        outcome.unclear = 'status %s, not of %s' % (got.status, must)
    elif got.status != 0 and not re.search(says, got.err):
        outcome.unclear = 'it does not say: %s' % says
    row.add(outcome, what)


def run_with(place, *options, **more):
    db = place.database()
    return start(*place.world.arguments(db, *options, url=place.url(db)),
                 **more)


def closed_pipe():
    """Its reader is gone."""
    reading, writing = os.pipe()
    os.close(reading)
    return writing


def outputs(row, context):
    """The migrations are applied, and that it could not be said is said."""
    place = plain(context)
    for options in (), ('-v',), ('--json',), ('--json', '-v'), ('-q',):
        for name in 'stdout', 'stderr':
            # quietly nothing is said there
            ends = (0,) if (name, options) == ('stderr', ('-q',)) else (1,)
            with open('/dev/full', 'wb', buffering=0) as full:
                got = finish(run_with(place, *options, **{name: full}))
            one(row, place, '%s is full, %s' % (name, options), told(got),
                must=ends)
            pipe = closed_pipe()
            got = finish(run_with(place, *options, **{name: pipe}))
            os.close(pipe)
            one(row, place, '%s is a pipe without a reader, %s' % (
                name, options), told(got), must=ends)
            got = finish(run_with(place, *options, preexec_fn=closer(
                1 if name == 'stdout' else 2)))
            one(row, place, '%s is closed, %s' % (name, options), told(got),
                must=ends)


def told(got):
    """Who has no stderr cannot be told; the status says that it failed."""
    if got.status == 1 and not got.err.strip():
        got.err = 'error: nothing can be said there\n'
    return got


def closer(fd):
    return lambda: os.close(fd)


def full_pipe(row, context):
    """Nobody reads for a while; what was held up goes on then, all of it."""
    world = context.world(kind='loud')
    place = Place(world, lambda db: db.url())
    want = finish(run_with(place, '-v', '--json'))
    one(row, place, 'undisturbed', want, must=(0,))
    for name in 'stdout', 'stderr':
        for nonblocking in False, True:
            reading, writing = os.pipe()
            fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
            os.write(writing, b'x' * 4095)
            if nonblocking:
                os.set_blocking(writing, False)
            process = run_with(place, '-v', '--json', **{name: writing})
            blocked = sleeps(process)
            parts = []
            reader = threading.Thread(target=drain, args=(reading, parts))
            os.close(writing)
            reader.start()
            got = finish(process)
            reader.join()
            os.close(reading)
            text = b''.join(parts)[4095:].decode()
            if name == 'stdout':
                got.out = text
            else:
                got.err = text
            what = 'a full pipe on %s%s' % (
                name, ', which does not block' if nonblocking else '')
            if not blocked:
                row.fail(what + ': it never came to wait')
            missing = not_said(want, got)
            if missing:
                row.fail('%s: %s' % (what, missing))
            one(row, place, what, got, must=(0,))


def sleeps(process, samples=30):
    """It does nothing, look after look: or it has ended."""
    seen = 0

    def looked():
        nonlocal seen
        try:
            with open('/proc/%d/stat' % process.pid, encoding='ascii') as f:
                idle = f.read().rpartition(')')[2].split()[0] == 'S'
        except OSError:
            return True
        seen = seen + 1 if idle else 0
        return process.poll() is not None or seen >= samples
    return wait_for(looked, 30) and process.poll() is None


def drain(fd, parts):
    while True:
        part = os.read(fd, 65536)
        if not part:
            return
        parts.append(part)


SCENARIOS['output that cannot be written'] = outputs
SCENARIOS['a pipe that nobody reads for a while'] = full_pipe


# ---- limits

def limited(what, number):
    def scenario():
        resource.setrlimit(what, (number, number) if number >= 0 else
                           (-number, resource.getrlimit(what)[1]))
    return scenario


ENOUGH = 8     # descriptors: however many files there are, one is open


def least(what, high):
    """The smallest limit with which the program comes to be at all."""
    low = 0
    while high - low > 4096:
        middle = (low + high) // 2
        if finish(start('--version', preexec_fn=limited(
                what, middle))).status == 0:
            high = middle
        else:
            low = middle
    return high


def limits(row, context):
    place = plain(context)
    tries = [('descriptors', resource.RLIMIT_NOFILE, n, 'Too many open')
             for n in range(3, 16)]
    # from there on it is the program itself that has none
    first = least(resource.RLIMIT_AS, 64 << 20)
    tries += [('memory', resource.RLIMIT_AS, n, MEMORY) for n in (
        *(first + (i << 12) for i in range(0, 80, 1 if LONG else 7)),
        *(256 << 10 << i for i in range(10)))]
    tries += [('data', resource.RLIMIT_DATA, n << 10, MEMORY)
              for n in (64, 256, 512, 1024, 2048)]
    tries += [('stack', resource.RLIMIT_STACK, n << 10, 'the stack')
              for n in (32, 64, 128, 256, 512, -64, -128)]   # -: soft
    tries += [('core', resource.RLIMIT_CORE, 0, '.')]
    ends = Counter()
    for name, what, n, says in tries:
        got = finish(run_with(place, preexec_fn=limited(what, n)))
        if loader(got) and loader(finish(start(
                '--version', preexec_fn=limited(what, n)))):
            row.note('%s %d: not even its libraries are loaded' % (name, n))
            continue
        ends[name, got.status == 0] += 1
        one(row, place, '%s: %d' % (name, n), got, STARVED, must=(0,) if
            what == resource.RLIMIT_NOFILE and n > ENOUGH else None,
            says=says)
    for name in 'descriptors', 'memory', 'stack':
        if not ends[name, False] or not ends[name, True]:
            row.fail('%s: it is always too little, or never' % name)


def file_size(row, context):
    """Its output goes into a file that may not grow."""
    place = plain(context)
    for options in (), ('--json', '-v'):
        for name in 'stdout', 'stderr':
            for n in 0, 10, 100, 200, 1000:
                path = os.path.join(workdir(), 'output')
                with open(path, 'wb') as f:
                    got = finish(run_with(
                        place, *options, **{name: f},
                        preexec_fn=limited(resource.RLIMIT_FSIZE, n)))
                full = os.path.getsize(path) == n
                one(row, place, '%d bytes of %s, %s' % (n, name, options),
                    told(got), must=(1,) if full else (0,),
                    says='nothing can be|File too large')


def loader(got):
    """It did not come to be: that is the dynamic linker's end."""
    return 'error while loading shared libraries' in got.err or \
        got.status in (-signal.SIGKILL, -signal.SIGSEGV, 127) and \
        not got.err and not got.out


SCENARIOS['limits: descriptors, memory, stack'] = limits
SCENARIOS['limits: the size of the output'] = file_size
