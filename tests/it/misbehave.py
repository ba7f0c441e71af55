# SPDX-License-Identifier: MIT
"""What the tests with misbehaving servers share.

A case is a script for a server and what the program must make of it: the
status, what it says, in what time, with how much memory, and that no control
character and no secret gets out.  Its number is that of the row in the table
of misbehaving servers that the client was written against (1 to 72); run()
fails when a row that is due in the file has no case.
"""
import os
import re
import subprocess
import sys
import threading
import time

from harness import (HERE, MIZZLE, Result, check, environment, journal,
                     needs_program, newdir, note, verdict, workdir)
from wire import WELCOME, FakeServer, auth

# Rows that are tested neither by hostile.py nor by hostile_*.py.
ELSEWHERE = {
    68: ('signals.py', 'lost_at_commit'),
    71: ('where.py', '100 addresses are in time'),
}

RSS_MAX = 32 << 10      # kB
SOON = '&connect_timeout=2'     # for who has to be waited for
CASES = []
MEASURED = {'most': 0}

# A child's peak begins with that of whoever forked it: a small one does.
LAUNCHER = '''
import os, sys
tell, *command = sys.argv[1:]
pid = os.posix_spawn(command[0], command, os.environ)
_, status, used = os.wait4(pid, 0)
os.write(int(tell), b"%d %d" % (os.waitstatus_to_exitcode(status), used.ru_maxrss))
'''


class Case:
    """A script for a server, and what is expected of the program."""

    def __init__(self, number, what, script, pattern='', status=(3,),
                 query='', within=15, accepted=False, command='status',
                 url='u:secretpw', timeout=None,
                 sslmode='disable', secrets=0, env=None, host='127.0.0.1',
                 after=None, options=()):
        self.number, self.what, self.script = number, what, script
        self.pattern, self.status, self.query = pattern, status, query
        self.within = within        # seconds
        self.accepted = accepted    # it may end well, too
        self.command, self.url = command, url
        # Nobody else comes near it, however busy this machine is.
        self.timeout = timeout if timeout is not None else \
            SOON if 'time' in pattern else '&connect_timeout=25'
        self.sslmode, self.host = sslmode, host
        self.secrets = secrets      # how often the password may be sent
        self.env = env
        self.after = after          # after(case, result, server): more checks
        self.options = options
        self.name = '%s %s' % (number, what)


def case(number, what, *args, **more):
    """Registers a script."""
    def register(script):
        CASES.append(Case(number, what, script, *args, **more))
        return script
    return register


def reply(number, what, *bytes_, **more):
    """After the start packet, these bytes and no more."""
    def script(peer):
        peer.startup()
        peer.send(*bytes_)
        peer.until_closed()
    case(number, what, **more)(script)


def until_query(peer):
    peer.startup()
    peer.send(WELCOME)
    while peer.message()[0] != 'Q':
        pass


def answer(number, what, *bytes_, hang_up=False, **more):
    """After a good login, these bytes to the first query."""
    def script(peer):
        until_query(peer)
        peer.send(*bytes_)
        if not hang_up:
            peer.until_closed()
    case(number, what, **more)(script)


def endless(number, what, chunk, at='startup', **more):
    @case(number, 'endless: ' + what, **more)
    def _(peer):
        if at == 'startup':
            peer.startup()
            peer.send(auth(0))
        else:
            until_query(peer)
            peer.send(at)
        block = chunk * (65536 // len(chunk) + 1)
        end = time.monotonic() + 60
        while time.monotonic() < end:
            peer.send(block)


# ---- one run of the program

def sanitized():
    """Whoever checks memory takes a lot of it."""
    with open(MIZZLE, 'rb') as f:
        return b'__asan' in f.read()


def launch(args, env, timeout):
    """The result, and how many kB of memory were in use at most."""
    read, write = os.pipe()
    process = subprocess.Popen(
        [sys.executable, '-S', '-E', '-c', LAUNCHER, str(write), MIZZLE,
         *args], env=environment(env), cwd=workdir(), pass_fds=(write,),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, start_new_session=True)
    os.close(write)
    try:
        out, err = process.communicate(timeout=timeout)
        status = None
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, 9)
        out, err = process.communicate()
        status = 'timeout'
    with os.fdopen(read, 'rb') as f:
        told = f.read().split()
    rss = 0
    if status is None:
        status, rss = (int(told[0]), int(told[1])) if told else ('lost', 0)
    return Result(status, out.decode('utf-8', 'replace'),
                  err.decode('utf-8', 'replace')), rss


def one(c, where, bounded):
    fake = FakeServer(c.script, '127.0.0.1' if c.host == 'localhost'
                      else c.host)
    began = time.monotonic()
    got, rss = launch(
        (c.command, '--dir', where, *c.options, '--url',
         'postgresql://%s@%s:%d/d?sslmode=%s%s%s' % (
             c.url, c.host, fake.port, c.sslmode, c.timeout, c.query)),
        c.env, c.within + 15)
    took = time.monotonic() - began
    fake.close()
    what_was_said(c, got)
    check('%s: in time (%.1f s)' % (c.name, took), True,
          took < c.within) or note('        %s' % str(got)[:500])
    check(c.name + ': the password was not given away', True,
          fake.sent().count(b'secretpw') <= c.secrets)
    if bounded:
        check('%s: memory (%d kB)' % (c.name, rss), True, rss <= RSS_MAX)
        MEASURED['most'] = max(MEASURED['most'], rss)
    if c.after:
        c.after(c, got, fake)
    if fake.problem:
        note('        the script of %s: %r' % (c.name, fake.problem))


def what_was_said(c, got):
    if not check(c.name + ': ends as it should', True, got.status in c.status
                 or c.accepted and got.status not in ('timeout', 'lost')):
        note('        %s' % str(got)[:500])
    lines = [l for l in got.err.splitlines() if l.startswith('error: ')]
    if got.status != 0:
        check(c.name + ': one line that begins with error:', 1, len(lines)) \
            or note('        %s' % got.err[:500])
        check(c.name + ': says it', re.compile(c.pattern, re.IGNORECASE),
              got.err)
    check('%s: not too much (%d bytes)' % (c.name, len(got.err)), True,
          len(got.err) < 1000000)
    check(c.name + ': no control characters', [], re.findall(
        '[\x00-\x08\x0b-\x1f\x7f-\x9f]', got.err + got.out))
    check(c.name + ': nothing at the margin', [], [
        l for l in got.err.splitlines() if l.startswith(('::', 'last'))])
    check(c.name + ': no secret', False, 'secretpw' in got.err + got.out)
    check(c.name + ': nothing of the crashing kind', None, re.search(
        'Sanitizer|runtime error|core dumped', got.err))


# ---- all of them

def covered(number):
    """The rows that a case stands for: 17 or '17-27'."""
    first, _, last = str(number).partition('-')
    return range(int(first), int(last or first) + 1)


def complete(rows, also):
    """Every row that the file is there for has a case; also are those that
    it tests in another way."""
    for row, (path, text) in ELSEWHERE.items():
        with open(os.path.join(HERE, path), encoding='utf-8') as f:
            check('%s tests row %d' % (path, row), True, text in f.read())
    check('the rows that are tested here', rows, sorted(
        {n for c in CASES for n in covered(c.number)} | set(also)))


def run(rows=(), also=()):
    """Every case, or those that the command line names."""
    where = journal(newdir('hostile'), [('0000_a', 'SELECT 1;')])
    waiting, lock, bounded = list(CASES), threading.Lock(), not sanitized()
    only = sys.argv[1:]
    if rows:
        complete(rows, also)

    def work():
        while True:
            with lock:
                if not waiting:
                    return
                item = waiting.pop(0)
            if only and not any(o in item.name for o in only):
                continue
            one(item, where, bounded)
    workers = [threading.Thread(target=work) for _ in range(4)]
    for w in workers:
        w.start()
    for w in workers:
        w.join()
    if bounded:
        note('%d kB of memory at most' % MEASURED['most'])
    return verdict()
