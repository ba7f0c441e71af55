# SPDX-License-Identifier: MIT
"""A migration fails, or the session that runs it, while those behind it are on
their way already: nothing behind it may be done, and all before it is kept."""
from cut import MODES

SCENARIOS = {}
# What is wrong, and how the run may end.
TROUBLE = {
    'error': ('RAISE EXCEPTION USING message = $m$as it was told$m$', 1),
    'cancel': ('PERFORM pg_cancel_backend(pg_backend_pid()); '
               'PERFORM pg_sleep(10)', 1),
    'terminate': ('PERFORM pg_terminate_backend(pg_backend_pid()); '
                  'PERFORM pg_sleep(10)', 3),
    'serialize': ("RAISE EXCEPTION USING errcode = '40001'", 4),
}

# A setting of the database says which of them it is to be, and where.
ASKED = "current_setting('fault.now', true)"
BEGINS = '''DO $do$ BEGIN
  IF {0} LIKE '{1} %' THEN PERFORM pg_sleep(0.02); END IF;
{2}END $do$;
CREATE TEMP TABLE trouble{1} (n int UNIQUE DEFERRABLE INITIALLY DEFERRED)
  ON COMMIT DROP;
INSERT INTO trouble{1} VALUES (1), (2 - coalesce({0} = '{1} commit', false)::int);
'''


def troubled(parts):
    return [(name, BEGINS.format(ASKED, i, ''.join(
        "  IF {} = '{} {}' THEN {}; END IF;\n".format(ASKED, i, kind, what)
        for kind, (what, _) in TROUBLE.items())) + sql)
        for i, (name, sql) in enumerate(parts)]


def failing(mode):
    def scenario(row, context):
        base = context.world(**{**MODES[mode], 'kind': 'fits'})
        world = base.like(parts=troubled(base.parts),
                          options=(*base.options, '--lock-retries', '0'))
        for i in range(len(world.parts)):
            for kind in (*TROUBLE, 'commit'):
                one(row, world, mode, i, kind)
    return scenario


def one(row, world, mode, i, kind):
    what = '%s at migration %d' % (kind, i)
    db = world.database()
    world.ask("ALTER DATABASE \"%s\" SET fault.now = '%d %s'" % (
        db.name, i, kind))
    got = world.migrate(db)
    world.ask('ALTER DATABASE "%s" RESET fault.now' % db.name)
    world.quiet(db)
    kept = world.recorded(db)
    if got.status != TROUBLE.get(kind, (None, 1))[1]:
        row.fail('%s: %s' % (what, got))
    if kept != (i if mode == 'each' else 0):
        row.fail('%s: %d are recorded' % (what, kept))
    row.add(world.settle(db, got), what)


for name in MODES:
    SCENARIOS['a migration fails, ' + name] = failing(name)
