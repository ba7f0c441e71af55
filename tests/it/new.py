# SPDX-License-Identifier: MIT
"""mizzle new: the real drizzle-kit takes what it makes for its own."""
import calendar
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import time

from harness import (Server, check, drizzle, drizzle_home, finish, folders,
                     journal, kit_home, mizzle, needs_program, newdir, note,
                     start, verdict, wait_for, write)

TEXT = '-- Custom SQL migration file, put your code below! --'
ORIGIN = '00000000-0000-0000-0000-000000000000'
UUID = re.compile('^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-'
                  '[0-9a-f]{12}$')

needs_program()
server = Server('autovacuum=off')


def read(*path):
    with open(os.path.join(*path), encoding='utf-8') as f:
        return f.read()


def tree(where):
    """Every file with its text."""
    return {os.path.relpath(os.path.join(place, name), where):
            read(place, name)
            for place, _, names in os.walk(where) for name in names}


def added(before, after):
    return sorted(set(after) - set(before))


def new(where, name='x', *args, **more):
    return mizzle('new', '--dir', where, name, *args, **more)


def created(where, name='x', *args, **more):
    """The event of a new migration; its result must be ok."""
    got = mizzle('new', '--json', '--dir', where, name, *args, **more)
    if not check('new %s: succeeds' % name, (0, True), (
            got.status, got.event('result').get('ok'))):
        note(str(got))
    return got.event('migration')


# ---- with drizzle-kit

SCHEMA = '''import { pgTable, pgEnum, integer, text, numeric } from
    'drizzle-orm/pg-core';
export const mood = pgEnum('mood', ['sad "x"', 'gl\\u00fccklich']);
export const users = pgTable('users', {
    id: integer().primaryKey(), mood: mood(), rate: numeric().default('0.10'),
    %s });
'''


class Project:
    """A place where drizzle-kit works."""

    def __init__(self, version, prefix=None):
        self.version = version
        self.place = newdir('kit%d-%s' % (version, prefix))
        self.dir = os.path.join(self.place, 'drizzle')
        home = kit_home(version)
        os.symlink(os.path.join(home, 'node_modules'),
                   os.path.join(self.place, 'node_modules'))
        write(os.path.join(self.place, 'drizzle.config.ts'), '''
            export default { dialect: 'postgresql', schema: './schema.ts',
                             out: './drizzle', %s };''' % (
            "migrations: { prefix: '%s' }" % prefix if prefix else ''))
        self.schema('name: text()')

    def schema(self, more):
        write(os.path.join(self.place, 'schema.ts'), SCHEMA % more)

    def kit(self, *args):
        done = subprocess.run(
            [os.path.join('node_modules', '.bin', 'drizzle-kit'), *args],
            cwd=self.place, stdin=subprocess.DEVNULL, capture_output=True,
            text=True, timeout=120)
        return done.returncode, done.stdout + done.stderr

    def new(self, name):
        """As people run it: drizzle.config.ts says where."""
        return mizzle('new', '--json', name, cwd=self.place).event('migration')


def passed(made):
    """Of two in one second drizzle-kit 0.x overwrites the first's snapshot."""
    digits = made['tag'].split('_')[0]
    second = int(digits or 0) if len(digits) < 14 else calendar.timegm(
        time.strptime(digits, '%Y%m%d%H%M%S'))
    wait_for(lambda: time.time() >= second + 1)


def snapshot_of(project, made):
    return json.loads(read(project.place, made['files'][1]))


def like_custom(what, project):
    """What is made is what drizzle-kit generate --custom makes."""
    other = project.dir + '.other'
    shutil.rmtree(other, ignore_errors=True)
    if os.path.isdir(project.dir):
        shutil.copytree(project.dir, other)
    before = tree(project.dir)
    made = project.new('same thing')
    ours = tree(project.dir)
    os.rename(project.dir, project.dir + '.ours')
    if os.path.isdir(other):
        os.rename(other, project.dir)
    status, said = project.kit('generate', '--custom', '--name', 'same_thing')
    check(what + 'the kit does it, too', (0, True), (status, 'same_thing'
                                                     in said))
    theirs = tree(project.dir)
    shutil.rmtree(project.dir)
    os.rename(project.dir + '.ours', project.dir)

    def harmless(files):
        """Without what differs from run to run."""
        out = {}
        for name, text in files.items():
            if name not in before or before[name] != text:
                if name.endswith('.json'):
                    text = json.loads(text)
                    check(what + name + ' is written as theirs',
                          json.dumps(text, indent=2, ensure_ascii=False),
                          files[name])
                    text.pop('id', None)
                    for entry in text.get('entries', []):
                        entry.pop('when')
                        entry['tag'] = re.sub(r'^\d{10,}', 'T', entry['tag'])
                out[re.sub(r'\d{10,}_', 'T_', name)] = text
        return out
    check(what + 'the same files', harmless(theirs), harmless(ours))
    if len(made['files']) > 1:
        check(what + 'an id of its own', UUID, snapshot_of(project,
                                                           made)['id'])
    return made


def goes_on(what, project, made, before_next):
    """drizzle-kit is content, and continues it."""
    status, said = project.kit('check')
    check(what + 'check', (0, False), (status, 'ollision' in said
                                       or 'onflict' in said)) or note(said)
    status, said = project.kit('generate')
    check(what + 'no changes', (0, True), (
        status, 'No schema changes' in said)) or note(said)
    project.schema('name: text(), more: integer()')
    before = tree(project.dir)
    passed(made)
    status, said = project.kit('generate', '--name', 'next')
    check(what + 'a change', 0, status) or note(said)
    fresh = added(before, tree(project.dir))
    sql = [name for name in fresh if name.endswith('.sql')]
    check(what + 'the next one has only the change', [
        'ALTER TABLE "users" ADD COLUMN "more" integer;'],
        [read(project.dir, name) for name in sql])
    shot = [name for name in fresh if name.endswith('snapshot.json')]
    shot = json.loads(read(project.dir, *shot)) if shot else {}
    check(what + 'its parent', snapshot_of(project, made)['id'],
          shot.get('prevId') or shot['prevIds'][0])
    before_next(shot)
    got = mizzle('check', cwd=project.place)
    check(what + 'mizzle check', 0, got.status) or note(str(got))


def applied(what, project, made):
    """The real migrate() and ours write the same rows."""
    write(os.path.join(project.place, made['file']),
          'CREATE TABLE made_by_hand (id int);')
    columns = 'hash, created_at' + (', name' if project.version else '')
    rows = []
    for name in ('ours', 'theirs'):
        server.fresh(name)
        if name == 'theirs':
            done = drizzle(project.version, server.url(name), project.dir)
        else:
            done = mizzle('migrate', '--url', server.url(name),
                          cwd=project.place)
        check(what + name + ': applied', 0, done.status) or note(str(done))
        rows.append(server.history(name, columns))
        check(what + name + ': run', 'made_by_hand', server.sql(
            name, "SELECT to_regclass('made_by_hand')"))
    check(what + 'the same rows', rows[1], rows[0])
    check(what + 'Drizzle has nothing to do', 0, drizzle(
        project.version, server.url('ours'), project.dir).status)
    check(what + 'nor have we', 0, mizzle(
        'verify', '--url', server.url('theirs'), cwd=project.place).status)


def with_kit(version, prefix):
    what = 'kit %d, %s: ' % (version, prefix)
    project = Project(version, prefix)
    first = like_custom(what + 'an empty folder: ', project)
    check(what + 'the first has no parent', True, ORIGIN in (
        snapshot_of(project, first).get('prevId'),
        *snapshot_of(project, first).get('prevIds', [])))
    passed(first)
    status, said = project.kit('generate', '--name', 'base')
    check(what + 'generate', 0, status) or note(said)
    like_custom(what + 'behind another: ', project)
    made = project.new('third')

    def idx(_):
        if version == 0:
            entries = json.loads(read(project.dir, 'meta',
                                      '_journal.json'))['entries']
            check(what + 'idx', [0, 1, 2, 3, 4],
                  [e['idx'] for e in entries])
            whens = [e['when'] for e in entries]
            check(what + 'times grow', sorted(set(whens)), whens)
        names = [e for e in sorted(os.listdir(project.dir)) if '_' in e]
        check(what + 'the order of names', [
            'same', 'base', 'same', 'third', 'next'],
            [e.split('_')[1].split('.')[0] for e in names])
    goes_on(what, project, made, idx)
    if drizzle_home():
        applied(what, project, made)


def without_prefix():
    """A folder in which drizzle-kit itself cannot go on."""
    project = Project(0, 'none')
    project.kit('generate', '--name', 'base')
    made = project.new('x')
    check('prefix none', ('_x', 1), (made['tag'], len(made['files'])))
    check('prefix none: nothing is overwritten', ORIGIN, json.loads(
        read(project.dir, 'meta', '_snapshot.json'))['prevId'])


# ---- without it

def plain():
    where = newdir('plain')
    made = created(where, 'x', '--layout', 'plain')
    check('plain: the first', ('0001_x', 'plain'), (made['tag'],
                                                    made['layout']))
    write(os.path.join(where, '0041_a.sql'), 'SELECT 1;')
    write(os.path.join(where, '0050_a.down.sql'), 'SELECT 1;')
    got = new(where, 'add users')
    check('plain: the next number', (0, os.path.join(
        where, '0042_add_users.sql') + '\n', ''), (
            got.status, got.out, got.err))
    check('plain: its text', TEXT, read(where, '0042_add_users.sql'))
    write(os.path.join(where, '9999_z.sql'), 'SELECT 1;')
    got = new(where)
    check('plain: no number is left', 2, got.status)
    check('plain: all of it', 4 + 1, len(os.listdir(where)))


def first_of_all():
    where = os.path.join(newdir('fresh'), 'a', 'b')
    made = created(where)
    check('no folder: a journal', ('0000_x', 'journal'), (made['tag'],
                                                          made['layout']))
    check('no folder: its header', ('7', 'postgresql'), (
        lambda j: (j['version'], j['dialect']))(json.loads(
            read(where, 'meta', '_journal.json'))))
    check('mizzle check', 0, mizzle('check', '--dir', where).status)
    where = newdir('fresh')
    made = created(where, 'x', '--layout', 'folders')
    check('an empty folder: as wanted', ('folders', True), (
        made['layout'], os.path.isfile(made['file'])))
    got = new(where, 'y', '--layout', 'journal')
    check('another layout than what is there', (2, True), (
        got.status, 'folders, not journal' in got.err))
    place = newdir('installed')
    write(os.path.join(place, 'node_modules', 'drizzle-kit', 'package.json'),
          '{"version":"1.0.0"}')
    check('drizzle-kit 1.x is installed', 'folders', mizzle(
        'new', '--json', 'x', cwd=place).event('migration').get('layout'))


def foreign_journal():
    """What others put into it stays; its mode, too."""
    where = newdir('foreign')
    path = write(os.path.join(where, 'meta', '_journal.json'), '''{
\t"version":"5","dialect":"pg", "note" : {"a":[1.50, "\\u00e9"]}, "entries":[
\t{"idx":7,"version":"5","when":99999999999999,"tag":"0007_a","by":"me",
\t "breakpoints":false}], "end":1e3 }
''')
    write(os.path.join(where, '0007_a.sql'), 'SELECT 1;')
    os.chmod(path, 0o640)
    got = new(where)
    check('no snapshot: told', (0, True), (
        got.status, 'no snapshot was made' in got.err)) or note(str(got))
    check('the journal', '''{
  "version": "5",
  "dialect": "pg",
  "note": {
    "a": [
      1.50,
      "\\u00e9"
    ]
  },
  "entries": [
    {
      "idx": 7,
      "version": "5",
      "when": 99999999999999,
      "tag": "0007_a",
      "by": "me",
      "breakpoints": false
    },
    {
      "idx": 8,
      "version": "5",
      "when": 100000000000000,
      "tag": "0008_x",
      "breakpoints": false
    }
  ],
  "end": 1e3
}''', read(path))
    check('its mode', 0o640, os.stat(path).st_mode & 0o777)
    moved = os.path.join(where, 'elsewhere.json')
    os.rename(path, moved)
    os.symlink(moved, path)
    created(where, 'y')
    check('a link stays one', (True, 3), (os.path.islink(path), len(
        json.loads(read(moved))['entries'])))


def shot(where, name, own, parent, **more):
    write(os.path.join(where, name), json.dumps({
        'id': own, 'prevId': parent, 'version': '7', 'dialect': 'postgresql',
        'tables': {'t': {'d': 0.1}}, '_meta': {'columns': {'a': 'b'}},
        **more}, indent=2))


def snapshots():
    a, b = ORIGIN[:-1] + 'a', ORIGIN[:-1] + 'b'
    where = journal(newdir('shots'), [('0000_a', ''), ('0001_b', '')])
    shot(where, 'meta/0000_snapshot.json', a, ORIGIN)
    got = new(where)
    check('the last snapshot is lacking: told', (0, True), (
        got.status, '0001_snapshot.json is missing' in got.err))
    made = json.loads(read(where, 'meta', '0002_snapshot.json'))
    check('it goes on from what is there', (
        a, {'t': {'d': 0.1}}, {'columns': {}, 'schemas': {}, 'tables': {}}), (
            made['prevId'], made['tables'], made['_meta']))
    for text, why in (('{"id":"' + b + '"}', 'no snapshot'),
                      ('<<<<<<< HEAD\n', 'not valid JSON'),
                      ('{"id":"%s","prevId":"%s","version":"10"}' % (b, a),
                       'newer drizzle-kit'),
                      ('[]', 'no snapshot')):
        before = tree(where)
        write(os.path.join(where, 'meta', '0009_snapshot.json'), text)
        got = new(where, 'y')
        os.unlink(os.path.join(where, 'meta', '0009_snapshot.json'))
        check('a bad snapshot: ' + why, (2, True, before), (
            got.status, why in got.err, tree(where)))


def branches():
    ids = {c: ORIGIN[:-1] + c for c in 'abc'}

    def nine(name, own, *parents):
        return json.dumps({'type': 'diff', 'version': '9',
                           'dialect': 'postgres', 'id': ids[own],
                           'prevIds': list(parents), 'footprints': [],
                           'deltas': []})
    where = folders(newdir('branches'), [
        ('20240101000000_a', ''), ('20240101000001_b', ''),
        ('20240101000002_c', '')])
    for name, own, parent in (('0_a', 'a', ORIGIN), ('1_b', 'b', ids['a']),
                              ('2_c', 'c', ids['a'])):
        write(os.path.join(where, '2024010100000' + name, 'snapshot.json'),
              nine(name, own, parent))
    for mine, theirs, joined in (
            (('writes', 's|x'), ('writes', 's|y'), True),
            (('reads', 's|x'), ('reads', 's|x'), True),
            (('writes', 's|x'), ('writes', 's|x'), False),
            (('writes', 's|x'), ('reads', 's|x'), False),
            (('reads', 's|x'), ('sharedWrites', 's|x'), False)):
        for name, own, foot in (('1_b', 'b', mine), ('2_c', 'c', theirs)):
            text = json.loads(nine(name, own, ids['a']))
            text['footprints'] = [{foot[0]: ['s|z' + own]}, {foot[0]: [
                foot[1]]}]
            write(os.path.join(where, '2024010100000' + name,
                               'snapshot.json'), json.dumps(text))
        what = 'two branches, %s and %s: ' % (mine, theirs)
        before = tree(where)
        if joined:
            made = created(where, 'joins')
            check(what + 'joined', [ids['c'], ids['b']], json.loads(read(
                made['files'][1]))['prevIds'])
            shutil.rmtree(os.path.dirname(made['file']))
        else:
            got = new(where)
            check(what + 'refused', (2, True, before), (
                got.status, '20240101000001_b' in got.err, tree(where)))
    write(os.path.join(where, '20240101000002_c', 'snapshot.json'),
          nine('', 'c', ids['a'], ids['b']))
    got = created(where)
    check('one end', [ids['c']], json.loads(read(
        got['files'][1]))['prevIds'])
    write(os.path.join(where, '20991231235959_far', 'migration.sql'), '')
    made = created(where, 'y')
    check('later than the newest', '21000101000000_y', made['tag'])
    eight = folders(newdir('eight'), [('20240101000000_a', '')])
    write(os.path.join(eight, '20240101000000_a', 'snapshot.json'), json.dumps(
        {'version': '8', 'dialect': 'postgres', 'id': ids['a'],
         'prevIds': [ORIGIN], 'ddl': [{'a': 1}], 'renames': ['x']}))
    made = json.loads(read(created(eight)['files'][1]))
    check('version 8: the state, without renames', (
        '8', [ids['a']], [{'a': 1}], []), (
            made['version'], made['prevIds'], made['ddl'], made['renames']))


# ---- what goes wrong

def refused():
    where = journal(newdir('refused'), [('0000_a', '')])
    before = tree(where)
    for name in ('', 'a/b', '../../x', 'a\nb', 'x' * 201, '..', 'a.down'):
        got = new(where, name)
        check('refused: %r' % name[:20], (2, '', before), (
            got.status, got.out, tree(where)))
    for path in ('0000_a.sql', '0000_a.sql/deeper'):
        got = new(os.path.join(where, path))
        check('no folder: ' + path, (2, True, before), (
            got.status, '0000_a.sql is not a folder' in got.err, tree(where)))
    check('no name', 2, mizzle('new', '--dir', where).status)
    check('two names', 2, new(where, 'a', 'b').status)
    path = os.path.join(where, 'meta', '_journal.json')
    for text, why in (('<<<<<<< HEAD\n{}', 'merge conflict'),
                      ('{"entries":', 'not valid JSON'),
                      ('{"entries":[],"entries":[]}', 'twice'),
                      ('{"dialect":"mysql","entries":[]}', 'mysql')):
        write(path, text)
        got = new(where)
        check('a bad journal: ' + why, (2, True, text), (
            got.status, why in got.err, read(path)))
        check('nothing is left', ['_journal.json'], os.listdir(
            os.path.dirname(path)))


def left_over():
    """Nothing is overwritten, and what was made goes away."""
    where = journal(newdir('over'), [('0000_a', '')])
    shot(where, 'meta/0000_snapshot.json', ORIGIN[:-1] + 'a', ORIGIN)
    shot(where, 'meta/0001_snapshot.json', ORIGIN[:-1] + 'b',
         ORIGIN[:-1] + 'a')
    before = tree(where)
    got = new(where)
    check('a snapshot is there', (2, True, before), (
        got.status, '0001_snapshot.json is there already' in got.err,
        tree(where)))
    os.unlink(os.path.join(where, 'meta', '0001_snapshot.json'))
    write(os.path.join(where, '0001_x.sql'), 'mine')
    got = new(where)
    check('a script is there', (2, 'mine', False), (
        got.status, read(where, '0001_x.sql'), os.path.exists(
            os.path.join(where, 'meta', '0001_snapshot.json'))))
    check('another name is fine', '0001_y', created(where, 'y')['tag'])


def full():
    """Files cannot grow past 100 bytes: the SQL fits, the snapshot does not."""
    where = journal(newdir('full'), [('0000_a', '')])
    shot(where, 'meta/0000_snapshot.json', ORIGIN[:-1] + 'a', ORIGIN)
    before = tree(where)
    got = new(where, restore_signals=False, preexec_fn=lambda:
              resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100)))
    check('no room', (2, True, before), (
        got.status, 'nothing was made' in got.err, tree(where))) or note(
            str(got))
    # Only the journal is too large.
    path = os.path.join(where, 'meta', '_journal.json')
    write(path, read(path).replace('{', '{"x":"%s",' % ('y' * 5000), 1))
    before = tree(where)
    got = new(where, restore_signals=False, preexec_fn=lambda:
              resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000)))
    check('no room for the journal', (2, before), (got.status, tree(where)))
    where = os.path.join(newdir('nowhere'), 'a', 'b')
    got = new(where, restore_signals=False, preexec_fn=lambda:
              resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10)))
    check('not even the folders are left', (2, []), (
        got.status, os.listdir(os.path.dirname(os.path.dirname(where)))))


def denied():
    where = journal(newdir('denied'), [('0000_a', '')])
    prefix = ()
    if os.geteuid() == 0:
        if not shutil.which('setpriv'):
            return note('no setpriv: what root may not do is not tried')
        prefix = ('setpriv', '--reuid=65534', '--regid=65534',
                  '--clear-groups')
        os.chown(where, 65534, 65534)
    os.chmod(os.path.join(where, 'meta'), 0o555)
    before = tree(where)
    got = new(where, prefix=prefix)
    os.chmod(os.path.join(where, 'meta'), 0o755)
    check('no permission', (2, True, before), (
        got.status, 'ermission denied' in got.err, tree(where))) or note(
            str(got))
    return None


def at_once():
    """Everyone gets a tag, and every tag is entered."""
    for layout in ('journal', 'folders', 'plain'):
        where = newdir('once')
        created(where, 'first', '--layout', layout)
        got = [finish(p) for p in [start('new', '--json', '--dir', where, 'x')
                                   for _ in range(12)]]
        tags = [g.event('migration').get('tag') for g in got]
        check(layout + ', at once: all succeed', [0] * 12,
              [g.status for g in got])
        check(layout + ', at once: different', 12, len(set(tags)))
        listed = mizzle('check', '--json', '--dir', where)
        check(layout + ', at once: check', (0, 13), (
            listed.status, listed.event('result').get('checked')))
        if layout == 'journal':
            entries = json.loads(read(where, 'meta', '_journal.json'))
            check('the journal has them', sorted(tags), [
                e['tag'] for e in entries['entries']][1:])
        if layout != 'plain':
            shots = [json.loads(text) for name, text in tree(where).items()
                     if name.endswith('snapshot.json')]
            parents = [s.get('prevId') or s['prevIds'][0] for s in shots]
            check(layout + ', at once: one chain', 13, len(set(parents)))


kits = [v for v in (0, 1) if kit_home(v)]
for v in kits:
    for mode in (('index', 'timestamp', 'unix') if v == 0 else (None,)):
        with_kit(v, mode)
if 0 in kits:
    without_prefix()
if len(kits) < 2:
    note('drizzle-kit is not there (KIT_HOME): only a part was tested')
plain()
first_of_all()
foreign_journal()
snapshots()
branches()
refused()
left_over()
full()
denied()
at_once()
sys.exit(verdict())
