# SPDX-License-Identifier: MIT
"""The static program alone in an empty root: verify-full against authorities
that were built in, names by a name server, and no /etc/hosts, no /etc/passwd,
no HOME.  Run by tests/static.sh, with a program that was configured with
--with-ca-bundle=$CERTS/both.crt."""
import os
import re
import subprocess
import sys
import urllib.request

from harness import Result, check, journal, mizzle, verdict
from room import VERIFIED, asked, enter, furnish, put, serve_names, url
from tlsworld import TlsServer

serve_names()
server = TlsServer(hba=('hostssl all tester 127.0.0.1/32 scram-sha-256',))
room = furnish()


def run(command, host='db.example.test', env=None, **words):
    server.attempts()
    where = url(server, 'empty', host, **{**VERIFIED, **words})
    done = subprocess.run([*enter(room), '/mizzle', *command, '--url', where],
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


server.fresh('empty')
journal(os.path.join(room, 'drizzle'), [
    ('0000_a', 'CREATE TABLE a (id int)'), ('0001_b', 'DROP TABLE a')])
good('a chain to an authority that is built in')
got = good('migrations are applied', ('migrate',))
check('both of them', re.compile('applied 2 migrations'), got.out + got.err)
good('and are not, again', ('migrate',))

# Without /dev/urandom c-ares would count on rand(): the same in each run.
first = []
for _ in range(4):
    del asked[:]
    run(('ping',))
    first.append(asked[0] if asked else None)
check('nobody can tell the number of a question to DNS', True,
      None not in first and len(set(first)) > 1)

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
mine = put(room, MACHINE, 'other.crt')
bad('the file of the machine wins', 'issuer certificate')
put(room, MACHINE, 'other.crt', 'root.crt')
good('and may have others beside it')
os.remove(mine)
put(room, 'mine.crt', 'other.crt')
bad('a file of the environment wins', 'issuer certificate',
    env={'SSL_CERT_FILE': '/mine.crt'})
bad('also one that is not there', 'SSL_CERT_FILE "/none.crt": No such file',
    env={'SSL_CERT_FILE': '/none.crt'})
put(room, 'root.crt', 'root.crt')
good('a file that is named', sslrootcert='/root.crt')
bad('a file that is not there', 'sslrootcert "/none.crt": No such file',
    sslrootcert='/none.crt')

# ---- a bundle and a server need no more than that

got = mizzle('bundle', '--dir', os.path.join(room, 'drizzle'), '-o',
             os.path.join(room, 'app'))
check('a bundle of it is made', 0, got.status)
server.fresh('empty')
WHERE = url(server, 'empty', 'db.example.test', **VERIFIED)
done = subprocess.run([*enter(room), '/app'], env={'DATABASE_URL': WHERE},
                      stdin=subprocess.DEVNULL, capture_output=True)
check('it finds itself, and migrates', (0, b'applied 2 migrations'),
      (done.returncode, done.stdout[:20]))

served = subprocess.Popen(
    [*enter(room), '/app', 'serve', '--listen', '127.0.0.1:0'],
    env={'DATABASE_URL': WHERE}, stdin=subprocess.DEVNULL,
    stderr=subprocess.PIPE, text=True)
where = re.search('serving (http://[^ ]+)\n', served.stderr.readline())
if check('it serves', True, where is not None):
    for what, data, want in (('its status', None, '"applied":2'),
                             ('a run', b'', '"applied":0')):
        with urllib.request.urlopen(where[1], data, 60) as answer:
            check('it serves ' + what, (200, True), (
                answer.status, want in answer.read().decode()))
served.terminate()
check('and ends when it is told to', 0, served.wait(60))

server.stop()
sys.exit(verdict())
