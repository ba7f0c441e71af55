# SPDX-License-Identifier: MIT
"""Which files the static program opens: the folder, what names need, what the
user names, and no others; and what the environment cannot do to it.  Run by
tests/static.sh; the files of the machine are there to be opened."""
import os
import re
import shutil
import subprocess
import sys

from harness import MIZZLE, check, journal, newdir, note, skip, verdict, write
from room import NAMESERVER, serve_names, url
from tlsworld import TlsServer, certs

if not shutil.which('strace'):
    skip('no strace here')
if os.geteuid() != 0:
    skip('only root can put a name server into /etc/resolv.conf')

CALL = re.compile(r'^(?:\d+ +)?(\w+)\((?:AT_FDCWD, |\d+, )?"([^"]*)"')
CONFIG = {'drizzle.config.' + end
          for end in ('json', 'ts', 'js', 'mjs', 'mts', 'cjs', 'cts')}
WORKING = CONFIG | {'.env'}
FOLDER = re.compile('drizzle(/|$)')
NAMES = {'/etc/resolv.conf', '/etc/hosts'}
# Not opened, only looked at: by the C library, and for a socket.
LOOKED_AT = {'/proc/self/exe', '/var/run/postgresql', '/tmp'}

serve_names()
server = TlsServer(hba=('host all tester 127.0.0.1/32 scram-sha-256',))
where = newdir('where')
journal(os.path.join(where, 'drizzle'), [
    ('0000_a', 'CREATE TABLE a (id int);'),
    ('0001_b', 'CREATE INDEX CONCURRENTLY ON a (id);')])
resolv = write(os.path.join(where, 'resolv'), 'nameserver %s\n' % NAMESERVER)
trace = os.path.join(where, 'trace')


def touched(*command, env=None):
    """Exit status, and (system call, path) of each path that was named."""
    done = subprocess.run(
        ['unshare', '-m', 'sh', '-c', 'mount --bind %s /etc/resolv.conf && '
         'exec strace -f -e trace=%%file -o %s env -i "$@"' % (resolv, trace),
         'sh', *('%s=%s' % one for one in (env or {}).items()), MIZZLE,
         *command], cwd=where, stdin=subprocess.DEVNULL, capture_output=True,
        text=True, timeout=120)
    with open(trace, encoding='utf-8', errors='replace') as f:
        calls = [CALL.match(line) for line in f]
    calls = [c.groups() for c in calls if c]
    mine = max(i for i, c in enumerate(calls) if c == ('execve', MIZZLE))
    return done, [c for c in calls[mine + 1:] if c[1]]


def only(what, allowed, *command, env=None, status=0):
    done, calls = touched(*command, env=env)
    check(what, status, done.returncode) or note(done.stdout + done.stderr)
    check(what + ': nothing else is touched', [],
          [c for c in calls if c[1] not in allowed and
           c[1] not in LOOKED_AT and not FOLDER.match(c[1])])
    check(what + ': what may be looked at is not opened', [],
          [c for c in calls if c[1] in LOOKED_AT and c[0].startswith('open')])
    return calls


def by(host, **words):
    return '--url', url(server, 'opened', host, **words)


# ---- each command, by TCP and by TLS

PLAIN = by('db.example.test', sslmode='disable')
ADDRESS = by('127.0.0.1', sslmode='disable')
ROOT = certs('root.crt')
FULL = by('db.example.test', sslmode='verify-full', sslrootcert=ROOT)
MACHINE = {'/etc/ssl/certs/ca-certificates.crt',
           '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
           '/etc/pki/tls/certs/ca-bundle.crt', '/etc/ssl/ca-bundle.pem',
           '/etc/ssl/cert.pem'}
home = newdir('home')
HOME = {home + '/.postgresql/' + name
        for name in ('root.crl', 'postgresql.crt', 'postgresql.key')}

server.fresh('opened')
only('the version', set(), '--version')
only('help', set(), 'help', 'migrate')
only('check', WORKING, 'check')
only('migrate to an address', WORKING, 'migrate', *ADDRESS)
server.fresh('opened')
only('migrate to a name', WORKING | NAMES, 'migrate', *PLAIN)
for command in 'migrate', 'status', 'verify', 'plan', 'ping', 'locks':
    only(command + ' by TCP', WORKING | NAMES, command, *PLAIN)
    only(command + ' by TLS', WORKING | NAMES | HOME | {ROOT}, command,
         *FULL, env={'HOME': home})
only('without HOME only the user is looked up', WORKING | NAMES | {
    ROOT, '/etc/passwd', '/root/.postgresql/root.crl',
    '/root/.postgresql/postgresql.crt'}, 'ping', *FULL)
only('public authorities are those of the machine',
     WORKING | NAMES | HOME | MACHINE, 'ping',
     *by('db.example.test', sslmode='verify-full', sslrootcert='system'),
     env={'HOME': home}, status=3)

# ---- what the environment says to others

trap = write(os.path.join(where, 'trap'), 'openssl_conf = x\n[x]\n'
             'providers = y\n[y]\nlegacy = z\n[z]\nactivate = 1\n')
traps = newdir('traps')
for name in 'gconv-modules', 'libc.so.6', 'libnss_files.so.2', 'legacy.so', \
        'Europe/Berlin', 'de_DE.UTF-8/LC_MESSAGES':
    write(os.path.join(traps, name), 'trap')
IGNORED = {
    'OPENSSL_CONF': trap, 'OPENSSL_MODULES': traps, 'OPENSSL_ENGINES': traps,
    'OPENSSL_CONF_INCLUDE': traps, 'CTLOG_FILE': trap, 'SSLKEYLOGFILE': trap,
    'RANDFILE': trap, 'LD_PRELOAD': traps + '/libc.so.6',
    'LD_LIBRARY_PATH': traps, 'LD_AUDIT': trap, 'LD_DEBUG': 'all',
    'LD_DEBUG_OUTPUT': traps + '/ld', 'GCONV_PATH': traps, 'LOCPATH': traps,
    'NLSPATH': traps + '/%N', 'LANGUAGE': 'de', 'LC_ALL': 'de_DE.UTF-8',
    'TZ': ':' + traps + '/Europe/Berlin', 'TZDIR': traps, 'TMPDIR': traps,
    'MALLOC_TRACE': traps + '/malloc', 'MALLOC_PERTURB_': '85',
    'MALLOC_CHECK_': '3', 'MALLOC_ARENA_MAX': '1', 'GETCONF_DIR': traps,
    'GLIBC_TUNABLES': 'glibc.malloc.perturb=170', 'POSIXLY_CORRECT': '1',
}
before = sorted(os.listdir(traps))
done, calls = touched('status', *PLAIN)
usual = done.stdout
for name, value in IGNORED.items():
    done, calls = touched('status', *PLAIN, env={name: value})
    check('%s changes nothing' % name, (0, usual, ''),
          (done.returncode, done.stdout, done.stderr))
only('nor do all together, by TLS', WORKING | NAMES | HOME | {ROOT}, 'ping',
     *FULL, env={**IGNORED, 'HOME': home})
check('and nothing was written', before, sorted(os.listdir(traps)))

# The resolver's own variables and OpenSSL's two are obeyed, as documented.
short = by('db', sslmode='disable')
check('without a domain there is no such name', 3,
      touched('ping', *short)[0].returncode)
done, calls = touched('ping', *short, env={'LOCALDOMAIN': 'example.test'})
check('LOCALDOMAIN is searched', 0, done.returncode) or note(done.stderr)
aliases = write(os.path.join(where, 'aliases'), 'db db.example.test\n')
only('HOSTALIASES has other names', WORKING | NAMES | {aliases}, 'ping',
     *short, env={'HOSTALIASES': aliases})
done, calls = touched('ping', *PLAIN, env={'RES_OPTIONS': 'ndots:3 rotate'})
check('RES_OPTIONS is read', 0, done.returncode) or note(done.stderr)
system = by('db.example.test', sslmode='verify-full', sslrootcert='system')
only('SSL_CERT_FILE names the public authorities',
     WORKING | NAMES | HOME | {ROOT}, 'ping', *system,
     env={'SSL_CERT_FILE': ROOT, 'HOME': home})
server.stop()
sys.exit(verdict())
