# SPDX-License-Identifier: MIT
"""What the integration tests that are written in Python share.

A test makes a Server (server.sh does the work), folders of migrations and
databases, runs the program, and says what it expects with check(); its last
line is `sys.exit(verdict())`.
"""
import hashlib
import json
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

SRCDIR = os.path.abspath(os.environ.get('srcdir', '.'))
HERE = os.path.join(SRCDIR, 'tests', 'it')
MIZZLE = os.path.abspath(os.environ.get('MIZZLE', './mizzle'))
LONG = bool(os.environ.get('LONG'))
BREAK = '--> statement-breakpoint'


def skip(why):
    """The whole test cannot run here."""
    print(why)
    sys.exit(1 if os.environ.get('REQUIRE_PG') and 'PostgreSQL' in why else 77)


def shared():
    """Test data of others, which lives outside of the tree."""
    place = os.environ.get('SHARED') or os.path.join(SRCDIR, '..', 'shared')
    return os.path.abspath(place) if os.path.isdir(place) else None


# What the caller's environment says of databases is not for tests.
for name in list(os.environ):
    if name.startswith(('PG', 'MIZZLE_')) and name not in ('PG_BIN',):
        del os.environ[name]
for name in ('DATABASE_URL', 'GITHUB_ACTIONS', 'CLICOLOR_FORCE', 'MIZZLE',
             'SSL_CERT_FILE', 'SSL_CERT_DIR', 'SSLKEYLOGFILE', 'OPENSSL_CONF',
             'RES_OPTIONS', 'LOCALDOMAIN', 'HOSTALIASES'):
    os.environ.pop(name, None)
os.environ['HOME'] = '/nonexistent'     # nor what is in its home
os.umask(0o022)
for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGQUIT):
    signal.signal(number, signal.SIG_DFL)   # nohup would be inherited
# So would be a SIGINT that is ignored, as in whatever a shell runs with &.
signal.signal(signal.SIGINT, signal.default_int_handler)

# ---- what was found

_passed = 0
_failed = 0


def check(what, want, got):
    """One test; a pattern may be wanted in place of a value."""
    global _passed, _failed
    ok = want.search(got) if isinstance(want, re.Pattern) else want == got
    if ok:
        _passed += 1
        return True
    _failed += 1
    if isinstance(want, re.Pattern):
        want = '/%s/' % want.pattern
    print('FAIL %s\n  want: %s\n  got:  %s' % (what, indented(want),
                                              indented(got)), flush=True)
    return False


def indented(value):
    return str(value).replace('\n', '\n        ')


def note(text):
    print(text, flush=True)


def verdict():
    print('%d passed, %d failed' % (_passed, _failed))
    return 1 if _failed else 0


# ---- a place for files

_work = None


def workdir():
    """A directory that is removed at the end; every user may enter it."""
    global _work
    if not _work:
        _work = tempfile.mkdtemp(prefix='mizzle-it.')
        os.chmod(_work, 0o755)
        import atexit
        atexit.register(shutil.rmtree, _work, ignore_errors=True)
    return _work


def newdir(name):
    place = os.path.join(workdir(), name)
    shutil.rmtree(place, ignore_errors=True)
    os.makedirs(place)
    return place


def write(path, content):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'wb') as f:
        f.write(content if isinstance(content, bytes) else content.encode())
    return path


def sha256(content):
    if isinstance(content, str):
        content = content.encode()
    return hashlib.sha256(content).hexdigest()


# ---- folders of migrations

WHEN = 1700000000123


def journal(where, migrations, start=WHEN, step=1000):
    """The 0.x layout; migrations are (tag, sql) or (tag, sql, when)."""
    entries = []
    for i, m in enumerate(migrations):
        when = m[2] if len(m) > 2 else start + i * step
        if m[1] is not None:
            write(os.path.join(where, m[0] + '.sql'), m[1])
        entries.append({'idx': i, 'version': '7', 'when': when, 'tag': m[0],
                        'breakpoints': True})
    write(os.path.join(where, 'meta', '_journal.json'), json.dumps(
        {'version': '7', 'dialect': 'postgresql', 'entries': entries},
        indent=2))
    return where


def folders(where, migrations):
    """The 1.x layout; migrations are (name, sql)."""
    for name, text in migrations:
        write(os.path.join(where, name, 'migration.sql'), text)
    return where


# ---- the program

class Result:
    def __init__(self, status, out, err):
        self.status, self.out, self.err = status, out, err

    def __str__(self):
        return 'status %s\nstdout: %s\nstderr: %s' % (
            self.status, self.out, self.err)

    def events(self):
        return [json.loads(line) for line in self.out.splitlines()]

    def event(self, kind):
        found = [e for e in self.events() if e['event'] == kind]
        return found[0] if found else {}


def environment(extra):
    env = dict(os.environ)
    for key, value in (extra or {}).items():
        if value is None:
            env.pop(key, None)
        else:
            env[key] = value
    return env


def start(*args, env=None, cwd=None, prefix=(), **more):
    more.setdefault('stdin', subprocess.DEVNULL)
    more.setdefault('stdout', subprocess.PIPE)
    more.setdefault('stderr', subprocess.PIPE)
    return subprocess.Popen([*prefix, MIZZLE, *args], env=environment(env),
                            cwd=cwd or workdir(), **more)


def heard(process, text, seconds=30):
    """Wait until it has said that on stderr; finish() has all of it still."""
    said = getattr(process, 'said', b'')
    end = time.monotonic() + seconds
    while text.encode() not in said:
        left = max(0, end - time.monotonic())
        part = select.select([process.stderr], [], [], left)[0] and \
            os.read(process.stderr.fileno(), 65536)
        if not part:
            break
        said += part
    process.said = said
    return text.encode() in said


def finish(process, timeout=120):
    """-N is death by signal N; status 'timeout' means it had to be killed."""
    try:
        out, err = process.communicate(timeout=timeout)
        status = process.returncode
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        status = 'timeout'
    return Result(status, (out or b'').decode('utf-8', 'replace'),
                  (getattr(process, 'said', b'') + (err or b'')).decode(
                      'utf-8', 'replace'))


def mizzle(*args, timeout=120, **more):
    return finish(start(*args, **more), timeout)


def needs_program():
    if not os.access(MIZZLE, os.X_OK):
        skip('no program to test: %s' % MIZZLE)


# ---- the real Drizzle

def drizzle_home():
    """Where drizzle-orm is installed: DRIZZLE_HOME, or tests/it/drizzle."""
    for place in (os.environ.get('DRIZZLE_HOME'), 'tests/it/drizzle',
                  os.path.join(HERE, 'drizzle')):
        if place and os.path.isdir(os.path.join(place, 'node_modules',
                                                'drizzle-orm-v1')):
            return os.path.abspath(place)
    return None


def start_drizzle(version, url, folder, *names):
    """Popen of drizzle-orm's migrate(); version is 0 or 1."""
    return subprocess.Popen(
        ['node', os.path.join(HERE, 'drizzle', 'migrate.cjs'), str(version),
         url, folder, *names], env={**os.environ,
                                    'DRIZZLE_HOME': drizzle_home()},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE)


def drizzle(version, url, folder, *names):
    return finish(start_drizzle(version, url, folder, *names), 120)


def kit_home(version):
    """Where drizzle-kit 0.x or 1.x is installed: KIT_HOME/kit0, /kit1."""
    home = os.environ.get('KIT_HOME') or os.path.dirname(drizzle_home() or '')
    place = os.path.join(home, 'kit%d' % version)
    return place if home and os.path.isdir(os.path.join(
        place, 'node_modules', 'drizzle-kit')) else None


# ---- the server

VERSIONS = range(13, 19)


def servers():
    """{version: directory of initdb and postgres} of all that are here: npm's
    (install_postgres), and Debian's."""
    homes = [os.environ.get('POSTGRES_HOME') or '/nonexistent',
             '/var/cache/mizzle-tests/postgres']
    found = {}
    for version in VERSIONS:
        for place in (*(os.path.join(home, 'node_modules', 'postgres-%d' %
                                     version, 'native', 'bin')
                        for home in homes),
                      '/usr/lib/postgresql/%d/bin' % version):
            if os.access(os.path.join(place, 'initdb'), os.X_OK):
                found.setdefault(version, place)
    return found


class Server:
    """A cluster of its own; a shell with server.sh in it does the work.  place
    is where its programs are, if that is not PG_BIN."""

    def __init__(self, *settings, place=None):
        self.shell = subprocess.Popen(
            ['sh', '-c', '''
                . "$srcdir/tests/it/server.sh"
                server_start "$@"
                echo "$port|$dir|$PG_BIN|$password|$psql"
                while read -r line; do
                    eval "$line" </dev/null
                    echo "done $? $port $server_pid"
                done
            ''', 'server', *settings],
            env=environment({'srcdir': SRCDIR,
                             **({'PG_BIN': place} if place else {})}),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            start_new_session=True)
        first = self.shell.stdout.readline().rstrip('\n')
        if first.count('|') != 4:
            rest = self.shell.stdout.read()
            self.shell.wait()
            print(first + '\n' + rest, end='')
            sys.exit(self.shell.returncode or 1)
        port, self.dir, self.bin, self.password, self.psql = first.split('|')
        self.port = int(port)
        os.chmod(self.dir, 0o755)
        import atexit
        atexit.register(self.stop)
        # Half the time of wal_log, where there is a choice.
        self.quickly = 'STRATEGY file_copy' if self.version() >= 150000 else ''

    def do(self, line):
        """A line of shell, with the functions of server.sh."""
        self.shell.stdin.write(line + '\n')
        self.shell.stdin.flush()
        answer = []
        while True:
            got = self.shell.stdout.readline()
            if not got:
                raise RuntimeError('the server is gone: ' + ''.join(answer))
            if got.startswith('done '):
                break
            answer.append(got)
        _, status, port, *pid = got.split()
        self.port = int(port)
        if status != '0':
            raise RuntimeError('%s: %s' % (line, ''.join(answer)))

    def stop(self):
        if self.shell.poll() is None:
            self.shell.stdin.close()
            self.shell.wait()

    def hba(self, *lines):
        self.do('server_hba ' + ' '.join("'%s'" % line for line in lines))

    def sql(self, db, *statements, user='postgres'):
        """Rows as psql -At prints them, without the last newline."""
        args = [self.psql, '-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1',
                '-h', self.dir, '-p', str(self.port), '-U', user, '-d', db]
        for statement in statements:
            args += ['-c', statement]
        done = subprocess.run(args, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError('%s: %s' % (statements, done.stderr))
        return done.stdout.rstrip('\n')

    def hold(self, db, *statements):
        """A session of the superuser that has done that, until close()."""
        return Holder([self.psql, '-X', '-q', '-A', '-t', '-h', self.dir,
                       '-p', str(self.port), '-U', 'postgres', '-d', db],
                      statements)

    def fresh(self, name, owner='tester', more=''):
        self.sql('postgres',
                 'DROP DATABASE IF EXISTS "%s" WITH (FORCE)' % name,
                 'CREATE DATABASE "%s" OWNER %s TEMPLATE template0 %s %s'
                 % (name, owner, more, self.quickly))
        return name

    def url(self, db, user='tester', password=None, query=''):
        quoted = ''.join(c if c.isalnum() else '%%%02X' % ord(c)
                         for c in (password or self.password))
        return 'postgresql://%s:%s@127.0.0.1:%d/%s%s' % (
            user, quoted, self.port, db, query)

    def socket(self, db, user='tester'):
        """A URL that needs no password."""
        return 'postgresql:///%s?host=%s&port=%d&user=%s' % (
            db, self.dir, self.port, user)

    def version(self):
        return int(self.sql('postgres', 'SHOW server_version_num'))

    def dump(self, db):
        """pg_dump of the schema, without the lines that name versions."""
        text = subprocess.run(
            [os.path.join(self.bin, 'pg_dump'), '--schema-only', '--no-owner',
             '-h', self.dir, '-p', str(self.port), '-U', 'postgres', db],
            capture_output=True, check=True).stdout
        drop = (b'\\restrict', b'\\unrestrict', b'-- Dumped ')
        return b''.join(line for line in text.splitlines(keepends=True)
                        if not line.startswith(drop))

    def history(self, db, columns='id, hash, created_at', table=None):
        return self.sql(db, 'SELECT %s FROM %s ORDER BY id' % (
            columns, table or 'drizzle.__drizzle_migrations'))

    def sessions(self, db):
        """Who else is connected to a database."""
        return self.sql('postgres', "SELECT count(*) FROM pg_stat_activity "
                        "WHERE datname = '%s'" % db)

    def sleeping(self, db):
        """How many of them are in a pg_sleep."""
        return self.sql('postgres', "SELECT count(*) FROM pg_stat_activity "
                        "WHERE datname = '%s' AND wait_event = 'PgSleep'" % db)

    def roles(self):
        return self.sql('postgres', 'SELECT rolname FROM pg_roles').split()


class Holder:
    """psql that holds something until it is closed."""

    def __init__(self, psql, statements):
        self.psql = subprocess.Popen(psql, stdin=subprocess.PIPE,
                                     stdout=subprocess.PIPE, text=True)
        self.psql.stdin.write(';'.join(statements) + ";\nSELECT 'ready';\n")
        self.psql.stdin.flush()
        while 'ready' not in self.psql.stdout.readline():
            pass

    def close(self):
        self.psql.stdin.close()
        self.psql.wait()


def wait_for(condition, seconds=60):
    """Poll until it is true; false when it never is."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False


_reserved = []


def closed_port():
    """Nobody listens there, and nobody else gets it while this test runs."""
    reserved = socket.socket()
    reserved.bind(('127.0.0.1', 0))
    _reserved.append(reserved)
    return reserved.getsockname()[1]
