# SPDX-License-Identifier: MIT
"""Much data through TLS, both ways at once; and connections that break."""
import os
import re
import signal
import sys
import time

from harness import (BREAK, LONG, MIZZLE, Result, check, finish, journal,
                     mizzle, needs_program, newdir, note, start, verdict,
                     wait_for, workdir)
from tlsworld import SECRET, TlsServer, certs, home

needs_program()
server = TlsServer(roles=('app',), hba=(
    'hostssl all app 127.0.0.1/32 scram-sha-256',))
FULL = dict(sslmode='verify-full', sslrootcert=certs('root.crt'))
VERSIONS = (('TLSv1.3', {}), ('TLSv1.2', dict(
    ssl_max_protocol_version='TLSv1.2')))
with open(MIZZLE, 'rb') as program:
    SANITIZED = b'__asan_init' in program.read()


def url(db, **words):
    return server.words(user='app', password=SECRET, dbname=db,
                        **{**FULL, **words})


def measured(db, folder, **words):
    """The result, with its largest memory in KiB."""
    with open(os.path.join(workdir(), 'out'), 'wb+') as out:
        process = start('migrate', '--json', '--dir', folder, '--url', url(
            db, **words), env={'HOME': home()}, stdout=out, stderr=out)
        peak = 0
        while process.poll() is None:
            peak = max(peak, memory(process.pid))
            time.sleep(0.005)
        out.seek(0)
        text = out.read().decode('utf-8', 'replace')
    got = Result(process.returncode, ''.join(
        line for line in text.splitlines(True) if line.startswith('{')), text)
    got.peak = peak
    return got


def memory(pid):
    """Of this program alone: what wait4 tells is also its parent's."""
    try:
        with open('/proc/%d/status' % pid, encoding='ascii') as f:
            found = re.search(r'VmHWM:\s+(\d+)', f.read())
    except OSError:
        found = None
    return int(found[1]) if found else 0


def bulk():
    row = "INSERT INTO t VALUES (%d, '%s');\n"
    many = 'CREATE TABLE t (n int, v text);\n' + BREAK + '\n' + (
        BREAK + '\n').join(row % (i, 'v' * 300) for i in range(5000))
    large = "INSERT INTO t VALUES (0, '%s');" % ('w' * (6 << 20))
    loud = '''DO $$ BEGIN FOR i IN 1..3000 LOOP
        RAISE NOTICE '% %', i, repeat('n', 1000); END LOOP; END $$;'''
    back = "SELECT repeat('r', 1000) FROM generate_series(1, 60000);"
    folder = journal(newdir('bulk'), [
        ('0000_many', many), ('0001_large', large), ('0002_loud', loud),
        ('0003_back', back), ('0004_both', (BREAK + '\n').join(
            row % (i, 'b' * 2000) + "SELECT repeat('r', 20000);\n"
            for i in range(800)))])
    for version, words in VERSIONS:
        db = server.fresh('b' + version[-1], 'app')
        got = measured(db, folder, **words)
        check(version + ': all of it', (0, 5), (
            got.status, got.event('result').get('applied'))) or note(
            got.err[-400:])
        check(version + ': every row', '5801', server.sql(
            db, 'SELECT count(*) FROM t'))
        check(version + ': not a byte is another',
              '0 %d,%d' % (5000 * 300 + 800 * 2000, 6 << 20), server.sql(
                  db, "SELECT sum(length(translate(v, 'vwb', ''))) || ' ' || "
                  "sum(length(v)) FILTER (WHERE v NOT LIKE 'w%') || ',' || "
                  "max(length(v)) FROM t"))
        note('%s: %d KiB' % (version, got.peak))
        if not SANITIZED:
            check(version + ': 6 MiB at once are not copied often', True,
                  got.peak < 48 << 10)


def broken():
    """What is said when the server goes away; nothing may look like success.
    """
    folder = journal(newdir('broken'), [
        ('0000_s', 'CREATE TABLE s (n int); SELECT pg_sleep(60);')])
    asleep = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
    for what, sig, said in (('terminated', signal.SIGTERM, '57P01'),
                            ('killed', signal.SIGKILL, '57P0|closed|lost')):
        db = server.fresh('k', 'app')
        process = start('migrate', '--json', '--dir', folder, '--url',
                        url(db), env={'HOME': home()})
        wait_for(lambda: server.sql('postgres', asleep))
        os.kill(int(server.sql('postgres', asleep)), sig)
        got = finish(process)
        check('a backend is %s: status' % what, True, got.status in (1, 3)
              ) or note(str(got))
        check('a backend is %s: what is said' % what, re.compile(said, re.I),
              got.err + got.out)
        check('a backend is %s: it is not called a success' % what, False,
              got.event('result').get('ok'))
        if not wait_for(lambda: alive(db)):
            raise RuntimeError('the server does not come back')
        check('a backend is %s: nothing was kept' % what, '', server.sql(
            db, "SELECT to_regclass('s')"))


def alive(db):
    try:
        return server.sql(db, 'SELECT 1')
    except RuntimeError:
        return False


def speed():
    """Not a promise, a hint: encryption is not what it costs."""
    folder = journal(newdir('speed'), [
        ('0000_a', "SELECT '%s';" % ('x' * (20 << 20)))])
    for mode, words in (('TLS', FULL), ('plain', dict(sslmode='disable'))):
        db = server.fresh('v', 'app')
        began = time.monotonic()
        got = mizzle('migrate', '-q', '--dir', folder, '--url', url(
            db, **words), env={'HOME': home()})
        check('20 MiB, ' + mode, 0, got.status) or note(got.err[-400:])
        note('20 MiB, %s: %.0f ms' % (mode, 1000 * (
            time.monotonic() - began)))


server.hba('host all app 127.0.0.1/32 scram-sha-256')
bulk()
broken()
if LONG:
    speed()
sys.exit(verdict())
