# SPDX-License-Identifier: MIT
"""Real projects' schemas, dumped by pg_dump: what mizzle exec restores dumps
again to the last byte.  LONG=1 takes all of them, else it is every third."""
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from harness import (LONG, Server, check, mizzle, needs_program, newdir, note,
                     shared, skip, verdict, write)

needs_program()
if not shared():
    skip('no corpora here (SHARED says where)')
CORPORA = os.path.join(shared(), 'corpora')
server = Server('autovacuum=off', 'max_locks_per_transaction=256',
                'max_connections=60')


def fresh(name):
    return server.fresh(name, 'postgres', "ENCODING UTF8 LOCALE 'C.UTF-8'")


def dump(db):
    """All that pg_dump says, but for the lines that differ by chance."""
    text = subprocess.run(
        [os.path.join(server.bin, 'pg_dump'), '-h', server.dir, '-p',
         str(server.port), '-U', 'postgres', db],
        capture_output=True, check=True).stdout
    return text, b''.join(
        line for line in text.splitlines(keepends=True)
        if not line.startswith((b'\\restrict', b'\\unrestrict')))


def by_exec(path, db, *options):
    return mizzle('exec', '--url', server.socket(db, 'postgres'), *options,
                  path)


def by_psql(path, db):
    """What is to be expected, where the server itself says it in two ways."""
    subprocess.run([server.psql, '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-h',
                    server.dir, '-p', str(server.port), '-U', 'postgres', '-d',
                    db, '-f', path], stdin=subprocess.DEVNULL,
                   capture_output=True, check=True)


def restored(name, first, again, options):
    text, want = dump(first)
    path = write(os.path.join(newdir('dump-' + first), 'dump.sql'), text)
    fresh(again)
    got = by_exec(path, again, *options)
    if not check('%s %s: is restored' % (name, options), 0, got.status):
        note(str(got)[:800])
        return len(text)
    same = dump(again)[1]
    if same != want:
        fresh(first)
        by_psql(path, first)
        note(name + ': the server dumps it in another way the second time')
        check(name + ': it dumps as what psql restores', True,
              same == dump(first)[1])
    return len(text)


def corpus(number, name):
    """As far as its migrations come: what fails is left out."""
    first, again = fresh('first%d' % number), 'again%d' % number
    mizzle('migrate', '--url', server.socket(first, 'postgres'), '--dir',
           os.path.join(CORPORA, 'folders', name), timeout=300)
    size = restored(name, first, again, () if number % 2 else ('-1',))
    server.sql('postgres', *('DROP DATABASE "%s" WITH (FORCE)' % db
                             for db in (first, again)))
    return size


def prelude(roles):
    """Roles and schemas that some of them need: a script itself."""
    for role in roles:
        server.sql('postgres', 'DROP ROLE "%s"' % role)
    db = fresh('prelude')
    got = by_exec(os.path.join(CORPORA, 'prelude-supabase.sql'), db)
    if 'is not available' in got.err:
        note('without an extension: the prelude of Supabase is left out')
        return
    check('the prelude of Supabase', 0, got.status) or note(str(got)[:800])
    restored('the prelude of Supabase', db, 'again', ())


def main():
    first_roles = set(server.roles())
    names = sorted(os.listdir(os.path.join(CORPORA, 'folders')))
    some = list(enumerate(names))[::1 if LONG else 3]
    with ThreadPoolExecutor(2) as pool:
        sizes = list(pool.map(lambda one: corpus(*one), some))
    check('each is a dump', True, min(sizes) > 500)
    prelude(set(server.roles()) - first_roles)
    note('%d of %d corpora, %d kB of dumps' % (len(some), len(names),
                                               sum(sizes) // 1000))


main()
sys.exit(verdict())
