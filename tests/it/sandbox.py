# SPDX-License-Identifier: MIT
"""The static program where nothing is given: an empty, read-only root without
/proc and /dev, an arbitrary user, 16 MiB of memory, no HOME, no TMPDIR, and
death for starting a process (jail.c).  Run by tests/static.sh, with a program
that was configured with --with-ca-bundle=$CERTS/both.crt."""
import os
import re
import signal
import subprocess
import sys

from harness import (check, finish, journal, note, skip, verdict, wait_for,
                     workdir)
from room import VERIFIED, furnish, serve_names, url
from tlsworld import TlsServer

MEMORY = '16'   # MiB
JAIL = os.path.abspath(os.environ.get('JAIL', 'tests/it/jail'))
PLAIN = {'sslmode': 'disable'}

if os.geteuid() != 0:
    skip('only root can give everything away')
tried = subprocess.run([JAIL, '/', '0', '0', 'pid1', '/bin/true'],
                       capture_output=True, text=True)
if tried.returncode:
    skip('no namespaces here: ' + tried.stderr.strip())


def jailed(*command, uid=65532, memory=MEMORY, first='child', **more):
    return subprocess.Popen([JAIL, room, str(uid), memory, first, *command],
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, cwd=workdir(), **more)


def migrate(db, ways, command='migrate', **more):
    return finish(jailed('/mizzle', command, '--url',
                         url(server, db, **ways), **more))


serve_names()
server = TlsServer(hba=('hostssl all tester 127.0.0.1/32 scram-sha-256',
                        'hostnossl all tester 127.0.0.1/32 scram-sha-256'))
room = furnish()
journal(os.path.join(room, 'drizzle'), [
    ('%04d_t%d' % (i, i), 'CREATE TABLE t%d (id serial PRIMARY KEY, note '
     'varchar(80));\n--> statement-breakpoint\nCREATE UNIQUE INDEX ON '
     't%d (note);' % (i, i)) for i in range(30)])

# ---- what the jail forbids is forbidden, or the rest would show nothing

def shell(script, memory='0'):
    return finish(subprocess.Popen(
        [JAIL, '/', '65532', memory, 'child', '/bin/sh', '-c', script],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE)).status


check('a shell runs', 0, shell('read x </etc/passwd'))
check('a process that is started is the end', -signal.SIGSYS, shell('id; :'))
check('so is a program that is executed', -signal.SIGSYS, shell('exec id'))
check('nothing can be written', True, shell(': >/tmp/mizzle-jail') > 0)
check('and memory is short', True, shell(':', memory='1') != 0)

# ---- and it works nevertheless

for way, words, tls in ('TCP', PLAIN, None), \
        ('TLS, verify-full', VERIFIED, 'TLSv1.3'):
    for uid in 12345, 65532:
        what = 'by %s as user %d' % (way, uid)
        server.fresh('box')
        server.attempts()
        got = migrate('box', words, uid=uid)
        check(what, 0, got.status) or note(str(got))
        check(what + ', applied', re.compile('applied 30 migrations'),
              got.out + got.err)
        check(what + ', protected', [tls],
              [a.tls for a in server.attempts() if a.user])
        got = migrate('box', words, uid=uid)
        check(what + ', again', 0, got.status) or note(str(got))
    for command in 'status', 'verify', 'plan', 'ping', 'check':
        more = migrate('box', words, command)
        check('%s by %s' % (command, way), 0, more.status) or note(str(more))
    got = migrate('box', words, memory='4d')
    check('4 MiB of data, by ' + way, 0, got.status) or note(str(got))
server.fresh('box')


# ---- a control group counts everything, the kernel's part included

def group():
    """A control group of 16 MiB; None where there is none to be had."""
    for top, most in ('/sys/fs/cgroup/memory', 'memory.limit_in_bytes'), \
            ('/sys/fs/cgroup', 'memory.max'):
        place = os.path.join(top, 'mizzle-test-%d' % os.getpid())
        try:
            os.mkdir(place)
            with open(os.path.join(place, most), 'w', encoding='ascii') as f:
                f.write(str(16 << 20))
            return place
        except OSError:
            if os.path.isdir(place):
                os.rmdir(place)
    return None


def vacant(place):
    try:
        os.rmdir(place)
        return True
    except OSError:
        return False


def join():
    with open(os.path.join(place, 'cgroup.procs'), 'w',
              encoding='ascii') as f:
        f.write(str(os.getpid()))


place = group()
if place:
    for way, words in ('TCP', PLAIN), ('TLS', VERIFIED):
        server.fresh('box')
        got = migrate('box', words, memory='0', preexec_fn=join)
        check('a control group of 16 MiB, by ' + way, 0, got.status) or \
            note(str(got))
    wait_for(lambda: vacant(place))
else:
    note('no control group for memory can be made here')

# ---- the first process of a container

journal(os.path.join(room, 'drizzle'), [
    ('0000_long', 'CREATE TABLE kept_not (id int);\n'
     '--> statement-breakpoint\nSELECT pg_sleep(600);')])
for way, words in ('TCP', PLAIN), ('TLS', VERIFIED):
    server.fresh('box')
    running = jailed('/mizzle', 'migrate', '--no-monitor', '--url',
                     url(server, 'box', **words), first='pid1')
    if check('it is running, by ' + way, True,
             wait_for(lambda: server.sleeping('box') == '1')):
        running.send_signal(signal.SIGTERM)
    got = finish(running, 60)
    check('SIGTERM ends it, by ' + way, 143, got.status) or note(str(got))
    check('the statement is cancelled, by ' + way, True,
          wait_for(lambda: server.sleeping('box') == '0'))
    check('nothing of it was kept, by ' + way, '0', server.sql(
        'box', "SELECT count(*) FROM pg_class WHERE relname = 'kept_not'"))
server.stop()
sys.exit(verdict())
