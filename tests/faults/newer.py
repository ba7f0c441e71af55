# SPDX-License-Identifier: MIT
"""What only servers from 17 on have: settings, a limit for transactions,
triggers at login, connections for some roles.  The newest of those that are
here is asked; in the long form each."""
from harness import Server, servers
from environment import all_but
from folders import SETS
from roles import RoleDatabase, case, judged
from world import World

SCENARIOS = {}
FROM = 17


def places(context):
    """{version: its programs} of those that are asked."""
    found = {v: place for v, place in servers().items() if v >= FROM}
    return found if context.long or not found else {
        max(found): found[max(found)]}


def worlds(context, **more):
    """(version, a world in it) of each."""
    for version, place in places(context).items():
        base = context.shared('PostgreSQL %d' % version, lambda p=place: World(
            server=Server('autovacuum=off', place=p)))
        yield version, base.like(**more) if more else base


def where_there_is_one(scenario):
    def careful(row, context):
        found = places(context)
        if not found:
            row.skip('no PostgreSQL from %d on is here (POSTGRES_HOME: '
                     'tests/install.sh)' % FROM)
            return
        scenario(row, context)
        row.note('with PostgreSQL %s' % ', '.join(map(str, found)))
    return careful


# ---- settings that are none of its business

# (from which version on, what is set)
SETTINGS = [
    (17, "transaction_timeout = '5s'"),
    (17, "restrict_nonsystem_relation_kind = 'view, foreign-table'"),
    (17, 'event_triggers = off'),
    (17, "createrole_self_grant = 'set, inherit'"),
    (17, 'debug_parallel_query = regress'),
    (17, 'enable_group_by_reordering = off'),
    (18, 'file_copy_method = clone'),
    (18, 'log_lock_failures = on'),
    (18, "extension_control_path = '/nowhere'"),
    (18, 'enable_self_join_elimination = off'),
    (18, 'vacuum_truncate = off'),
]
PROVIDERS = [
    (17, "LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8'"),
    (18, "LOCALE_PROVIDER builtin BUILTIN_LOCALE 'PG_UNICODE_FAST'"),
    (17, "LOCALE_PROVIDER icu ICU_LOCALE 'tr' ICU_RULES '&z < a'"),
]


def settings(row, context):
    for version, world in worlds(context):
        for since, setting in SETTINGS:
            if since <= version:
                case(row, world, '%d: %s' % (version, setting), [
                    'ALTER ROLE {role} SET ' + setting], 0)
        for since, provider in PROVIDERS:
            if since <= version:
                case(row, world, '%d: %s' % (version, provider), [], 0,
                     more="ENCODING 'UTF8' " + provider)


# ---- transactions that take too long

LENGTHS = (1, 2, 3, 5, 8, 13, 21, 34)
SHORT = "ALTER ROLE {role} SET transaction_timeout = '400ms'"
LONGER = 'ALTER ROLE {role} RESET transaction_timeout'
TOO_LONG = 'terminating connection due to transaction timeout'
LIMIT = "ALTER ROLE {role} SET transaction_timeout = '1s'"
# No step of it takes that long, but together they do.
SETS['steps'] = tuple((name, text + 7 * (
    'SELECT pg_sleep(0.2);\nDROP INDEX CONCURRENTLY IF EXISTS nothing;\n')
    if name == 'index' else text) for name, text in SETS['whole'])
SETS['long'] = tuple((name, text + 'SELECT pg_sleep(1);\n' if name == 'code'
                      else text) for name, text in SETS['fits'])


def timeout(row, context):
    """Wherever it strikes; and not the connection that holds the lock."""
    ends = 0
    for version, each in worlds(context):
        for world in each, each.like(kind='fits', options=(
                '--transaction', 'all')):
            for ms in LENGTHS:
                db = RoleDatabase(world)
                db.do("ALTER ROLE {role} SET transaction_timeout = '%dms'" %
                      ms)
                got = world.migrate(db)
                db.do(LONGER)
                outcome = world.settle(db, got)
                ends += got.status == 3
                if got.status != 0 and (got.status != 3 or
                                        TOO_LONG not in got.err):
                    outcome.unclear = 'it does not say what ended it'
                row.add(outcome, '%d: %d ms, %s' % (version, ms,
                                                    world.options))
        case(row, each.like(kind='steps'), '%d: many steps' % version,
             [LIMIT], 0)
        for options in (), ('--transaction', 'all'):
            case(row, each.like(kind='long'), '%d: a slow migration, %s' % (
                version, options), [SHORT], (3, TOO_LONG), [LONGER],
                 options=options)
    row.note('it struck in %d runs of another length' % ends)
    if not ends:
        row.fail('it never struck')


# ---- triggers at login

OTHERS = "session_user <> 'postgres'"
SECOND = OTHERS + ''' AND (SELECT count(*) FROM pg_stat_activity
    WHERE usename = session_user AND datname = current_database()) > 1'''
FORBIDS = "RAISE EXCEPTION 'no login on a Friday' USING HINT = 'wait'"


def sets(name, value):
    return "PERFORM set_config('%s', '%s', false)" % (name, value)


LOGINS = [
    ('says something', OTHERS, "RAISE WARNING 'welcome'", 0),
    ('writes', OTHERS, "PERFORM nextval('audit.logins')", 0),
    ('takes its time', OTHERS, 'PERFORM pg_sleep(0.2)', 0),
    ('sets a style', OTHERS, sets('DateStyle', 'German'), 0),
    ('sets a limit', OTHERS, sets('transaction_timeout', '5s'), 0),
    ('forbids', OTHERS, FORBIDS, (3, 'on a Friday')),
    ('forbids the second', SECOND, FORBIDS,
     (3, 'the second connection.*on a Friday')),
    ('makes it read-only', OTHERS, sets('default_transaction_read_only', 'on'),
     (9, 'read-only')),
    ('reads strings in another way', OTHERS, sets(
        'standard_conforming_strings', 'off'),
     (3, 'strings with backslashes')),
    ('insists on an encoding', OTHERS, sets('client_encoding', 'LATIN1'),
     (3, 'client_encoding')),
]


def at_login(condition, what):
    return ['CREATE SCHEMA audit', 'CREATE SEQUENCE audit.logins',
            '''CREATE FUNCTION audit.login() RETURNS event_trigger
            LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
            AS $$ BEGIN IF %s THEN %s; END IF; END $$''' % (condition, what),
            'CREATE EVENT TRIGGER login ON login '
            'EXECUTE FUNCTION audit.login()']


def logins(row, context):
    gone = ['DROP EVENT TRIGGER login', 'DROP SCHEMA audit CASCADE']
    for version, world in worlds(context):
        for what, condition, body, want in LOGINS:
            case(row, world, '%d: one that %s' % (version, what),
                 at_login(condition, body), want, gone)


# ---- connections that are for others

def reserved(row, context):
    for version, place in places(context).items():
        server = Server('autovacuum=off', 'max_connections=10',
                        'superuser_reserved_connections=3',
                        'reserved_connections=3', place=place)
        world = World(server=server)
        try:
            world.truth()
            for right, want in ((), (3, 'pg_use_reserved.*53300')), (
                    ['GRANT pg_use_reserved_connections TO {role}'], 0):
                db = RoleDatabase(world)
                # who has such a place is not in pg_database_owner there
                db.do('GRANT ALL ON SCHEMA public TO {role}', *right)
                taken = all_but(server, 0)
                got = world.migrate(db)
                for one in taken:
                    one.close()
                judged(row, '%d: %s' % (version, right), want, got,
                       world.settle(db, got))
        finally:
            server.stop()


for _name, _scenario in (
        ('settings', settings), ('transactions that take too long', timeout),
        ('triggers at login', logins),
        ('connections that are reserved', reserved)):
    SCENARIOS['a newer server, ' + _name] = where_there_is_one(_scenario)
