# SPDX-License-Identifier: MIT
"""The static program alone in an empty root: verify-full against authorities
that were built in, names by a name server, and no /etc/hosts, no /etc/passwd,
no HOME.  Run by tests/static.sh, with a program that was configured with
--with-ca-bundle=$CERTS/both.crt."""
import os
import re
import shutil
import socket
import subprocess
import sys
import threading

from harness import (MIZZLE, Result, check, journal, newdir, skip, verdict,
                     write)
from tlsworld import TlsServer, certs

NAMES = {'db.example.test', 'elsewhere.example.test'}
NAMESERVER = '127.53.53.53'  # whoever listens on 127.0.0.1 may go on


def answer(query):
    """Of these names, 127.0.0.1; the others do not exist."""
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1:at + 1 + query[at]].decode('ascii'))
        at += query[at] + 1
    known = '.'.join(labels).lower() in NAMES
    address = known and query[at + 1:at + 3] == b'\0\1'
    head = query[:2] + (b'\x85\x80' if known else b'\x85\x83') + b'\0\1' + \
        (b'\0\1' if address else b'\0\0') + b'\0\0\0\0'
    record = b'\xc0\x0c\0\1\0\1\0\0\0\x05\0\4\x7f\0\0\1'
    return head + query[12:at + 5] + (record if address else b'')


def serve_names():
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        s.bind((NAMESERVER, 53))
    except OSError as e:
        skip('a name server cannot listen on port 53 here: %s' % e)

    def run():
        while True:
            query, who = s.recvfrom(4096)
            s.sendto(answer(query), who)

    threading.Thread(target=run, daemon=True).start()


def enter(room):
    """What makes a room the root of a program."""
    if os.geteuid() == 0:
        return [shutil.which('chroot') or '/usr/sbin/chroot', room]
    return [shutil.which('unshare') or 'unshare', '--user', '--map-root-user',
            shutil.which('chroot') or '/usr/sbin/chroot', room]


serve_names()
server = TlsServer(hba=('hostssl all tester 127.0.0.1/32 scram-sha-256',))
room = newdir('room')
shutil.copy(MIZZLE, os.path.join(room, 'mizzle'))
write(os.path.join(room, 'etc', 'resolv.conf'),
      'nameserver %s\n' % NAMESERVER)


def run(command, host='db.example.test', env=None, **words):
    server.attempts()
    query = '&'.join('%s=%s' % one for one in {
        'sslmode': 'verify-full', 'sslrootcert': 'system',
        'channel_binding': 'require', **words}.items())
    url = 'postgresql://tester:%s@%s:%d/empty?%s' % (
        server.password.replace('@', '%40').replace(' ', '%20'), host,
        server.port, query)
    done = subprocess.run([*enter(room), '/mizzle', *command, '--url', url],
                          env=env or {}, stdin=subprocess.DEVNULL,
                          capture_output=True, timeout=60)
    return Result(done.returncode, done.stdout.decode(), done.stderr.decode())


def good(what, command=('ping',), **words):
    got = run(command, **words)
    check(what, 0, got.status) or print(got)
    check(what + ': by TLS', ['TLSv1.3'],
          [a.tls for a in server.attempts() if a.user])
    return got


def bad(what, pattern, **words):
    got = run(('ping',), **words)
    check(what, 3, got.status)
    check(what + ': says it', re.compile(pattern, re.I), got.err)
    check(what + ': nobody came in', [],
          [a for a in server.attempts() if a.user])


def put(name, *sources):
    text = ''
    for source in sources:
        with open(certs(source), encoding='ascii') as f:
            text += f.read()
    return write(os.path.join(room, name), text)


server.fresh('empty')
journal(os.path.join(room, 'drizzle'), [
    ('0000_a', 'CREATE TABLE a (id int)'), ('0001_b', 'DROP TABLE a')])
good('a chain to an authority that is built in')
got = good('migrations are applied', ('migrate',))
check('both of them', re.compile('applied 2 migrations'), got.out + got.err)
good('and are not, again', ('migrate',))

bad('a certificate for another name', 'elsewhere[.]example[.]test',
    host='elsewhere.example.test')
bad('a name that does not exist', 'nowhere[.]example[.]test',
    host='nowhere.example.test')
server.tls('self-ec256-sha256')
bad('an authority that is not built in', 'self-signed|self signed')
server.tls('expired')
bad('a certificate that has expired', 'expired', host='localhost')
server.tls('server')

MACHINE = 'etc/ssl/certs/ca-certificates.crt'
mine = put(MACHINE, 'other.crt')
bad('the file of the machine wins', 'issuer certificate')
put(MACHINE, 'other.crt', 'root.crt')
good('and may have others beside it')
os.remove(mine)
put('mine.crt', 'other.crt')
bad('a file of the environment wins', 'issuer certificate',
    env={'SSL_CERT_FILE': '/mine.crt'})
bad('also one that is not there', 'SSL_CERT_FILE "/none.crt": No such file',
    env={'SSL_CERT_FILE': '/none.crt'})
put('root.crt', 'root.crt')
good('a file that is named', sslrootcert='/root.crt')
bad('a file that is not there', 'sslrootcert "/none.crt": No such file',
    sslrootcert='/none.crt')
server.stop()
sys.exit(verdict())
