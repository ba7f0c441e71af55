# SPDX-License-Identifier: MIT
"""Several hosts: a primary, a real hot standby, and those that are not there.
"""
import atexit
import os
import re
import signal
import subprocess
import sys

from harness import (check, journal, mizzle, needs_program, newdir, note,
                     verdict, wait_for, workdir, write)
from tlsworld import SECRET, TlsServer, certs, conninfo, home

needs_program()
server = TlsServer('wal_level=replica', hba=(
    'local replication postgres trust',
    'host all all 127.0.0.1/32 scram-sha-256'), roles=('someone', 'reader'))
server.sql('postgres', 'ALTER ROLE reader SET default_transaction_read_only '
           '= on')
FULL = dict(sslmode='verify-full', sslrootcert=certs('root.crt'))
DEAD = 1


class Standby:
    """A copy of the server that follows it."""

    def __init__(self):
        self.data = os.path.join(server.dir, 'standby')
        server.do('$as_pg "$PG_BIN/pg_basebackup" -h "$dir" -p "$port" -U '
                  'postgres -D "$dir/standby" -R -c fast --no-sync '
                  '>>"$dir/standby.log" 2>&1')
        for _ in range(5):
            self.port = 12000 + int.from_bytes(os.urandom(2), 'big') % 20000
            if self.start():
                return
            self.stop()
        raise RuntimeError('no standby: ' + self.log())

    def log(self):
        with open(os.path.join(server.dir, 'standby.log'),
                  encoding='utf-8') as f:
            return f.read()

    def start(self):
        user = ['setpriv', '--reuid=postgres', '--regid=postgres',
                '--init-groups'] if os.geteuid() == 0 else []
        with open(os.path.join(server.dir, 'standby.log'), 'ab') as log:
            self.process = subprocess.Popen(
                [*user, os.path.join(server.bin, 'postgres'), '-D',
                 self.data, '-p', str(self.port), '-c', 'fsync=off', '-c',
                 'listen_addresses=127.0.0.1', '-c',
                 'unix_socket_directories=' + server.dir],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True)
        atexit.register(self.stop)
        return wait_for(lambda: self.process.poll() is not None or
                        self.state() == 'ready') and \
            self.process.poll() is None

    def state(self):
        try:
            with open(os.path.join(self.data, 'postmaster.pid'),
                      encoding='ascii') as f:
                return f.read().split('\n')[7].strip()
        except (OSError, IndexError):
            return None

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait()


standby = Standby()
PORTS = {'A': server.port, 'B': standby.port, '-': DEAD}


def hosts(letters, **words):
    """localhost, once for each letter: A primary, B standby, - nobody."""
    return conninfo(**{**dict(
        host=','.join('localhost' for _ in letters),
        hostaddr=','.join('127.0.0.1' for _ in letters),
        port=','.join(str(PORTS[x]) for x in letters), user='someone',
        dbname='postgres', password=SECRET, connect_timeout=5,
        **FULL), **words})


def ping(letters, env=None, **words):
    got = mizzle('ping', '--json', '--url', hosts(letters, **words),
                 env={'HOME': home(), **(env or {})})
    if SECRET in got.out + got.err:
        check('no password in any output', '', str(got))
    return got


def where(got):
    """A or B, by what the server itself says; else the status."""
    if got.status:
        return got.status
    facts = {}
    for event in got.events():
        facts.update(event)
    return 'B' if facts['recovery'] else 'A'


# target_session_attrs: where one comes to, for each list of hosts
TARGETS = {
    'any':            dict(AB='A', BA='B', A='A', B='B'),
    'read-write':     dict(AB='A', BA='A', A='A', B=3),
    'read-only':      dict(AB='B', BA='B', A=3, B='B'),
    'primary':        dict(AB='A', BA='A', A='A', B=3),
    'standby':        dict(AB='B', BA='B', A=3, B='B'),
    'prefer-standby': dict(AB='B', BA='B', A='A', B='B'),
}


def targets():
    for target, lists in TARGETS.items():
        for letters, want in lists.items():
            got = ping(letters, target_session_attrs=target)
            check('%s, hosts %s' % (target, letters), want, where(got)) or \
                note(str(got)[:400])
            if want == 3:
                check('%s, hosts %s: says it' % (target, letters),
                      re.compile('target_session_attrs|read-?only|read-?write'
                                 '|standby|primary'), got.err)
    # A primary where one cannot write: the role says so.
    for target, want in (('read-write', 3), ('read-only', 'A'),
                         ('primary', 'A'), ('standby', 'B')):
        got = ping('AB', target_session_attrs=target, user='reader')
        check('%s, a role that may only read' % target, want, where(got)) or \
            note(str(got)[:400])
    got = ping('AB', env={'PGTARGETSESSIONATTRS': 'standby'})
    check('by the environment', 'B', where(got))


def the_dead():
    for letters, want in (('-A', 'A'), ('-B', 'B'), ('--A', 'A'), ('A-', 'A'),
                          ('-', 3), ('--', 3)):
        got = ping(letters, target_session_attrs='any')
        check('hosts %s' % letters, want, where(got)) or note(str(got)[:400])
    # Of several hosts a migrator looks for the one that it can write to.
    got = ping('-BA')
    check('one is dead, one is a standby', 'A', where(got))
    got = ping('-B')
    check('one is dead, one is a standby, and no more', 3, where(got))
    check('it says what was wanted', re.compile('target_session_attrs'),
          got.err)
    got = ping('--')
    check('every failure is told', 2, got.err.count('refused')) or note(
        got.err)
    got = mizzle('ping', '--json', '--url', hosts(
        'AA', host='nowhere.invalid,localhost', hostaddr=None))
    check('a name that nobody knows comes first', 'A', where(got)) or note(
        str(got)[:400])
    # A server that says no is believed; the next one is not asked.
    got = ping('AB', password='wrong')
    check('the wrong password', 3, got.status)
    check('is told once', 1, len(re.findall(
        'password authentication failed', got.err))) or note(got.err)
    path = write(os.path.join(workdir(), 'passfile'), ''.join(
        'localhost:%d:*:*:%s\n' % (port, password) for port, password in (
            (DEAD, 'of the dead'), (PORTS['A'], SECRET),
            (PORTS['B'], 'wrong'))))
    os.chmod(path, 0o600)
    for letters, want in ('-A', 'A'), ('B', 3):
        got = ping(letters, passfile=path, password=None)
        check('each host has its password, hosts %s' % letters, want,
              where(got)) or note(str(got)[:400])


def balance():
    seen = {where(ping('AB', load_balance_hosts='random',
                       target_session_attrs='any'))
            for _ in range(16)}
    check('load_balance_hosts=random comes to both', {'A', 'B'}, seen)
    seen = {where(ping('AB', load_balance_hosts='disable'))
            for _ in range(4)}
    check('without, the first is taken', {'A'}, seen)


def work():
    """The commands, where one cannot write and where one can."""
    folder = journal(newdir('hosts'), [('0000_a', 'CREATE TABLE a (n int);')])
    server.fresh('w', 'someone')

    def go(command, letters, *more, **words):
        return mizzle(command, '--json', '--dir', folder, *more, '--url',
                      hosts(letters, dbname='w', **words))

    def caught_up(relation):
        return wait_for(lambda: subprocess.run(
            [server.psql, '-X', '-A', '-t', '-h', server.dir, '-p',
             str(standby.port), '-U', 'postgres', '-d', 'w', '-c',
             "SELECT to_regclass('%s')" % relation], capture_output=True,
            check=False).stdout.strip() not in (b'', b'-'))

    wait_for(lambda: go('status', 'B').status == 0)
    got = go('status', 'B')
    check('status on a standby, before the first run', (0, 1), (
        got.status, got.event('result').get('pending')))
    got = go('migrate', 'B')
    check('migrate on a standby is refused', (9, 'refused'), (
        got.status, got.event('error').get('code'))) or note(str(got))
    check('it says why', re.compile('read-only|standby|recovery'), str(
        got.event('error')) + got.err)
    got = go('migrate', 'BA', target_session_attrs='read-write')
    check('migrate where one can write', (0, 1), (
        got.status, got.event('result').get('applied'))) or note(str(got))
    check('the standby follows', True, caught_up('public.a'))
    for command in 'status', 'verify', 'migrate':
        got = go(command, 'B')
        check('%s on a standby when nothing is to do' % command, 0,
              got.status) or note(str(got))


targets()
the_dead()
balance()
work()
sys.exit(verdict())
