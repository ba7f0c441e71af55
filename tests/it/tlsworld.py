# SPDX-License-Identifier: MIT
"""A server with TLS, for tests: it takes any certificate of certs.sh from one
moment to the next, and its log says what came of each connection."""
import os
import re
import shutil
import signal
import socket
import subprocess

from harness import (HERE, Server, check, mizzle, newdir, note, shared, skip,
                     wait_for, workdir, write)

SECRET = 'tops3cret pw'
_certs = os.environ.get('CERTS')


def certs(name=''):
    """The path of a file that certs.sh makes; it is run when first asked,
    unless $CERTS says where it was."""
    global _certs
    if not _certs:
        if not shutil.which('openssl'):
            skip('no openssl here')
        _certs = newdir('certs')
        done = subprocess.run(
            ['sh', os.path.join(HERE, '..', 'certs.sh'), _certs],
            capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError('certs.sh: ' + done.stdout + done.stderr)
    return os.path.join(_certs, name)


def conninfo(**words):
    """Keywords and values; None leaves a keyword out."""
    return ' '.join("%s='%s'" % (k, str(v).replace('\\', '\\\\').replace(
        "'", "\\'")) for k, v in words.items() if v is not None)


class Attempt:
    """What the log says of one connection."""

    def __init__(self):
        self.tls = None      # its protocol; None is plaintext
        self.user = None     # who was let in
        self.fatal = None    # why nobody was

    def __repr__(self):
        return '<%s, %s>' % (self.tls or 'plain', 'in as %s' % self.user
                             if self.user else self.fatal)


class TlsServer(Server):
    """Everybody is trusted at first; hba() and tls() change that."""

    def __init__(self, *settings, certificate='server', roles=(), hba=None,
                 **more):
        super().__init__('autovacuum=off', 'log_connections=on',
                         'password_encryption=scram-sha-256',
                         'listen_addresses=127.0.0.1,::1', *settings)
        self.data = os.path.join(self.dir, 'data')
        self.rules = []
        self.settings = {}
        self.seen = 0
        with open(os.path.join(self.data, 'postgresql.conf'), 'a',
                  encoding='ascii') as f:
            f.write("include 'tls.conf'\n")
        self.sql('postgres', 'SELECT', *(
            'CREATE ROLE "%s" LOGIN PASSWORD \'%s\'' % (role, SECRET)
            for role in roles))
        self.hba(*(hba or ['host all all 127.0.0.1/32 trust']),
                 reload=False)
        if certificate:
            self.tls(certificate, **more)
        else:
            self.set(ssl='off', **more)

    # ---- changes, in force at once

    def put(self, path, text):
        """A file in the data directory; its owner is the directory's."""
        path = os.path.join(self.data, path)
        mode = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(mode, 'wb') as f:
            f.write(text)
        owner = os.stat(self.data)
        os.chown(path, owner.st_uid, owner.st_gid)

    def hba(self, *lines, reload=True):
        self.rules = ['local all postgres trust', *lines]
        self.put('pg_hba.conf', ('\n'.join(self.rules) + '\n').encode())
        if reload:
            self.reload()

    def set(self, **settings):
        self.settings.update(settings)
        self.put('tls.conf', ''.join(
            "%s = '%s'\n" % (k, v) for k, v in self.settings.items()
            if v is not None).encode())
        self.reload()

    def tls(self, certificate, **settings):
        """Another certificate, with its key."""
        for end in 'crt', 'key':
            name = 'server' if certificate + end == 'alonekey' \
                else certificate
            with open(certs('%s.%s' % (name, end)), 'rb') as f:
                self.put('server.' + end, f.read())
        self.set(ssl='on', **settings)

    def reload(self):
        """The files are read between that line in the log and the next
        connection; whoever writes others meanwhile makes a mixture."""
        self.attempts()
        with open(os.path.join(self.data, 'postmaster.pid'),
                  encoding='ascii') as f:
            os.kill(int(f.readline()), signal.SIGHUP)
        if not wait_for(lambda: 'received SIGHUP' in self.news()):
            raise RuntimeError('the server does not reload')
        with socket.socket(socket.AF_UNIX) as knock:
            knock.connect(os.path.join(self.dir, '.s.PGSQL.%d' % self.port))
            if not wait_for(lambda: re.search(
                    r'(?s)received SIGHUP.*received: host=\[local\]',
                    self.news())):
                raise RuntimeError('the server does not come back')

    # ---- the log

    def news(self):
        with open(os.path.join(self.dir, 'server.log'), 'rb') as f:
            f.seek(self.seen)
            return f.read().decode('utf-8', 'replace')

    def attempts(self):
        """The connections by TCP since the last look, in order."""
        text = self.news()
        self.seen += len(text.encode())
        if 'was not reloaded' in text or 'not reload' in text:
            raise RuntimeError(text)
        found = {}
        for pid, line in re.findall(r'(?m)^\S+ \S+ \S+ \[(\d+)\] (.*)$',
                                    text):
            if re.match(r'LOG: +connection received: host=[^[]', line):
                found[pid] = Attempt()
            one = found.get(pid)
            if not one:
                continue
            got = re.match(r'LOG: +connection authorized: user=(.*?) '
                           r'(?:database=|application_name=|SSL)', line)
            if got:
                one.user = got[1]
                tls = re.search(r'SSL enabled \(protocol=([^,]*),', line)
                one.tls = tls[1] if tls else None
            if line.startswith('FATAL:'):
                one.fatal = line[6:].strip()
                if re.search(r', SSL (on|encryption)', line):
                    one.tls = 'TLS'
        return list(found.values())

    # ---- the program

    def words(self, **words):
        """A connection string; what is not said here is by default."""
        return conninfo(**{**dict(
            host='localhost', hostaddr='127.0.0.1', port=self.port,
            user='tester', dbname='postgres', connect_timeout=30), **words})

    def go(self, *args, env=None, command='ping', timeout=120, url=None,
           **words):
        """Run a command; its result has attempts and trace too."""
        self.attempts()
        trace = os.path.join(workdir(), 'trace')
        write(trace, '')
        got = mizzle(command, '--url', url or self.words(**words), '--trace',
                     trace, *args, env={'HOME': home(), **(env or {})},
                     timeout=timeout)
        with open(trace, encoding='utf-8', errors='replace') as f:
            got.trace = f.read()
        got.attempts = self.attempts()
        for secret in SECRET, 'open sesame', 'PRIVATE KEY':
            if secret in got.out + got.err + got.trace:
                check('no secret in any output: %s' % words, '', str(got))
        if re.search('[\0-\x08\x0b-\x1f\x7f]', got.out + got.err):
            check('no control characters: %s' % words, '', repr(str(got)))
        return got

    def good(self, what, tls=True, **words):
        """It connects, at the first attempt."""
        got = self.go(**words)
        came_in = [a for a in got.attempts if a.user]
        check(what, (0, 1, bool(tls)), (got.status, len(came_in), bool(
            came_in and came_in[-1].tls))) or note(said(got))
        return got

    def bad(self, what, pattern, status=3, **words):
        """It does not, and says why in one error; status may be several, and
        so may be what it says."""
        got = self.go(**words)
        error = [l for l in got.err.splitlines() if l.startswith('error: ')]
        known = status if isinstance(status, tuple) else (status,)
        parts = pattern if isinstance(pattern, tuple) else (pattern,)
        check(what + ': status', True, got.status in known) and \
            check(what + ': one error', 1, len(error)) and \
            all([check(what + ': says it', re.compile(part, re.I | re.S),
                       got.err) for part in parts]) or note(said(got))
        return got


def said(got):
    return '  attempts: %s\n  %s' % (got.attempts, str(got)[:600].replace(
        '\n', '\n  '))


def home(**files):
    """A home directory; a__b.crt=c puts root.crt into .postgresql/."""
    if not files:
        return newdir('home') if not os.path.isdir(os.path.join(
            workdir(), 'home')) else os.path.join(workdir(), 'home')
    where = newdir('home-with')
    os.mkdir(os.path.join(where, '.postgresql'))
    for name, source in files.items():
        target = os.path.join(where, '.postgresql', name.replace('_', '.'))
        shutil.copy(certs(source), target)
        os.chmod(target, 0o600)
    return where


def vectors(name):
    """Rows of a table of others, or None without them."""
    if not shared():
        note('%s is not here' % name)
        return None
    with open(os.path.join(shared(), 'vectors', name),
              encoding='utf-8') as f:
        return [line.rstrip('\n').split('\t') for line in f
                if not line.startswith('#')]
