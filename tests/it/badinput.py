# SPDX-License-Identifier: MIT
"""What users get wrong: each ends in one clear line and the right status."""
import os
import re
import resource
import shutil
import socket
import subprocess
import sys
import threading

import harness
from harness import (BREAK, Server, check, closed_port, folders, journal,
                     mizzle, needs_program, newdir, sha256, start, finish,
                     verdict, wait_for, workdir, write)

needs_program()
server = Server('autovacuum=off')
ONE = [('0000_a', 'CREATE TABLE a (id int);')]
NOWHERE = 'postgresql://u@127.0.0.1:1/d'  # status 2 means: it did not try


def complaint(what, got, status, pattern):
    """The right status, and one line that says it."""
    allowed = status if isinstance(status, tuple) else (status,)
    check(what + ': status', True, got.status in allowed) or \
        harness.note('        status %s, wanted %s' % (got.status, status))
    lines = [l for l in got.err.splitlines() if l.startswith('error: ')]
    check(what + ': one line that begins with error:', 1, len(lines)) or \
        harness.note('        ' + str(got)[:400])
    check(what + ': says it', re.compile(pattern, re.IGNORECASE), got.err)
    check(what + ': no control characters', [],
          re.findall(r'[\x00-\x08\x0b-\x1f\x7f]', got.err))
    check(what + ': nothing of the crashing kind', None, re.search(
        'Sanitizer|runtime error|core dumped|Traceback', got.err))


# ---- the folder

def entries(text):
    return '{"version":"7","dialect":"postgresql","entries":[%s]}' % text


JOURNALS = [
    # what, bytes of meta/_journal.json, pattern
    ('nothing in it', b'', r'_journal\.json'),
    ('not closed', b'{\n  "entries": [\n', r'_journal\.json:[23]:\d+|line [23]'),
    ('a comma too many', b'{\n "entries": [\n  {"tag": "0000_a", "when": 1},\n'
     b' ]\n}', r'_journal\.json:4:\d+|line 4'),
    ('a word', b'hello', r'_journal\.json:1:\d+|line 1'),
    ('text behind it', entries('').encode() + b'\nx',
     r'_journal\.json:2:\d+|line 2'),
    ('a BOM', b'\xef\xbb\xbf' + entries('').encode(), r'BOM|byte order mark'),
    ('conflict markers', b'{\n<<<<<<< HEAD\n "entries": []\n=======\n'
     b' "entries": []\n>>>>>>> x\n}', r'conflict|merge'),
    ('UTF-16', entries('').encode('utf-16'), r'_journal\.json'),
    ('an empty object', b'{}', r'entries'),
    ('an array', b'[]', r'_journal\.json'),
    ('entries that are not a list', b'{"entries": {}}', r'entries'),
    ('an entry that is not an object', entries('7').encode(),
     r'_journal\.json'),
    ('no tag', entries('{"when": 1}').encode(), r'tag'),
    ('a tag that is a number', entries('{"when": 1, "tag": 5}').encode(),
     r'tag'),
    ('an empty tag', entries('{"when": 1, "tag": ""}').encode(), r'tag'),
    ('a tag that leaves the folder',
     entries('{"when": 1, "tag": "../../etc/x"}').encode(), r'tag|etc/x'),
    ('a tag with a NUL', entries('{"when": 1, "tag": "a\\u0000b"}').encode(),
     r'_journal\.json|NUL'),
    ('no when', entries('{"tag": "0000_a"}').encode(), r'when'),
    ('a when of text', entries('{"tag": "0000_a", "when": "soon"}').encode(),
     r'when'),
    ('a fractional when', entries('{"tag": "0000_a", "when": 1.5}').encode(),
     r'when'),
    ('a when that no bigint holds', entries(
        '{"tag": "0000_a", "when": 99999999999999999999}').encode(),
     r'when|_journal\.json'),
    ('very deep', b'[' * 200000, r'_journal\.json'),
    ('bad UTF-8', entries('{"tag": "0000_\xff", "when": 1}').encode(
        'latin-1'), r'UTF-8|decode'),
]

FILES = [
    # what, bytes of the migration, pattern
    ('a NUL', b'SELECT 1;\nSELECT \0;', r'0001_b\.sql.*NUL|NUL.*0001_b\.sql|'
     r'0001_b\.sql[\s\S]*NUL|NUL[\s\S]*0001_b\.sql'),
    ('bad UTF-8', b"SELECT 1;\n-- caf\xe9\n", r'0001_b\.sql:2:7[\s\S]*UTF-8|'
     r'UTF-8[\s\S]*0001_b\.sql:2:7'),
    ('a BOM', b'\xef\xbb\xbfSELECT 1;', r'BOM|byte order mark'),
    ('UTF-16', 'SELECT 1;'.encode('utf-16'), r'0001_b\.sql'),
]

UNCLOSED = [
    # what, text, where it began
    ('a string', "SELECT 1;\nSELECT 'abc;\nSELECT 2;\n", '2:8'),
    ('an escape string', "SELECT 1;\n SELECT E'a\\';\n", '2:9'),
    ('an identifier', 'SELECT 1;\nSELECT "abc;\n', '2:8'),
    ('a dollar quote', 'SELECT 1;\nDO $x$ BEGIN END $y$;\n', '2:4'),
    ('a comment', 'SELECT 1;\n/* /* */ SELECT 2;\n', '2:1'),
    ('a string cut by a breakpoint', "SELECT 1;\nSELECT 'a" + BREAK
     + " b';", '2:8'),
    ('a string behind multi-byte text', "SELECT 'é€😀', 'abc;\n", '1:15'),
]


def folder_cases():
    def try_folder(what, where, pattern, *more, status=2, **options):
        got = mizzle('migrate', '--url', NOWHERE, '--dir', where, *more,
                     **options)
        complaint(what, got, status, pattern)

    try_folder('no folder', '/nonexistent/drizzle', '/nonexistent/drizzle')
    try_folder('the default folder is not there', './drizzle', 'drizzle',
               cwd=newdir('empty'))
    try_folder('a file for a folder', write(workdir() + '/file', 'x'), 'file')
    for what, text, pattern in JOURNALS:
        where = newdir('journals')
        write(where + '/meta/_journal.json', text)
        write(where + '/0000_a.sql', 'SELECT 1;')
        try_folder('journal with ' + what, where, pattern)
    where = newdir('journals')
    os.makedirs(where + '/meta/_journal.json')
    try_folder('a directory for a journal', where, r'_journal\.json')
    where = journal(newdir('missing'), ONE + [('0001_b', None)])
    try_folder('a file that is missing', where, r'0001_b\.sql')
    os.makedirs(where + '/0001_b.sql')
    try_folder('a directory for a file', where, r'0001_b\.sql')
    for what, text, pattern in FILES:  # those that are pending must be good
        one = journal(newdir('files'), ONE + [('0001_b', text)])
        two = folders(newdir('files1'), [
            ('20240101000000_0000_a', ONE[0][1]),
            ('20240101000001_0001_b', text)])
        for layout, where in (('', one), ('1.x: ', two)):
            server.fresh('bad')
            got = mizzle('migrate', '--url', server.url('bad'), '--dir',
                         where)
            complaint(layout + 'a file with ' + what, got, 2, pattern
                      if not layout else pattern.replace(
                          r'0001_b\.sql', r'0001_b/migration\.sql'))
            check(layout + 'a file with %s: nothing was sent' % what, '0',
                  server.sql('bad', 'SELECT count(*) FROM pg_namespace '
                             "WHERE nspname = 'drizzle'"))
    for what, text, place in UNCLOSED:
        where = journal(newdir('unclosed'), [('0000_a', text)])
        server.fresh('bad')
        got = mizzle('migrate', '--url', server.url('bad'), '--dir', where)
        complaint('not closed: ' + what, got, (1, 2),
                  r'0000_a\.sql:%s\b' % place)
        got = mizzle('check', '--dir', where)
        check('check: not closed: ' + what,
              re.compile(r'0000_a\.sql:%s\b' % place), got.out + got.err)
    where = folders(newdir('odd'), [('0001_init', 'SELECT 1;')])
    got = mizzle('migrate', '--url', NOWHERE, '--dir', where)
    check('1.x: a name without a time: not sent to the server',
          True, got.status in (2, 3))


def unreadable():
    """As another user, because root reads everything."""
    if os.getuid() != 0:
        return
    program = shutil.copy(harness.MIZZLE, workdir() + '/mizzle')
    as_nobody = ['setpriv', '--reuid=65534', '--regid=65534',
                 '--clear-groups', program]

    def nobody(*args):
        return finish(subprocess.Popen(
            [*as_nobody, *args], cwd=workdir(), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={**os.environ, 'HOME': '/nonexistent'}))

    for what in 'meta/_journal.json', '0000_a.sql', 'meta', '.':
        where = journal(newdir('locked'), ONE)
        os.chmod(os.path.join(where, what), 0)
        complaint('unreadable: ' + what, nobody(
            'migrate', '--url', NOWHERE, '--dir', where), 2,
            'permission|denied|read')
    where = journal(newdir('locked'), ONE)
    secret = write(workdir() + '/url', NOWHERE)
    os.chmod(secret, 0o600)
    complaint('unreadable: the file of the URL', nobody(
        'migrate', '--url-file', secret, '--dir', where), (2, 3), 'url')


# ---- the server and its rights

def rights():
    # what, who, how the database is made, statuses, pattern
    where = journal(newdir('rights'), ONE)
    server.sql('postgres', "CREATE ROLE weak LOGIN PASSWORD '%s'"
               % server.password)
    for what, statements, pattern in (
            ('no right to create the schema', (), 'create|permission'),
            ('no right to use the schema',
             ('CREATE SCHEMA drizzle', 'CREATE TABLE drizzle.'
              '__drizzle_migrations (id serial PRIMARY KEY, hash text '
              'NOT NULL, created_at bigint)'), 'drizzle|permission'),
            ('no right to create in the schema',
             ('CREATE SCHEMA drizzle', 'GRANT USAGE ON SCHEMA drizzle '
              'TO weak'), 'drizzle|permission'),
            ('no right on the table',
             ('CREATE SCHEMA drizzle', 'CREATE TABLE drizzle.'
              '__drizzle_migrations (id serial PRIMARY KEY, hash text '
              'NOT NULL, created_at bigint)',
              'GRANT USAGE ON SCHEMA drizzle TO weak'),
             '__drizzle_migrations|permission')):
        server.fresh('bad', 'postgres')
        if statements:
            server.sql('bad', *statements)
        got = mizzle('migrate', '--url', server.url('bad', 'weak'), '--dir',
                     where)
        complaint(what, got, (1, 9), pattern)
        check(what + ': names the SQLSTATE or the right', re.compile(
            '42501|GRANT|privilege|right', re.IGNORECASE), got.err)
        check(what + ': nothing was made', '0', server.sql(
            'bad', "SELECT count(*) FROM pg_class WHERE relname = 'a'"))

    server.fresh('bad')
    server.sql('bad', 'ALTER DATABASE bad SET default_transaction_read_only '
               'TO on')
    complaint('a read-only database', mizzle(
        'migrate', '--url', server.url('bad'), '--dir', where), 9,
        'read-only')
    got = mizzle('status', '--url', server.url('bad'), '--dir', where)
    check('a read-only database: status works', 0, got.status)
    server.sql('postgres', 'ALTER DATABASE bad RESET '
               'default_transaction_read_only')
    got = mizzle('migrate', '--url', server.url('bad'), '--dir', where,
                 '--schema', 'x' * 64)
    complaint('a schema name that the server would cut', got, (1, 2),
              '63|long')
    got = mizzle('migrate', '--url', server.url('bad'), '--dir', where,
                 '--table', '')
    complaint('an empty table name', got, 2, 'table')


def connections():
    where = journal(newdir('conn'), ONE)
    server.fresh('bad')
    refused = closed_port()
    for what, url, pattern in (
            ('a wrong password', server.url('bad', password='wrong-one'),
             'password'),
            ('an empty password', 'postgresql://tester@127.0.0.1:%d/bad'
             % server.port, 'password'),
            ('an unknown database', server.url('nothere'), 'nothere'),
            ('an unknown role', server.url('bad', 'nobody-here'),
             'nobody-here|password'),
            ('no server there', 'postgresql://u:p@127.0.0.1:%d/d' % refused,
             r'127\.0\.0\.1.*%d' % refused),
            ('no socket there', 'postgresql:///d?host=/nonexistent&user=u',
             '/nonexistent'),
            ('a host that does not exist',
             'postgresql://u:p@no.such.host.invalid/d?connect_timeout=5',
             r'no\.such\.host\.invalid'),
            ('a port that is none', 'postgresql://u:p@127.0.0.1:99999/d',
             'port'),
            ('an sslmode that is none',
             'postgresql://u:p@127.0.0.1/d?sslmode=maybe', 'sslmode'),
            ('TLS required of a server without', server.url(
                'bad', query='?sslmode=require'), 'SSL|TLS')):
        got = mizzle('migrate', '--url', url, '--dir', where)
        complaint(what, got, (2, 3) if 'none' in what else 3, pattern)
        check(what + ': the password is not told', None, re.search(
            'wrong-one|p%40ss|p@ss', got.err + got.out))
        event = mizzle('status', '--json', '--url', url, '--dir',
                       where).event('error')
        check(what + ': as JSON', True,
              event.get('code') in ('connect', 'usage'))

    listener = socket.socket()
    listener.bind(('127.0.0.1', 0))
    listener.listen(5)

    def http():
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            peer.recv(1000)
            peer.sendall(b'HTTP/1.1 400 Bad Request\r\nServer: x\r\n\r\n')
            peer.close()
    threading.Thread(target=http, daemon=True).start()
    port = listener.getsockname()[1]
    for query in '', '?sslmode=disable':
        got = mizzle('migrate', '--dir', where, '--url',
                     'postgresql://u:p@127.0.0.1:%d/d%s' % (port, query))
        complaint('a web server ' + query, got, 3,
                  'not a PostgreSQL server|HTTP')
    listener.close()
    got = mizzle('migrate', '--dir', where, env={
        'DATABASE_URL': 'mysql://u:secretpw@h/d'})
    complaint('a URL of another database', got, (2, 3), 'mysql|postgres')
    check('its password is not told', None, re.search('secretpw', got.err))


# ---- the command line

def command_line():
    where = journal(newdir('cli'), ONE)
    for args, pattern in (
            (['--transacton', 'each', 'migrate'], '--transaction'),
            (['migrate', '--alow-modified'], '--allow-modified'),
            (['migrat'], 'migrate'),
            (['stauts'], 'status'),
            (['verfy'], 'verify'),
            (['frobnicate'], 'frobnicate'),
            (['migrate', '--transaction', 'some'], 'each|all'),
            (['migrate', '--out-of-order=maybe'], 'auto|refuse'),
            (['migrate', '--lock-wait', 'banana'], 'banana|duration'),
            (['migrate', '--lock-wait', '-5'], r'-5|duration|--lock-wait'),
            (['migrate', '--lock-wait', '99999999999999999999h'],
             'duration|long|large|--lock-wait'),
            (['migrate', '--wait'], '--wait'),
            (['migrate', '--json=yes'], '--json'),
            (['migrate', 'extra'], 'extra'),
            (['migrate', '--to', 'nothere', '--dir', where], 'nothere'),
            (['migrate', '--url-file', '/nonexistent/url', '--dir', where],
             '/nonexistent/url'),
            (['migrate', '--config', '/nonexistent/c.json', '--dir', where],
             '/nonexistent/c.json'),
            (['migrate', '--env-file', '/nonexistent/env', '--dir', where],
             '/nonexistent/env'),
            (['migrate', '--color', 'purple'], 'purple|auto'),
            (['--frob'], '--frob'),
            (['-Z'], '-Z'),
            (['help', 'frobnicate'], 'frobnicate')):
        got = mizzle(*args, env={'DATABASE_URL': NOWHERE})
        complaint('mizzle ' + ' '.join(args)[:50], got, 2, pattern)
        check('mizzle %s: nothing on stdout' % ' '.join(args)[:50], '',
              got.out)
    got = mizzle()
    check('no command: a short help, status 2', (2, True),
          (got.status, 'migrate' in got.out + got.err))
    check('--version', (0, True, ''), (lambda g: (
        g.status, g.out.startswith('mizzle ') and g.out.count('\n') == 1,
        g.err))(mizzle('--version')))
    for args in (['--help'], ['help', 'migrate'], ['migrate', '--help'],
                 ['status', '--help'], ['help', 'verify'], ['help']):
        got = mizzle(*args)
        check('mizzle %s' % ' '.join(args), (0, True, ''),
              (got.status, len(got.out) > 100, got.err))
    check('help migrate tells its options', re.compile(
        r'--out-of-order[\s\S]*'), mizzle('help', 'migrate').out)


def lost_output():
    where = journal(newdir('lost'), ONE)
    server.fresh('bad')
    for args in (['--version'], ['--help'], ['status', '--dir', where],
                 ['status', '--json', '--dir', where],
                 ['check', '--json', '--dir', where]):
        env = {'DATABASE_URL': server.url('bad')}
        with open('/dev/full', 'wb') as full:
            got = finish(start(*args, env=env, stdout=full))
        what = 'mizzle %s, the disk is full' % args[0]
        check(what + ': is no success', True, got.status not in (0, 'timeout')
              and isinstance(got.status, int) and got.status > 0)
        check(what + ': is said', re.compile('error: .*(space|write|output)',
                                             re.IGNORECASE), got.err)
        got = finish(start(*args, env=env, stdout=None,
                           preexec_fn=lambda: os.close(1)))
        check('mizzle %s, stdout is closed: no crash' % args[0], True,
              isinstance(got.status, int) and 0 <= got.status < 128)
    with open(os.path.join(where, 'output'), 'wb') as f:
        got = finish(start(
            'status', '--dir', where, env=env, stdout=f,
            preexec_fn=lambda: resource.setrlimit(
                resource.RLIMIT_FSIZE, (0, 0))))
    check('mizzle status, ulimit -f: is an error', 1, got.status)
    check('mizzle status, ulimit -f: is said', re.compile(
        'error: cannot write the output: File too large'), got.err)
    # files that are opened must not become the closed stdout or stderr
    got = finish(start('migrate', '--url', server.url('bad'), '--dir', where,
                       '--trace', workdir() + '/trace',
                       stdout=None, stderr=None,
                       preexec_fn=lambda: (os.close(1), os.close(2))))
    check('all closed: applied', (True, '1'), (got.status in (0, 1), server.sql(
        'bad', 'SELECT count(*) FROM drizzle.__drizzle_migrations')))


# ---- SQL that this program does not run

def not_run():
    for what, text, statuses, pattern in (
            ('a directive', '-- mizzle: no-transactions\nSELECT 1;', (2,),
             r'no-transactions[^\0]*0001_b\.sql:1:12'),
            ('COPY FROM STDIN without data', 'COPY a FROM STDIN;', (2,),
             'COPY'),
            ('COPY FROM STDIN without its end', 'CREATE TABLE t (id int);\n'
             'COPY a FROM STDIN;\n1\nDROP TABLE a;\n', (2,), r'0001_b\.sql:2'),
            ('rows that a breakpoint cuts', 'CREATE TABLE t (id int);\n'
             'COPY a FROM STDIN;\n1\n%s\nDROP TABLE a;\n\\.\n' % BREAK, (2,),
             'breakpoint'),
            ('a psql command', '\\set x 1\nSELECT 1;', (2,),
             r'0001_b\.sql:1')):
        server.fresh('bad')
        where = journal(newdir('notrun'), ONE + [('0001_b', text)])
        got = mizzle('migrate', '--url', server.url('bad'), '--dir', where)
        complaint(what, got, statuses, pattern)
        check(what + ': names the migration', re.compile('0001_b'), got.err)
        check(what + ': nothing of it is kept', '0', server.sql(
            'bad', "SELECT count(*) FROM pg_class WHERE relname = 't'"))
        check(what + ': no session is left', True, wait_for(
            lambda: server.sessions('bad') == '0'))
    # COPY TO STDOUT and COPY FROM a query's result are only odd
    server.fresh('bad')
    where = journal(newdir('notrun'), ONE + [
        ('0001_b', 'COPY a TO STDOUT;\nINSERT INTO a VALUES (1);')])
    got = mizzle('migrate', '--url', server.url('bad'), '--dir', where)
    check('COPY TO STDOUT does not hang', True, got.status != 'timeout')


def standby():
    """A hot standby answers queries and takes no changes."""
    where = journal(newdir('standby'), ONE)
    server.fresh('bad')
    server.do('server_down INT')
    copy = server.dir + '/data'
    write(copy + '/standby.signal', '')
    server.do('[ "$(id -u)" -ne 0 ] || chown postgres %s/standby.signal'
              % copy)
    server.do('server_up')
    complaint('a standby', mizzle(
        'migrate', '--url', server.url('bad'), '--dir', where), 9,
        'standby|recovery|read-only')
    got = mizzle('status', '--url', server.url('bad'), '--dir', where)
    check('a standby: status works', 0, got.status)
    server.do('server_down')
    os.unlink(copy + '/standby.signal')
    server.do('server_up')


folder_cases()
unreadable()
rights()
connections()
command_line()
lost_output()
not_run()
standby()
sys.exit(verdict())
