# SPDX-License-Identifier: MIT
"""TLS to a real server: when it is used, and whom it believes."""
import re
import sys
import time

from harness import check, needs_program, note, verdict, workdir, write
from tlsworld import TlsServer, certs, home, said, vectors
from wire import Proxy

needs_program()
server = TlsServer(roles=('testuser', 'ssluser', 'nossluser'), hba=(
    'host all testuser 127.0.0.1/32 trust',
    'hostssl all ssluser 127.0.0.1/32 trust',
    'hostnossl all nossluser 127.0.0.1/32 trust',
    'hostssl all tester 127.0.0.1/32 trust'))

SSL_REQUEST = bytes.fromhex('0000000804d2162f')

# ---- when it is used


def events(sessions, attempts):
    """What libpq's own test would print."""
    found = []
    for n, session in enumerate(sessions):
        found.append('reconnect' if n else 'connect')
        front, back = session['front'], session['back']
        if front.startswith(SSL_REQUEST):
            found.append('sslaccept' if back[:1] == b'S' else 'sslreject')
        elif front[:1] == b'\x16':
            found.append('directsslaccept' if back[:1] == b'\x16'
                         else 'directsslreject')
        if n < len(attempts) and attempts[n].user:
            found.append('authok')
        elif n < len(attempts) and 'pg_hba' in (attempts[n].fatal or ''):
            found.append('authfail')
    return ', '.join(found) or '-'


# Where we do not do as libpq does; docs/connecting.md has the same rows.
# (server_ssl, user, sslmode, sslnegotiation): (events, outcome)
STRICTER = {
    ('on', 'nossluser', 'prefer', 'postgres'):
        ('connect, sslaccept, authfail', 'fail'),
}
# PostgreSQL 15 and 16 know nothing of it: the server closes the connection.
DIRECT_FROM = 17


def matrix(rows):
    proxy = Proxy(server.port)
    direct = server.version() >= DIRECT_FROM * 10000
    for ssl in 'on', 'off':
        server.set(ssl=ssl)
        for row in rows:
            if row[0] == ssl:
                one_mode(proxy, direct, *row)
    server.set(ssl='on')
    proxy.close()


def one_mode(proxy, direct, ssl, user, mode, negotiation, want, outcome):
    want, outcome = STRICTER.get((ssl, user, mode, negotiation),
                                 (want, outcome))
    if negotiation == 'direct' and want.startswith('connect') and not direct:
        want, outcome = 'connect, directsslreject', 'fail'
    del proxy.sessions[:]
    got = server.go(host='127.0.0.1', hostaddr=None, port=proxy.port,
                    user=user.replace('*', 'testuser'), sslmode=mode,
                    sslnegotiation=negotiation)
    last = got.attempts[-1] if got.attempts else None
    became = 'fail' if got.status else 'ssl' if last and last.tls else 'plain'
    what = 'server_ssl=%s user=%s sslmode=%s sslnegotiation=%s' % (
        ssl, user, mode, negotiation)
    check(what, (want, outcome), (events(proxy.sessions, got.attempts),
                                  became)) or note(said(got))
    if outcome == 'fail':
        check(what + ': status', 2 if want == '-' else 3, got.status)


# ---- whom it believes

ROOT = certs('root.crt')
NAME = 'localhost'
# certificate, host, what is said (None: it connects)
NAMES = (
    ('server', NAME, None),
    ('server', 'LocalHost', None),
    ('server', 'db.example.test', None),
    ('server', '127.0.0.1', None),
    ('server', 'other.example.test',
     r'other\.example\.test.*(localhost|db\.example\.test)'),
    ('server', '127.0.0.2', r'127\.0\.0\.2'),
    ('server', 'example.test', 'example.test'),
    ('direct', NAME, None),
    ('wildcard', 'a.example.test', None),
    ('wildcard', 'A.EXAMPLE.test', None),
    ('wildcard', 'a.b.example.test', r'\*\.example\.test'),
    ('wildcard', 'example.test', r'\*\.example\.test'),
    ('wildcard', '.example.test', r'\*\.example\.test|host'),
    ('wildcard', NAME, r'\*\.example\.test'),
    ('partial', NAME, 'localhost'),
    ('ip', '127.0.0.1', None),
    ('ip', NAME, 'localhost'),
    ('ip', 'ip.example.test', None),      # the common name: no dNSName
    ('ip-cn', NAME, None),
    ('ip-cn', '127.0.0.1', r'127\.0\.0\.2'),
    ('cn', NAME, None),
    ('cn', '127.0.0.1', 'localhost'),
    ('cn-ip', '127.0.0.1', None),
    ('cn-ip', NAME, r'127\.0\.0\.1'),
    ('cn-ip-dns', '127.0.0.1', None),     # the common name: no iPAddress
    ('cn-ip-dns', 'db.example.test', None),
    ('wrong', NAME, r'other\.example\.test'),
    ('nul', NAME, 'localhost|null|NUL'),
    ('odd-ip', '127.0.0.1', r'127\.0\.0\.1|length|address'),
    ('odd-name', NAME, None),
    ('odd-name', 'db.example.test', 'localhost'),
    ('ed25519', NAME, None),
    ('rsa', NAME, None),
    ('pss', NAME, None),
)
# The same whether the name is checked or not; None: verify-ca connects.
LEAF = ('depth 0', 'CN *= *localhost')
CHAINS = (
    ('alone', (*LEAF, 'issuer', 'intermediate')),
    ('expired', (*LEAF, 'expired')),
    ('future', (*LEAF, 'not yet valid')),
    ('client-use', (*LEAF, 'purpose')),
    ('forged', ('depth 1', 'CN *= *localhost', 'CA|authority')),
    ('self-ec256-sha256', (*LEAF, 'self[- ]signed')),
    ('wrong', None),
    ('nul', None),
)


def address_of(host):
    """Where a host is that no resolver needs to know."""
    return None if host == '127.0.0.1' else '127.0.0.1'


def names_and_chains():
    now = None
    for certificate, host, wrong in NAMES:
        if certificate != now:
            server.tls(certificate)
            now = certificate
        what = '%s, verify-full, %s' % (certificate, host)
        words = dict(host=host, hostaddr=address_of(host), sslrootcert=ROOT,
                     sslmode='verify-full')
        if wrong:
            server.bad(what, wrong, **words)
        else:
            server.good(what, **words)
    for certificate, wrong in CHAINS:
        server.tls(certificate)
        for mode in 'verify-ca', 'verify-full':
            what = '%s, %s' % (certificate, mode)
            if wrong:
                server.bad(what, wrong, sslmode=mode, sslrootcert=ROOT)
            elif mode == 'verify-ca':
                server.good(what, sslmode=mode, sslrootcert=ROOT)
        server.good(certificate + ', require', sslmode='require')
    server.tls('odd-name')
    got = server.go('--json', sslmode='require')
    check('a strange subject in JSON', 0, got.status)


def roots():
    server.tls('server')
    full = dict(sslmode='verify-full')
    server.good('two roots in a file', sslrootcert=certs('both.crt'), **full)
    server.bad('another root', ('depth [12]', 'root|self[- ]signed|issuer'),
               sslrootcert=certs('other.crt'), **full)
    server.bad('no root by default', 'sslrootcert', **full)
    server.bad('no root by default, verify-ca', 'sslrootcert',
               sslmode='verify-ca')
    for what, path in (('that is not there', '/nowhere/root.crt'),
                       ('that is a key', certs('root.key')),
                       ('that is empty', write(workdir() + '/empty', '')),
                       ('that is a directory', workdir())):
        for mode in 'verify-full', 'require':
            server.bad('a root %s, %s' % (what, mode), re.escape(path),
                       sslrootcert=path, sslmode=mode)
    server.good('the root by default', env={'HOME': home(
        root_crt='root.crt')}, **full)
    server.bad('another root by default', 'depth', env={'HOME': home(
        root_crt='other.crt')}, **full)
    # As libpq: require with a root is verify-ca.
    server.bad('another root by default, require', 'depth', sslmode='require',
               env={'HOME': home(root_crt='other.crt')})
    server.bad('another root, require', 'depth', sslmode='require',
               sslrootcert=certs('other.crt'))
    server.good('the root, a name that is not its, require', host='x.test',
                sslmode='require', sslrootcert=ROOT)
    got = server.bad('another root, prefer: never in the clear', 'depth',
                     sslmode='prefer', sslrootcert=certs('other.crt'))
    check('one attempt, and that by TLS', 1, len(got.attempts))
    server.good('an address without a name, verify-ca', host=None,
                sslmode='verify-ca', sslrootcert=ROOT)
    server.bad('an address without a name', 'host', status=2, host=None,
               sslrootcert=ROOT, **full)
    got = server.good('require without a root', sslmode='require')
    check('says once that nobody looked', 1, len(re.findall(
        '(?m)^warning: .*verify-full', got.err))) or note(got.err)
    got = server.good('verify-full', sslrootcert=ROOT, **full)
    check('nothing is to be said', '', got.err)
    server.good('sslrootcert=system', sslrootcert='system',
                env={'SSL_CERT_FILE': ROOT})
    server.bad('sslrootcert=system means verify-full', r'x\.test',
               sslrootcert='system', host='x.test',
               env={'SSL_CERT_FILE': ROOT})
    server.bad('sslrootcert=system without ours', 'depth',
               sslrootcert='system')
    for mode in 'require', 'verify-ca':
        server.bad('sslrootcert=system and ' + mode, 'verify-full', status=2,
                   sslrootcert='system', sslmode=mode)
    server.tls('self-ec256-sha256')
    server.good('a certificate that is its own root',
                sslrootcert=certs('self-ec256-sha256.crt'), **full)


def lists():
    full = dict(sslmode='verify-full', sslrootcert=ROOT)
    every = dict(sslcrl=certs('all.crl'))
    server.tls('revoked')
    server.good('revoked, and nobody knows', **full)
    for what, words in (
            ('a file', every),
            ('a folder', dict(sslcrldir=certs('crls'))),
            ('the list of its issuer', dict(sslcrl=certs('root.crl')))):
        server.bad('revoked, ' + what, (*LEAF, 'revoked'),
                   **words, **full)
    server.bad('revoked, the list by default', 'revoked', **full, env={
        'HOME': home(root_crl='all.crl')})
    server.tls('server')
    server.good('not revoked, a file', **every, **full)
    server.good('not revoked, a folder', sslcrldir=certs('crls'), **full)
    server.bad('a list is missing', 'CRL', sslcrl=certs('root.crl'), **full)
    server.bad('a list is out of date', 'CRL.*expired',
               sslcrl=certs('stale.crl'), **full)
    for name in 'nowhere.crl', 'root.key':
        server.bad('a list that is none', re.escape(name),
                   sslcrl=certs(name), **full)


def versions():
    server.tls('server', ssl_max_protocol_version='TLSv1.2')
    got = server.good('TLS 1.2 is enough', sslmode='require')
    check('it is used', 'TLSv1.2', got.attempts[-1].tls)
    for mode in 'require', 'prefer':
        got = server.bad('1.3 is asked for, 1.2 is there, ' + mode,
                         'version|TLS ?v?1.3', sslmode=mode, user='testuser',
                         ssl_min_protocol_version='TLSv1.3')
        check('one attempt: ' + mode, 1, len(got.attempts))
    server.set(ssl_max_protocol_version='',
               ssl_min_protocol_version='TLSv1.3')
    got = server.good('TLS 1.3', sslmode='require')
    check('it is used', 'TLSv1.3', got.attempts[-1].tls)
    server.bad('1.2 is asked for, 1.3 is there', 'version|TLS ?v?1.2',
               sslmode='require', ssl_max_protocol_version='TLSv1.2')
    server.set(ssl_min_protocol_version='TLSv1.2')
    got = server.good('at most 1.2', sslmode='require',
                      ssl_max_protocol_version='TLSv1.2')
    check('it is obeyed', 'TLSv1.2', got.attempts[-1].tls)
    got = server.good('1.0 is asked for: no less than 1.2 is used',
                      sslmode='require', ssl_min_protocol_version='TLSv1',
                      ssl_max_protocol_version='TLSv1.2')
    check('it is 1.2', 'TLSv1.2', got.attempts[-1].tls)
    server.set(ssl_min_protocol_version='TLSv1',
               ssl_max_protocol_version='TLSv1.1',
               ssl_ciphers='ALL:@SECLEVEL=0')
    server.bad('1.1 is all there is', 'version|protocol', sslmode='require')
    server.set(ssl_min_protocol_version='TLSv1.2',
               ssl_max_protocol_version='', ssl_ciphers=None)


def hellos():
    """What is in the clear: the name only where it is one, ALPN always."""
    server.tls('server')
    proxy = Proxy(server.port)
    for host, words, named in (
            ('localhost', {}, True), ('db.example.test', {}, True),
            ('localhost', dict(sslsni='0'), False), ('127.0.0.1', {}, False),
            (None, {}, False)):
        del proxy.sessions[:]
        server.good('host %s %s' % (host, words), sslmode='require',
                    host=host, port=proxy.port, **words)
        hello = proxy.sessions[0]['front'][8:1000]
        what = 'host %s %s: ' % (host, words)
        check(what + 'SNI', named, (host or 'localhost').encode() in hello)
        check(what + 'ALPN', True, b'\x0apostgresql' in hello)
    proxy.close()


def sockets():
    """There is no TLS on a Unix socket, whatever is said of it."""
    server.hba(*server.rules, 'local all tester trust')
    for words in (dict(sslmode='require'), dict(sslmode='verify-full'),
                  dict(sslmode='verify-full', sslrootcert='/nowhere'),
                  dict(sslrootcert='system'),
                  dict(sslmode='require', sslnegotiation='direct'),
                  dict(sslmode='require', sslcert='/no', sslkey='/no')):
        got = server.go(host=server.dir, hostaddr=None, **words)
        check('a Unix socket, %s' % words, 0, got.status) or note(said(got))


def for_good():
    """What no waiting changes."""
    full = dict(sslmode='verify-full', sslrootcert=certs('other.crt'))
    for command, *args in ('wait',), ('ping', '--wait', '60s'):
        began = time.monotonic()
        got = server.go(*args, command=command, **full)
        check('%s %s: ends' % (command, args), (3, True), (
            got.status, time.monotonic() - began < 20)) or note(said(got))
        check('%s %s: one attempt' % (command, args), 1, len(got.attempts))
    server.set(ssl_ciphers='ECDHE-RSA-AES128-GCM-SHA256',
               ssl_max_protocol_version='TLSv1.2')
    server.bad('no cipher in common', ('handshake', 'cipher'),
               sslmode='require')
    server.set(ssl_ciphers=None, ssl_max_protocol_version='')


table = vectors('sslmode-matrix.tsv')
if table:
    matrix(table)
names_and_chains()
roots()
lists()
versions()
hellos()
sockets()
for_good()
sys.exit(verdict())
