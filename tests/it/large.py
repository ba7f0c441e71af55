#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Large migrations go through a window: memory, places, and files that are
edited while they are sent.  24 MB each; LONG=1 makes it 200 MB."""
import os
import re
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from gate import Gate                                           # noqa: E402
from harness import (BREAK, LONG, MIZZLE, Server, check, journal,  # noqa: E402
                     mizzle, needs_program, newdir, note, start, verdict,
                     workdir, finish)

MB = 1 << 20
SIZE = (200 if LONG else 24) * MB
LESS = (40 if LONG else 16) * MB    # more than sockets hold
RSS_MAX = 16 << 10      # kB
BACKEND_MAX = 100 << 10

# A child's peak begins with that of whoever forked it: a small one does.
LAUNCHER = '''
import os, sys
told, *command = sys.argv[1:]
pid = os.posix_spawn(command[0], command, os.environ)
_, status, used = os.wait4(pid, 0)
open(told, "w").write(str(used.ru_maxrss))
sys.exit(os.waitstatus_to_exitcode(status))
'''

needs_program()
with open(MIZZLE, 'rb') as program:
    SANITIZED = b'__asan_init' in program.read()
server = Server('shared_buffers=16MB', 'max_wal_size=4GB')


# ---- files

def inserts(f, end='\n', size=SIZE):
    """Statements of up to 1 MB, of rows with characters of 1 to 4 bytes; how
    many rows, and their sum."""
    row = 0
    text = 'aé€😀' * 15
    f.write(('CREATE TABLE big (id bigint, t text);%s%s%s' % (
        end, BREAK, end)).encode())
    written = 0
    while written < size:
        rows = []
        for _ in range(6000):
            row += 1
            rows.append("(%d,'%s')" % (row, text))
        piece = ('INSERT INTO big VALUES%s%s;%s%s%s' % (
            end, (',' + end).join(rows), end, BREAK, end)).encode()
        f.write(piece)
        written += len(rows) * (len(text.encode()) + 10)
    return row, row * (row + 1) // 2


def copy_rows(f, size=SIZE):
    row = written = 0
    while written < size:
        piece = ''.join('%d\t%s\n' % (row + i + 1, 'é' * 90)
                        for i in range(5000))
        row += 5000
        written += f.write(piece.encode())
    return row, row * (row + 1) // 2


def folder(name):
    """An 0.x folder with one migration, which is still to be written."""
    where = newdir(name)
    journal(where, [('0000_big', '')])
    return where, os.path.join(where, '0000_big.sql')


def run(command, where, *options):
    told = os.path.join(workdir(), 'peak')
    got = mizzle(command, '--dir', where, '--url', server.url('x'),
                 *options, timeout=600,
                 prefix=(sys.executable, '-ISc', LAUNCHER, told))
    got.rss = int(open(told).read())
    return got


def memory(what, got, most=RSS_MAX):
    if SANITIZED:
        note('%s: %d kB, with sanitizers' % (what, got.rss))
        return
    note('%s: %d kB' % (what, got.rss))
    check('%s: memory (%d kB)' % (what, got.rss), True, got.rss <= most)


def contents():
    return server.sql('x', 'SELECT count(*), sum(id) FROM big')


def recorded():
    return server.sql('x', "SELECT count(*) FROM pg_class WHERE relname = "
                      "'__drizzle_migrations'") == '1' and server.sql(
        'x', 'SELECT count(*) FROM drizzle.__drizzle_migrations') != '0'


def waits():
    """Until somebody stands before the gate: their pid."""
    end = time.monotonic() + 120
    while time.monotonic() < end:
        pid = server.sql('x', "SELECT pid FROM pg_locks WHERE locktype = "
                         "'advisory' AND NOT granted AND objid = 4711")
        if pid:
            return int(pid)
        time.sleep(0.02)
    return 0


def gate():
    return Gate(server, 'x', 'SELECT pg_advisory_xact_lock(4711)')


PASS_GATE = 'SELECT pg_advisory_xact_lock(4711);\n%s\n' % BREAK


# ---- they are applied

def applied(what, where, want, others=()):
    server.fresh('x')
    got = run('migrate', where)
    check('%s: status' % what, (0, ''), (got.status, got.err if got.status
                                         else ''))
    check('%s: rows' % what, '%d|%d' % want, contents())
    memory(what, got)
    for command in others:
        got = run(command, where)
        check('%s: %s' % (what, command), 0, got.status)
        memory('%s: %s' % (what, command), got)


def many_inserts():
    for what, end in ('INSERT, CRLF', '\r\n'), ('INSERT', '\n'):
        where, path = folder('inserts')
        with open(path, 'wb') as f:
            want = inserts(f, end)
        applied(what, where, want, ('plan', 'status', 'verify', 'migrate')
                if end == '\n' or LONG else ())
    with open(path, 'wb') as f:
        inserts(f, '\r\n')
    got = run('status', where)
    check('now with CRLF', re.compile('line end'), got.out + got.err)
    memory('now with CRLF', got)


def one_copy():
    where, path = folder('copy')
    with open(path, 'wb') as f:
        f.write(b'CREATE TABLE big (id bigint, t text);\n'
                b'COPY big FROM STDIN; INSERT INTO big VALUES (-1);\n')
        rows, total = copy_rows(f)
        f.write(b'\\.\nINSERT INTO big VALUES (-2);\n')
    applied('COPY', where, (rows + 2, total - 3))


def one_statement():
    """Only that statement needs memory."""
    size = SIZE // 2
    where, path = folder('statement')
    with open(path, 'wb') as f:
        f.write(b'CREATE TABLE big (id bigint, t text);\n'
                b"INSERT INTO big VALUES (7, '")
        f.write(b'this is a line\n' * (size // 15))
        f.write(b"');\nINSERT INTO big VALUES (8);\n")
    server.fresh('x')
    got = run('migrate', where)
    check('one statement: status', (0, ''), (got.status, got.err if got.status
                                             else ''))
    check('one statement: rows', '2|15', contents())
    memory('one statement', got, RSS_MAX + 8 * size // 1024)


def backend():
    """The server's memory, looked at when all but the end was done."""
    where, path = folder('backend')
    with open(path, 'wb') as f:
        inserts(f)
        f.write(PASS_GATE.encode())
    server.fresh('x')
    got = run('plan', where)
    check('plan', (0, ''), (got.status, got.err))
    memory('plan', got)
    closed = gate()
    process = start('migrate', '--dir', where, '--url', server.url('x'))
    pid = waits()
    check('the backend has come to the end', True, pid > 0)
    if pid:
        for what, pid, most in (('the backend', pid, BACKEND_MAX),
                                ('mizzle itself', process.pid, RSS_MAX)):
            with open('/proc/%d/status' % pid) as f:
                peak = int(re.search(r'VmHWM:\s+(\d+)', f.read()).group(1))
            note('%s: %d kB' % (what, peak))
            check('%s: memory (%d kB)' % (what, peak), True,
                  peak <= most or (SANITIZED and pid == process.pid))
    closed.open()
    check('the backend: status', 0, finish(process).status)


# ---- failures and their places

def lines_of(path):
    with open(path, 'rb') as f:
        return sum(piece.count(b'\n') for piece in iter(
            lambda: f.read(MB), b''))


def failing():
    where, path = folder('failing')
    with open(path, 'wb') as f:
        inserts(f)
    line = lines_of(path) + 1
    with open(path, 'ab') as f:
        f.write("INSERT INTO big SELECT 'é', nothing FROM big".encode())
    server.fresh('x')
    got = run('migrate', where)
    check('the last statement fails', 1, got.status)
    check('the last statement fails: place', re.compile(
        r'0000_big\.sql:%d:29\n.*\n *%d \| INSERT INTO big SELECT .é., nothing'
        % (line, line)), got.err)
    check('the last statement fails: nothing is kept', False, recorded())
    memory('the last statement fails', got)


def failing_row():
    where, path = folder('row')
    with open(path, 'wb') as f:
        f.write(b'CREATE TABLE big (id bigint,\n t text);\n'
                b'COPY big\nFROM STDIN;\n')
        rows, _ = copy_rows(f)
        f.write('zwölf\té\n'.encode())
        copy_rows(f, 2 * MB)
        f.write(b'\\.\n')
    server.fresh('x')
    got = run('migrate', where)
    check('a row fails', 1, got.status)
    check('a row fails: place', re.compile(
        r'0000_big\.sql:%d:1\n.*\n *%d \| zwölf' % (rows + 5, rows + 5)),
          got.err)
    memory('a row fails', got)


def unsound():
    """Found before anything is sent, and all of it read."""
    where, path = folder('unsound')
    with open(path, 'wb') as f:
        inserts(f)
    line = lines_of(path) + 1
    size = os.path.getsize(path)
    server.fresh('x')
    for what, tail, column, words in (
            ('a byte that is no UTF-8', b'SELECT \'\xc3\xa9\xff\'', 10,
             'not valid UTF-8'),
            ('a NUL byte', b'SELECT \'\xc3\xa9\0\'', 10, 'a NUL byte'),
            ('a merge conflict', b'<<<<<<< ours\nSELECT 1', 1,
             'merge conflict'),
            ('psql', b'\\connect x', 1, r'\\connect'),
            ('an open quote', b"SELECT '\xc3\xa9', 'open", 13,
             'unterminated')):
        os.truncate(path, size)
        with open(path, 'ab') as f:
            f.write(tail)
        got = run('migrate', where)
        check('%s: status' % what, 2, got.status)
        check('%s: place' % what, re.compile(
            r'%s(.|\n)*0000_big\.sql:%d:%d\n' % (words, line, column)),
              got.err)
        memory(what, got)
    where, path = folder('unsound')
    with open(path, 'wb') as f:
        f.write(b'CREATE TABLE big (id bigint,\n t text);\nSELECT 1; '
                b'COPY big\nFROM STDIN;\n')
        copy_rows(f)
    got = run('migrate', where)
    check('rows without an end: status', 2, got.status)
    check('rows without an end: place', re.compile(
        r'COPY data without its end(.|\n)*0000_big\.sql:3:11\n'), got.err)
    memory('rows without an end', got)


# ---- edited meanwhile

def edit(path, text, at):
    with open(path, 'r+b') as f:
        f.seek(at)
        f.write(text)


def try_edits(path, where, cases):
    with open(path, 'rb') as f:
        before = f.read()
    for what, text, at in cases:
        with open(path, 'wb') as f:
            f.write(before)
        server.fresh('x')
        closed = gate()
        process = start('migrate', '--dir', where, '--url', server.url('x'))
        check('%s: it has begun' % what, True, waits() > 0)
        if text is None:
            os.truncate(path, at)
        else:
            edit(path, text, at)
        closed.open()
        got = finish(process)
        check('%s: words' % what, re.compile(
            'was changed while it was being used'), got.err)
        # The server may be the first to find an error in it.
        check('%s: status' % what, True, got.status in (1, 2))
        check('%s: nothing is kept' % what, (False, '0'), (
            recorded(), server.sql('x', "SELECT count(*) FROM pg_class WHERE "
                                   "relname = 'big'")))
    with open(path, 'wb') as f:
        f.write(before)


def edited():
    """While it is being sent; what was sent by then is rolled back."""
    where, path = folder('edited')
    with open(path, 'wb') as f:
        f.write(PASS_GATE.encode())
        inserts(f, size=LESS)
        f.write(b'SELECT 1;' + b' ' * 100 + b'\n')
    size = os.path.getsize(path)
    late, middle = size - 60, size - 4 * MB
    cases = (
        ('another value', b"INSERT INTO big VALUES (1);\n", late),
        ('COMMIT', b"');COMMIT;--\n", middle),
        ('a COPY', b"');COPY big FROM STDIN;\n1\t2\n\\.\n", middle),
        ('a NUL byte', b"\0", middle),
        ('an error', b"');SELECT nothing;--\n", middle),
        ('a shorter file', None, size - 50),
        ('a much shorter file', None, 100),
        # with LONG=1
        ('ROLLBACK', b"ROLLBACK;\n", late),
        ('an open quote', b"SELECT 'open;\n", late),
        ('a psql command', b"');\n\\connect x\n", middle),
        ('a byte that is no UTF-8', b"\xff\xff", middle),
        ('more statements', b"');" + b'SELECT 1;' * 100 + b'--\n', middle))
    try_edits(path, where, cases if LONG else cases[:7])
    server.fresh('x')
    check('and then as it was', 0, run('migrate', where).status)
    edit(path, b'SELECT\tpg', 0)
    got = run('verify', where)
    check('edited after it was applied', re.compile('modified'),
          got.out + got.err)
    memory('edited after it was applied', got)


def edited_rows():
    where, path = folder('edited_rows')
    with open(path, 'wb') as f:
        f.write(PASS_GATE.encode() + b'CREATE TABLE big (id bigint, t text);'
                b'\nCOPY big FROM STDIN;\n')
        copy_rows(f, 4 * MB)
        f.write(b'\\.\nSELECT 1;\n')
    size = os.path.getsize(path)
    middle = size // 2
    try_edits(path, where, (
        ('another row', b'\n1\tx\n', middle),
        ('a row that is none', b'\n1\t2\t3\n', middle),
        ('COMMIT behind the rows', b'\n\\.\nCOMMIT;\n', middle),
        ('a breakpoint among the rows', ('\n%s\n' % BREAK).encode(), middle),
        ('rows without an end', b'\n\n\n', size - 13),
        ('the end cut off', None, middle)))


many_inserts()
one_copy()
one_statement()
backend()
failing()
failing_row()
unsound()
edited()
edited_rows()
sys.exit(verdict())
