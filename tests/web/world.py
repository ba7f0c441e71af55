# SPDX-License-Identifier: MIT
"""Sets up what the browser tests ask for, with a real mizzle serve: the driver
that page.mjs describes.

    PAGE_WORLD='sh tests/it/python.sh tests/web/world.py' sh tests/web/run.sh
"""
import json
import os
import shutil
import signal
import sys

sys.path.insert(0, os.path.join(os.environ.get('srcdir', '.'), 'tests', 'it'))

from harness import (Server, finish, heard, journal, mizzle,     # noqa: E402
                     needs_program, newdir, start, wait_for)

READER, NAME = 'let-me-look', 'page'


class Refusal(Exception):
    pass


class World:
    def __init__(self):
        self.server = Server()
        self.server.sql('postgres', 'GRANT pg_monitor TO tester')
        self.serve = self.holder = self.other = None
        self.folder = newdir('folder')
        self.files, self.url, self.secret, self.open = [], None, '', False

    # ---- the folder

    def lay(self, files, folder=None):
        folder = folder or self.folder
        shutil.rmtree(folder, ignore_errors=True)
        journal(folder, [(f['tag'], f['sql'], f['when']) for f in files])

    def database(self):
        return self.server.url(NAME)

    def apply(self, files):
        self.lay(files)
        done = mizzle('migrate', '--dir', self.folder, '--url',
                      self.database())
        if done.status:
            raise Refusal('not applied: ' + done.err)

    def recorded(self, files):
        """What the history is to have, as it was when it was applied."""
        for f in files:
            state = f.get('state') or ('applied' if f.get('applied') else '')
            if state == 'modified':
                yield {**f, 'sql': f['sql'] + '-- before\n'}
            elif state == 'eol':
                yield {**f, 'sql': f['sql'].replace('\n', '\r\n')}
            elif state in ('applied', 'missing'):
                yield f

    def stop_midway(self, before, file):
        """Killed in its first statement, which stands outside of a
        transaction and waits for a lock."""
        self.lay([*before, file])
        table = file['sql'].split(' ON ')[1].split()[0]
        holder = self.hold(table)
        run = start('migrate', '--dir', self.folder, '--url', self.database())
        if not wait_for(lambda: self.waiting() > 0):
            raise Refusal('not midway: ' + finish(run, 1).err)
        run.send_signal(signal.SIGKILL)
        finish(run)
        self.server.sql('postgres', "SELECT pg_terminate_backend(pid) FROM "
                        "pg_stat_activity WHERE datname = '%s' AND "
                        "usename = 'tester'" % NAME)
        holder.close()

    # ---- sessions

    def hold(self, table):
        holder = self.server.hold(NAME, 'BEGIN')
        holder.psql.stdin.write('LOCK TABLE %s;\n' % table)
        holder.psql.stdin.flush()
        wait_for(lambda: int(self.server.sql(
            NAME, "SELECT count(*) FROM pg_locks WHERE relation = "
            "'%s'::regclass AND mode = 'AccessExclusiveLock' AND granted"
            % table)))
        return holder

    def waiting(self):
        return int(self.server.sql(
            'postgres', "SELECT count(*) FROM pg_stat_activity WHERE datname "
            "= '%s' AND wait_event_type = 'Lock'" % NAME))

    # ---- what is asked for

    def settle(self):
        if self.holder:
            self.holder.close()
        if self.other:
            self.other.kill()
            finish(self.other)
        if self.serve:
            self.serve.kill()
            finish(self.serve)
        self.serve = self.holder = self.other = None

    def state(self, files, **how):
        self.settle()
        self.server.fresh(NAME)
        # the history knows them by when
        self.files = [{**f, 'when': 1790000000000 + i * 86400000}
                      for i, f in enumerate(files)]
        done = list(self.recorded(self.files))
        half = [f for f in self.files if f.get('state') == 'partial']
        self.apply(done)
        for f in half:
            self.stop_midway(done, f)
        self.files = [f for f in self.files if f.get('state') != 'missing']
        self.lay(self.files)
        self.open, self.secret = how.get('open'), 'let-me-migrate'
        self.listen('0')

    def listen(self, port):
        secrets = {} if self.open else {'MIGRATION_SECRET': self.secret,
                                        'MIGRATION_READ_SECRET': READER}
        self.serve = start('serve', '--listen', '127.0.0.1:' + port, '--dir',
                           self.folder, '--url', self.database(), '-v',
                           '--lock-wait', '1s', env=secrets)
        if not heard(self.serve, '/api/admin/migrate\n'):
            raise Refusal('no server: ' + finish(self.serve).err)
        said = self.serve.said.decode()
        self.url = said[said.index('http://'):].split()[0]

    def restart(self, secret=None):
        self.secret = secret or self.secret
        self.serve.kill()
        finish(self.serve)
        self.listen(self.url.split(':')[2].split('/')[0])

    def write(self, tag, sql):
        self.files.append({'tag': tag, 'sql': sql,
                           'when': self.files[-1]['when'] + 1000})
        self.lay(self.files)

    def block(self, table):
        self.holder = self.hold(table)

    def unblock(self):
        self.holder.close()
        self.holder = None

    def lock(self):
        """Another migrator, which cannot go on."""
        place = newdir('elsewhere')
        self.lay([*(f for f in self.files if f.get('applied')),
                  {'tag': '9999_elsewhere', 'sql': 'LOCK TABLE users;\n',
                   'when': 2 * 10 ** 12}], place)
        self.holder = self.hold('users')
        self.other = start('migrate', '--dir', place, '--url',
                           self.database(), '--transaction', 'all')
        if not wait_for(lambda: self.waiting() > 0):
            raise Refusal('no lock: ' + finish(self.other, 1).err)

    def unlock(self):
        self.other.send_signal(signal.SIGTERM)
        finish(self.other)
        self.other = None
        self.unblock()

    def down(self):
        self.server.sql('postgres', 'ALTER DATABASE %s WITH '
                        'ALLOW_CONNECTIONS false' % NAME,
                        "SELECT pg_terminate_backend(pid) FROM "
                        "pg_stat_activity WHERE datname = '%s'" % NAME)

    def up(self):
        self.server.sql('postgres', 'ALTER DATABASE %s WITH '
                        'ALLOW_CONNECTIONS true' % NAME)

    def answer(self, what, **how):
        if what not in ('state', 'write', 'block', 'unblock', 'lock',
                        'unlock', 'down', 'up', 'restart'):
            return {'skip': 'no ' + what}
        try:
            getattr(self, what)(**how)
        except Refusal as e:
            return {'skip': str(e)}
        return {'url': self.url, 'secret': self.secret, 'reader': READER}


needs_program()
world = World()
for line in sys.stdin:
    print(json.dumps(world.answer(**json.loads(line))), flush=True)
world.settle()
