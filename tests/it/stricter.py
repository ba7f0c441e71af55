# SPDX-License-Identifier: MIT
"""Where mizzle is stricter than libpq: docs/connecting.md has a table of it,
and each row has its test, here or in another file."""
import os
import re
import subprocess
import sys

from harness import (HERE, SRCDIR, check, mizzle, needs_program, newdir,
                     note, verdict, write)
from tlsworld import SECRET, TlsServer, certs, conninfo, home
from wire import WELCOME, FakeServer, auth, error

needs_program()
server = TlsServer(roles=('plain', 'app'), hba=(
    'hostnossl all plain 127.0.0.1/32 password',
    'hostssl all app 127.0.0.1/32 scram-sha-256'))
server.fresh('d', 'app')

# id: (file, what it says there)
ELSEWHERE = {
    'S3': ('hostile.py', "case(11, 'far away: '"),
    'S4': ('hostile.py', "case(16, 'wants clear text twice'"),
    'S5': ('hostile.py', "case(13, 'lets in after the start of SCRAM'"),
    'S6': ('hostile.py', "challenge('an empty salt'"),
    'S11': ('hostile.py', "'says nothing, and nobody set a timeout'"),
    'S12': ('hosts.py', 'one is dead, one is a standby'),
    'S16': ('hostile_query.py', 'case(55,|answer(55,'),
    'S17': ('hostile.py', "reply(35, '1500 settings'"),
}


def ping(**words):
    return mizzle('ping', '--url', conninfo(**words), env={'HOME': home()})


def libpq(**words):
    """What the libpq of psql makes of it: its status."""
    return subprocess.run(
        [server.psql, '-XAtqc', 'SELECT 1', conninfo(
            gssencmode='disable', connect_timeout=5, **words)],
        stdin=subprocess.DEVNULL, capture_output=True, check=False,
        env={**os.environ, 'HOME': home()}).returncode


def refused(row, pattern, **words):
    """Before anything is sent: nobody is there to send it to."""
    heard = []
    fake = FakeServer(heard.append)
    got = ping(**{**dict(host='127.0.0.1', user='u', port=fake.port,
                         dbname='d'), **words})
    check('%s %s: status' % (row, words), 2, got.status) or note(str(got))
    check('%s %s: says it' % (row, words), re.compile(pattern), got.err)
    check('%s %s: nothing was sent' % (row, words), [], heard)
    fake.close()


def s1():
    words = dict(host='localhost', hostaddr='127.0.0.1', port=server.port,
                 user='plain', password=SECRET, dbname='d')
    server.attempts()
    check('S1 libpq: gets in', 0, libpq(**words))
    check('S1 libpq: in plaintext', [True, False], [
        bool(a.tls) for a in server.attempts()])
    got = ping(**words)
    check('S1: fails', 3, got.status)
    check('S1: one attempt, over TLS', [True], [
        bool(a.tls) for a in server.attempts()])


def s2():
    for what, answer in (('an alert', b'\x15\x03\x03\x00\x02\x02\x28'),
                         ('noise', b'HTTP/1.1 400 Bad Request\r\n\r\n'),
                         ('silence', b'')):
        secured = []

        def script(peer, answer=answer, secured=secured):
            secured.append(peer.read(8)[4:] == b'\x04\xd2\x16\x2f')
            if secured[-1]:
                peer.send(b'S' + (answer and b''))
                peer.read(5)
                peer.send(answer)
        fake = FakeServer(script)
        got = ping(host='127.0.0.1', port=fake.port, user='u', password='pw',
                   dbname='d', connect_timeout=5)
        check('S2 %s: fails' % what, 3, got.status) or note(str(got))
        check('S2 %s: never without TLS' % what, [True], secured)
        fake.close()
    del secured[:]
    fake = FakeServer(script)
    libpq(host='127.0.0.1', port=fake.port, user='u', dbname='d')
    check('S2 libpq: tries again without', False, secured[-1])
    fake.close()


def s7():
    for iterations in '1000001', '2147483647':
        def script(peer, iterations=iterations):
            from wire import Scram
            peer.startup()
            scram = Scram(peer)
            scram.first()
            scram.challenge(iterations=iterations)
            peer.until_closed()
        fake = FakeServer(script)
        got = ping(host='127.0.0.1', port=fake.port, user='u', password='p',
                   dbname='d', sslmode='disable', connect_timeout=20)
        check('S7 %s: fails' % iterations, 3, got.status)
        check('S7 %s: says it' % iterations, re.compile('iterations'),
              got.err)
        check('S7 %s: sends no proof' % iterations, False,
              b',p=' in fake.sent())
        fake.close()


def s8():
    for what, answer in (('N and more', b'N' + WELCOME),
                         ('S and more', b'S' + auth(0))):
        def script(peer, answer=answer):
            peer.read(8)
            peer.send(answer)
            peer.until_closed()
        fake = FakeServer(script)
        got = ping(host='127.0.0.1', port=fake.port, user='u', password='pw',
                   dbname='d', connect_timeout=3)
        check('S8 %s: fails' % what, 3, got.status) or note(str(got))
        check('S8 %s: sends no start packet' % what, False,
              b'user\0' in fake.sent())
        fake.close()


def s9():
    def script(peer):
        peer.read(8)
        peer.send(error('28000', 'call 555-1234', 'FATAL'))
        peer.until_closed()
    fake = FakeServer(script)
    got = ping(host='127.0.0.1', port=fake.port, user='u', dbname='d')
    check('S9: fails', 3, got.status)
    check('S9: does not show it', False, '555' in got.err + got.out)
    fake.close()


def s10():
    good = dict(host='localhost', hostaddr='127.0.0.1', port=server.port,
                user='app', password=SECRET, dbname='d',
                sslmode='verify-full', sslrootcert=certs('root.crt'))
    check('S10: works without', 0, ping(**good).status)
    for key in 'sslcrl', 'sslcrldir', 'sslrootcert':
        words = {**good, key: '/nowhere'}
        got = ping(**words)
        check('S10 %s: fails' % key, 3, got.status) or note(str(got))
        check('S10 %s: says which' % key, re.compile(key + '.*/nowhere'),
              got.err)
    check('S10 libpq: passes a list over', 0, libpq(**good, sslcrl='/nowhere'))


def s13():
    refused('S13', 'client_encoding', client_encoding='LATIN1')


def s14():
    refused('S14', 'replication', replication='database')
    refused('S14', 'oauth_issuer', oauth_issuer='https://example.org')
    refused('S14', 'gssencmode', gssencmode='require')


def s15():
    refused('S15', 'channel_binding.*sslmode', channel_binding='require',
            sslmode='disable')
    refused('S15', 'require_auth', channel_binding='require',
            require_auth='md5', sslmode='require')
    refused('S15', 'sslcertmode', sslcertmode='require', sslmode='disable')


def s18():
    refused('S18', 'TLSv1.2', ssl_min_protocol_version='TLSv1',
            ssl_max_protocol_version='TLSv1.1', sslmode='require')


def s19():
    for host in '127.1', '0x7f.1', '2130706433', '127.0.0.1.1':
        refused('S19', 'is not an address', host=host)


def s20():
    words = dict(host='localhost', hostaddr='127.0.0.1', port=server.port,
                 user='app', password=SECRET, dbname='d',
                 sslmode='verify-full', sslrootcert=certs('other.crt'))
    both = os.path.join(newdir('s20'), 'both')
    text = ''
    for name in 'root.crt', 'all.crl':
        with open(certs(name), encoding='ascii') as f:
            text += f.read()
    words['sslcrl'] = write(both, text)
    got = ping(**words)
    check('S20: fails', 3, got.status) or note(str(got))
    check('S20: says why', re.compile('issuer certificate'), got.err)
    check('S20 libpq: trusts it', 0, libpq(**words))


def full(**words):
    return dict(host='localhost', hostaddr='127.0.0.1', port=server.port,
                user='app', password=SECRET, dbname='d',
                sslmode='verify-full', sslrootcert=certs('root.crt'), **words)


def differs(row, pattern, **words):
    """Over TLS, libpq gets in and mizzle does not."""
    words = {**full(), **words}
    got = ping(**words)
    check(row + ': fails', 3, got.status) or note(str(got))
    check(row + ': says why', re.compile(pattern), got.err)
    check(row + ' libpq: gets in', 0, libpq(**words))


def s21():
    server.tls('ip-dns')
    differs('S21', r'127\.0\.0\.1 as a host name only', host='127.0.0.1')


def s22():
    server.tls('nul-too')
    differs('S22', 'NUL', host='localhost')


def s23():
    server.tls('server')
    differs('S23', 'sslkey .*no certificate', sslkey=certs('client.key'))


def table():
    """The ids in the document, in their order."""
    with open(os.path.join(SRCDIR, 'docs', 'connecting.md'),
              encoding='utf-8') as f:
        return re.findall(r'(?m)^\| (S\d+) \|', f.read())


rows = table()
check('the table has rows, by their numbers', [
    'S%d' % (i + 1) for i in range(len(rows))], rows)
here = {name.upper(): f for name, f in list(globals().items())
        if re.fullmatch(r's\d+', name)}
check('each row has its test, and each test its row', sorted(rows),
      sorted([*here, *ELSEWHERE]))
for row, (name, text) in ELSEWHERE.items():
    with open(os.path.join(HERE, name), encoding='utf-8') as source:
        content = source.read()
    check('%s is tested in %s' % (row, name), True,
          any(t in content for t in text.split('|')))
for run in here.values():
    run()
sys.exit(verdict())
