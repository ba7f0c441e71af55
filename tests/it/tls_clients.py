# SPDX-License-Identifier: MIT
"""Certificates of our own: files of every form, and servers that want them."""
import os
import shutil
import sys

from harness import check, needs_program, newdir, verdict
from tlsworld import SECRET, TlsServer, certs, home

needs_program()
server = TlsServer(roles=('scram', 'open'), hba=(
    'hostssl all tester,somebody 127.0.0.1/32 cert',
    'hostssl all scram 127.0.0.1/32 scram-sha-256 clientcert=verify-ca',
    'hostssl all open 127.0.0.1/32 trust'))
server.sql('postgres', 'CREATE ROLE somebody LOGIN')
server.set(ssl_ca_file=certs('root.crt'), ssl_crl_file=certs('all.crl'))
FULL = dict(sslmode='verify-full', sslrootcert=certs('root.crt'))
LOCK = 'open sesame'
MINE = dict(sslcert=certs('client.crt'), sslkey=certs('client.key'))


def pair(cert, key=None, **more):
    return dict(sslcert=certs(cert), sslkey=certs(
        key or cert.replace('.crt', '.key')), **more, **FULL)


# what, settings, what is said (None: it connects)
FILES = (
    ('PEM', pair('client.crt'), None),
    ('DER', pair('client.der', 'client.key.der'), None),
    ('a certificate in PEM, its key in DER',
     pair('client.crt', 'client.key.der'), None),
    ('a certificate in DER, its key in PEM',
     pair('client.der', 'client.key'), None),
    ('PKCS#8 with a password', pair('client-locked.crt', sslpassword=LOCK),
     None),
    ('an old key with a password', pair('client-locked-old.crt',
                                        sslpassword=LOCK), None),
    ('PKCS#8 and DER with a password', pair(
        'client.crt', 'client-locked.key.der', sslpassword=LOCK), None),
    ('PKCS#8 and DER, the wrong password', pair(
        'client.crt', 'client-locked.key.der', sslpassword='wrong'),
     r'client-locked\.key\.der.*sslpassword'),
    ('a password that is not needed', pair('client.crt', sslpassword='x'),
     None),
    ('PKCS#8, the wrong password', pair('client-locked.crt',
                                        sslpassword='wrong'),
     r'client-locked\.key.*password'),
    ('an old key, the wrong password', pair('client-locked-old.crt',
                                            sslpassword='wrong'),
     r'client-locked-old\.key.*password'),
    ('PKCS#8, no password', pair('client-locked.crt'),
     r'client-locked\.key.*sslpassword'),
    ('an old key, no password', pair('client-locked-old.crt'),
     r'client-locked-old\.key.*sslpassword'),
    ('with an intermediate', pair('client-chain.crt'), None),
    ('RSA', pair('client-rsa.crt'), None),
    ('RSA, PKCS#1', pair('client-rsa.crt', 'client-rsa-1.key'), None),
    ('Ed25519', pair('client-ed25519.crt'), None),
    ('the key of another', pair('client.crt', 'client-somebody.key'),
     r'client-somebody\.key'),
    ('a key that is not there', pair('client.crt', 'nowhere.key'),
     r'nowhere\.key'),
    ('a certificate that is not there', pair('nowhere.crt', 'client.key'),
     r'nowhere\.crt'),
    ('a key where the certificate should be', pair('client.key',
                                                   'client.key'),
     r'client\.key'),
    ('a certificate where the key should be', pair('client.crt',
                                                   'client.crt'),
     r'client\.crt'),
    ('a key that is a directory', pair('client.crt', 'crls'), 'crls'),
    ('a key of an engine', dict(sslcert=certs('client.crt'),
                                sslkey='pkcs11:key', **FULL), 'engine'),
    # what the server says
    ('somebody else', pair('client-somebody.crt'), 'certificate auth'),
    ('signed by another authority', pair('client-other.crt'),
     'unknown ca|certificate'),
    ('expired', pair('client-expired.crt'), 'expired'),
    ('revoked', pair('client-revoked.crt'), 'revoked'),
    ('none', FULL, 'valid client certificate'),
    ('none is to be sent', dict(sslcertmode='disable', **MINE, **FULL),
     'valid client certificate'),
)


def files():
    for what, words, wrong in FILES:
        what = 'our certificate: ' + what
        # as libpq, a bad key of an engine is seen when settings are read
        status = 2 if wrong == 'engine' else 3
        if wrong:
            got = server.bad(what, wrong, status, **words)
            check(what + ': nobody was let in', [], [
                a for a in got.attempts if a.user])
        else:
            server.good(what, **words)
    server.good('the right owner', user='somebody',
                **pair('client-somebody.crt'))


def copy(name, mode, owner=None):
    path = os.path.join(newdir('keys'), 'the.key')
    shutil.copy(certs(name), path)
    if owner is not None:
        os.chown(path, owner, -1)
    os.chmod(path, mode)
    return path


def permissions():
    """As libpq: 0600, and 0640 for those of root."""
    root = os.geteuid() == 0
    for mode, owner, fine in (
            (0o600, None, True), (0o400, None, True),
            (0o640, None, root), (0o644, None, False), (0o660, None, False),
            (0o604, None, False), (0o620, None, False),
            (0o640, 65534, False), (0o600, 65534, True)):
        if owner is not None and not root:
            continue
        words = dict(sslcert=certs('client.crt'),
                     sslkey=copy('client.key', mode, owner), **FULL)
        what = 'a key of %s, mode %04o' % (owner or 'our own', mode)
        if fine:
            server.good(what, **words)
        else:
            got = server.bad(what, r'the\.key.*(permission|access|0600)',
                             **words)
            check(what + ': nothing was sent with it', [], [
                a for a in got.attempts if a.user])


def never_in_the_clear():
    server.hba(*server.rules, 'host all open 127.0.0.1/32 trust')
    got = server.bad('prefer, and a bad key', r'the\.key', user='open',
                     sslmode='prefer', sslcert=certs('client.crt'),
                     sslkey=copy('client.key', 0o644))
    check('prefer, and a bad key: no login', [], [
        a for a in got.attempts if a.user])


def by_default():
    mine = home(postgresql_crt='client.crt', postgresql_key='client.key')
    server.good('from the home directory', env={'HOME': mine}, **FULL)
    server.good('by the environment', **FULL, env={
        'PGSSLCERT': certs('client.crt'), 'PGSSLKEY': certs('client.key')})
    server.bad('from the home directory, but it is not to be sent',
               'valid client certificate', env={'HOME': mine},
               sslcertmode='disable', **FULL)
    server.bad('by default, the key is open to all', 'postgresql.key', **FULL,
               env={'HOME': opened(home(postgresql_crt='client.crt',
                                        postgresql_key='client.key'))})
    server.bad('by default, without its key', r'postgresql\.key', **FULL,
               env={'HOME': home(postgresql_crt='client.crt')})
    server.good('a bad key is no matter when none is sent', user='open',
                sslcertmode='disable', sslcert=certs('client.crt'),
                sslkey='/nowhere', **FULL)


def opened(where):
    os.chmod(where + '/.postgresql/postgresql.key', 0o644)
    return where


def modes():
    for user in 'scram', 'open':
        server.good('sslcertmode=require: ' + user, user=user,
                    password=SECRET, sslcertmode='require', **MINE, **FULL)
    server.bad('a certificate and a wrong password', '28P01|password',
               user='scram', password='wrong', **MINE, **FULL)
    server.bad('a password without the certificate', 'valid client',
               user='scram', password=SECRET, **FULL)
    server.bad('sslcertmode=require without a certificate', 'sslcertmode|'
               'certificate', user='open', sslcertmode='require', **FULL)
    server.set(ssl_ca_file='', ssl_crl_file='')
    server.hba('host all all 127.0.0.1/32 trust')
    server.good('nobody asks for it', **MINE, **FULL)
    server.bad('nobody asks for it, and it is required',
               'certificate', sslcertmode='require', **MINE, **FULL)
    server.bad('over plaintext there is none to send', 'sslcertmode|'
               'certificate', status=(2, 3), sslcertmode='require',
               sslmode='disable', **MINE)


files()
permissions()
never_in_the_clear()
by_default()
modes()
sys.exit(verdict())
