# SPDX-License-Identifier: MIT
"""mizzle bundle: one file that does what the program and the folder do."""
import glob
import gzip
import io
import json
import os
import random
import shutil
import stat
import subprocess
import sys
import tarfile

from harness import (MIZZLE, Server, check, finish, folders, journal,
                     mizzle, needs_program, newdir, note, sha256, shared,
                     verdict, workdir, write)

needs_program()
server = Server('autovacuum=off')


def read(path):
    with open(path, 'rb') as f:
        return f.read()


def run(program, *args, env=None, cwd=None, prefix=(), timeout=120):
    return finish(subprocess.Popen(
        [*prefix, program, *args], env={**os.environ, **(env or {})},
        cwd=cwd or newdir('elsewhere'), stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE), timeout)


def pack(folder, name='bundle', *args, **more):
    """The bundle of a folder; its program is there, or the test says why."""
    out = os.path.join(workdir(), name)
    got = mizzle('bundle', '--dir', folder, '-o', out, *args, **more)
    if not check('bundle of %s: is made' % os.path.basename(folder), 0,
                 got.status):
        note(str(got))
    return out


def part(program):
    """What stands behind the program: where it begins, and the whole file."""
    return os.path.getsize(MIZZLE), read(program)


def tree(where):
    return {os.path.relpath(os.path.join(place, name), where):
            read(os.path.join(place, name))
            for place, _, names in os.walk(where) for name in names}


small = journal(newdir('drizzle'), [('0000_a', 'CREATE TABLE a (i int);'),
                                    ('0001_b', 'CREATE TABLE b (i int);')])

# ---- it does what the folder does

bundle = pack(small)
check('a bundle: may be executed', True,
      stat.S_IMODE(os.stat(bundle).st_mode) == 0o755)
check('a bundle: nothing else is left', [], glob.glob(bundle + '.*'))

url = server.url(server.fresh('first'))
got = run(bundle, '--url', url)
check('without a command it migrates', (0, 'applied 2 migrations'),
      (got.status, got.out[:20]))
got = run(bundle, '--url', url, '--json')
check('an option is no command', (0, 'migrate', 0),
      (got.status, *map(got.event('result').get, ('command', 'applied'))))
got = run(bundle, '--to', '0000_a', '--url', server.url(server.fresh('one')))
check('nor is an option of migrate', 'applied 1 migration', got.out[:19])
got = run(bundle, '--yes')
check('an option of another command is none of it',
      (2, 'error: --yes is not an option of migrate'),
      (got.status, got.err.splitlines()[0]))
got = run(bundle, '--help')
check('its help is the help', (0, True), (got.status, 'bundle' in got.out))
check('its version is the version', mizzle('--version').out,
      run(bundle, '--version').out)

# Each command, on the folder and on the bundle of it.
home = os.path.dirname(small)
sql = write(os.path.join(workdir(), 'one.sql'), 'SELECT 1;')
for args in (['status'], ['status', '--json'], ['verify'], ['plan'],
             ['check'], ['check', '--json'], ['locks'], ['migrate'],
             ['exec', sql], ['help', 'bundle'], ['ping', '--print-config'],
             ['rollback', '--dry-run'], ['repair'], ['bundle', '--list']):
    here = mizzle(*args, '--url', url, cwd=home)
    there = run(bundle, *args, '--url', url)
    check('%s: is the same' % ' '.join(args),
          (here.status, here.out, here.err),
          (there.status, there.out, there.err))
got = run(bundle, 'new', 'x')
check('new: there is nothing to write to',
      (2, 'error: the folder of a bundle cannot be added to'),
      (got.status, got.err.splitlines()[0]))

# ---- both layouts, down scripts, snapshots, what is not part of it

for name, make in (('journal', lambda w: journal(w, [
        ('0000_a', 'CREATE TABLE a (i int);')])),
                   ('folders', lambda w: folders(w, [
                       ('20240101000000_a', 'CREATE TABLE a (i int);')])),
                   ('plain', lambda w: os.path.dirname(write(
                       os.path.join(w, '20240101000000_a.sql'),
                       'CREATE TABLE a (i int);')))):
    where = make(newdir(name))
    down = {'journal': '0000_a.down.sql',
            'folders': '20240101000000_a/down.sql',
            'plain': '20240101000000_a.down.sql'}[name]
    write(os.path.join(where, down), 'DROP TABLE a;')
    if name == 'journal':
        write(os.path.join(where, 'meta/0000_snapshot.json'), '{"id":"x"}')
    elif name == 'folders':
        write(os.path.join(where, '20240101000000_a/snapshot.json'), '{}')
    want = tree(where)
    for stray in ('.env', 'node_modules/x/package.json', 'schema.ts',
                  '.hidden.sql', 'sub/x.sql'):
        write(os.path.join(where, stray), 'SECRET=1')
    one = pack(where, name + '.bundle')
    check('%s: what no command reads stays outside' % name, sorted(want),
          sorted(line.split(None, 1)[1] for line in run(
              one, 'bundle', '--list').out.splitlines()))
    to = os.path.join(newdir('extracted'), 'deep')
    got = run(one, 'bundle', '--extract', to)
    check('%s: gives back what went in' % name, (0, want),
          (got.status, tree(to)))
    os.remove(os.path.join(to, sorted(want)[0]))
    there = tree(to)
    got = run(one, 'bundle', '--extract', to)
    check('%s: but not over something' % name,
          (2, True, there), (got.status, 'is there already' in got.err,
                             tree(to)))
    empty = newdir('empty')
    got = run(one, 'bundle', '--extract', empty)
    check('%s: into a folder with nothing in it' % name, (0, want),
          (got.status, tree(empty)))
    db = server.fresh('layout')
    check('%s: is applied' % name, 0,
          run(one, '--url', server.url(db)).status)
    got = run(one, 'rollback', '--url', server.url(db))
    check('%s: is rolled back' % name, (0, ''), (got.status, server.sql(
        db, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")))

# ---- what is set, and by whom

other = journal(newdir('other'), [('0000_x', 'CREATE TABLE x (i int);')])
for what, args, env, want in (
        ('--dir', ['--dir', other], {}, '0000_x'),
        ('MIZZLE_DIR', [], {'MIZZLE_DIR': other}, '0000_x'),
        ('nothing', [], {}, '0000_a')):
    got = run(bundle, 'status', '--json', '--url', url, *args, env=env)
    check('%s: says which folder' % what, want,
          got.event('migration').get('tag'))
trap = newdir('trap')
write(os.path.join(trap, 'drizzle.config.json'), json.dumps({
    'out': other, 'migrations': {'schema': 'wrong', 'table': 'wrong'}}))
journal(os.path.join(trap, 'drizzle'), [('0000_t', 'SELECT 1;')])
db = server.fresh('trapped')
got = run(bundle, '--url', server.url(db), cwd=trap)
check('a project that lies about is not asked', (0, '2'),
      (got.status, server.sql(
          db, 'SELECT count(*) FROM drizzle.__drizzle_migrations')))
project = newdir('project')
journal(os.path.join(project, 'sql'), [('0000_p', 'CREATE TABLE p (i int);')])
write(os.path.join(project, 'drizzle.config.json'), json.dumps({
    'out': 'sql', 'migrations': {'schema': 'ops', 'table': 'log'}}))
out = os.path.join(workdir(), 'project.bundle')
check('the project that it is made in says where and what', 0,
      mizzle('bundle', '-o', out, cwd=project).status)
db = server.fresh('told')
got = run(out, '--url', server.url(db))
check('and the bundle remembers', (0, '1'),
      (got.status, server.sql(db, 'SELECT count(*) FROM ops.log')))
got = run(out, '--url', server.url(server.fresh('told')), '--table', 'mine')
check('unless it is told otherwise', '1',
      server.sql('told', 'SELECT count(*) FROM ops.mine'))
got = run(bundle, 'status', '--url', url, '--config',
          os.path.join(project, 'drizzle.config.json'))
check('a configuration that is named is asked for the table', True,
      got.status == 0 and 'pending' in got.out)

# ---- the same bytes

again = os.path.join(workdir(), 'again')
copy = os.path.join(newdir('copied'), 'drizzle')
shutil.copytree(small, copy)
for name in ('meta/_journal.json', '0001_b.sql'):
    os.utime(os.path.join(copy, name), (1, 1))
for what, folder, cwd in (('its name', 'drizzle', home),
                          ('a full path', small, '/'),
                          ('a path with dots', './copied/../drizzle/', home),
                          ('a copy', copy, '/')):
    mizzle('bundle', '--dir', folder, '-o', again, cwd=cwd,
           env={'TZ': 'Asia/Tokyo'})
    check('made from %s it is the same' % what, sha256(read(bundle)),
          sha256(read(again)))
check('made from the bundle it is the same', sha256(read(bundle)), (
    run(bundle, 'bundle', '-o', again) and sha256(read(again))))
check('and by --from-binary', sha256(read(bundle)), (
    mizzle('bundle', '--dir', small, '-o', again, '--from-binary', bundle)
    and sha256(read(again))))
check('of another folder it is another', False, sha256(read(bundle)) ==
      sha256(read(pack(other, 'another'))))

# ---- damaged

size, whole = part(bundle)
broken = os.path.join(workdir(), 'broken')


def refused(what, content, must=None):
    with open(broken, 'wb') as f:
        f.write(content)
    os.chmod(broken, 0o755)
    got = run(broken, 'check', cwd='/')
    ok = got.status == 2 and 'damaged' in got.err and not got.out
    if must is None:
        return ok
    return check(what, (must, True), (ok, got.status == 2)) or note(str(got))


bad = [at for at in range(size, len(whole)) if not refused(
    '', whole[:at] + bytes([whole[at] ^ (1 << (at % 8))]) + whole[at + 1:])]
check('a bit that flips, at any of %d bytes, is refused' % (
    len(whole) - size), [], bad)
bad = [n for n in range(size, len(whole)) if not refused('', whole[:n])]
check('a bundle that is cut off, anywhere, is refused', [], bad)
mark = whole.index(b'\x7fmizzle bundle\x01') + 16
bad = [at for at in range(mark, mark + 48) if not refused(
    '', whole[:at] + bytes([whole[at] ^ 0x40]) + whole[at + 1:])]
check('so is one whose mark is wrong', [], bad)
refused('a byte too many is refused', whole + b'\0', True)
with open(broken, 'wb') as f:
    f.write(whole[:-1])
for args in ([], ['migrate'], ['status'], ['bundle', '--list'], ['ping'],
             ['--json']):
    got = run(broken, *args, '--url', url)
    check('%s: does nothing in a damaged one' % (args or 'nothing'),
          (2, True), (got.status, 'damaged' in got.out + got.err))
got = run(broken, '--version')
check('its version it still says', 0, got.status)

# ---- where it is written, and of what

for what, args, must in (
        ('a directory', ['-o', workdir()], 'is a directory, not a file'),
        ('a device', ['-o', '/dev/null'], 'is something else, not a file'),
        ('no such folder', ['-o', __file__ + '/x'], 'cannot be written'),
        ('nothing to do', [], 'bundle does one of'),
        ('too much to do', ['-o', 'x', '--list'], 'bundle does one of'),
        ('no bundle', ['--extract', 'x'], 'this program is no bundle'),
        ('a script', ['-o', 'x', '--from-binary', __file__],
         'is not a mizzle program that can carry a folder'),
        ('another program', ['-o', 'x', '--from-binary', sys.executable],
         'is not a mizzle program that can carry a folder'),
        ('an empty file', ['-o', 'x', '--from-binary', '/dev/null'],
         'is not a mizzle program that can carry a folder'),
        ('no program', ['-o', 'x', '--from-binary', 'nope'],
         'No such file or directory'),
        ('an argument', ['-o', 'x', 'y'], "unexpected argument 'y'"),
        ('no folder', ['-o', 'x', '--dir', 'nowhere'], 'no folder nowhere')):
    place = newdir('here')
    got = mizzle('bundle', *(['--dir', small] if '--dir' not in args else []),
                 *args, cwd=place)
    if not check('%s: is refused' % what, (2, True, []), (
            got.status, must in got.err, os.listdir(place))):
        note(got.err)
full = newdir('missing')
journal(full, [('0000_a', None)])
got = mizzle('bundle', '--dir', full, '-o', 'x', cwd=newdir('here'))
check('a folder that is not whole makes none', (2, True),
      (got.status, '0000_a.sql is missing' in got.err))
target = write(os.path.join(newdir('target'), 'old'), 'old')
got = mizzle('bundle', '--dir', small, '-o', target)
check('an old file is replaced', sha256(read(bundle)), sha256(read(target)))
got = run(target, 'bundle', '--dir', other, '-o', target)
check('also the one that runs', (0, '0000_x'), (got.status, run(
    target, 'status', '--json', '--url', url).event('migration').get('tag')))
got = mizzle('bundle', '--json', '--dir', small, '-o', target)
event = got.event('bundle')
check('--json says what was made', {
    'file': target, 'folder': 'drizzle: 2 migrations in 3 files',
    'history': 'drizzle.__drizzle_migrations', 'size': len(whole),
    'migrations': 2, 'files': 3, 'packed': len(whole) - size,
    'unpacked': sum(map(len, tree(small).values())),
    'sha256': sha256(whole[size:]), 'event': 'bundle'}, event)

# ---- an empty root, and one without rights

root = newdir('root')
shutil.copy(bundle, os.path.join(root, 'app'))
if os.geteuid() == 0 and not subprocess.run(
        ['ldd', MIZZLE], capture_output=True).returncode == 0:
    got = run('/app', 'check', prefix=['chroot', root])
    check('in an empty root it finds itself', 0, got.status)
only = os.path.join(newdir('only'), 'app')
shutil.copy(bundle, only)
os.chmod(only, 0o111)
if os.geteuid() == 0:
    got = run(only, 'check', prefix=['runuser', '-u', 'nobody', '--'], cwd='/')
    check('one that may be run and not read says so', (2, True), (
        got.status, 'cannot be read: Permission denied' in got.err))

# ---- large: many blocks, and no more memory than for one

random.seed(7)
rows = ''.join("INSERT INTO big VALUES ('%s');\n" %
               random.randbytes(40).hex() for _ in range(60000))
big = journal(newdir('big'), [
    ('0000_big', 'CREATE TABLE big (t text);\n' + rows),
    ('0001_more', 'CREATE TABLE more (t text);\n' +
     rows.replace('big', 'more')),
    ('0002_end', 'CREATE TABLE ending (t text);')])
one = pack(big, 'big.bundle')
db = server.fresh('large')
got = run(one, '--url', server.url(db))
check('twelve blocks are applied', (0, '60000|60000'), (
    got.status, server.sql(db, 'SELECT (SELECT count(*) FROM big), '
                           '(SELECT count(*) FROM more)')))
got = run(one, 'verify', '--url', server.url(db))
check('and are what the folder is', (0, 0), (got.status, mizzle(
    'verify', '--dir', big, '--url', server.url(db)).status))

# ---- real projects


def tar_gz(folder):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode='w') as t:
        t.add(folder, os.path.basename(folder))
    return len(gzip.compress(out.getvalue(), 6))


def fresh_real():
    """Without the roles that a migration has made, too."""
    server.sql('postgres', 'DROP DATABASE IF EXISTS real WITH (FORCE)',
               *('DROP ROLE "%s"' % role
                 for role in set(server.roles()) - set(ROLES)))
    return server.fresh('real', 'postgres', "ENCODING UTF8 LOCALE 'C.UTF-8'")


def dump(db):
    return sha256(server.dump(db)), server.sql(
        db, "SELECT to_regclass('drizzle.__drizzle_migrations')") and \
        server.history(db)


def compare(folder):
    name = os.path.basename(folder)
    one = os.path.join(workdir(), 'real')
    made = mizzle('bundle', '--dir', folder, '-o', one)
    db = fresh_real()
    url = server.url(db, 'postgres')
    here = mizzle('migrate', '-q', '--url', url, '--dir', name,
                  cwd=os.path.dirname(folder))
    want = dump(db)
    if made.status:
        check('%s: no bundle, as there is no folder' % name,
              (here.status, here.err), (made.status, made.err.replace(
                  os.path.dirname(folder) + '/', '')))
        return
    behind = os.path.getsize(one) - os.path.getsize(MIZZLE)
    check('%s: is no larger than its tar.gz' % name, True,
          behind <= tar_gz(folder))
    fresh_real()
    there = run(one, '-q', '--url', url)
    check('%s: says and does the same' % name,
          (here.status, here.err, want), (there.status, there.err, dump(db)))


ROLES = server.roles()
places = [os.path.join(os.environ.get('srcdir', '.'), 'drizzle')]
if shared():
    places += sorted(glob.glob(os.path.join(shared(), 'corpora/folders/*')))
else:
    note('the corpora are not here')
for place in places:
    compare(os.path.abspath(place))

sys.exit(verdict())
