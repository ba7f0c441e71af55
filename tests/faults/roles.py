# SPDX-License-Identifier: MIT
"""What is set for a role or a database, and what a role may not: each case
says how a run is to end, and what then makes it end well."""
import re
from itertools import count

from folders import SETS
from harness import mizzle
from proxy import Proxy
from world import Database

SCENARIOS = {}
_number = count()


class RoleDatabase(Database):
    """A database with a role of its own, which runs the migrations."""

    def __init__(self, world, more='', owns=True):
        self.role = 'r%d' % next(_number)
        ask = world.ask
        ask("CREATE ROLE %s LOGIN PASSWORD '%s'" % (
            self.role, world.server.password))
        base = world.database(more)
        super().__init__(world, base.name)
        if owns:
            ask('ALTER DATABASE %s OWNER TO %s' % (self.name, self.role))
            self.do('ALTER SCHEMA public OWNER TO pg_database_owner')

    def url(self, port=None, query='?sslmode=disable', user=None):
        return super().url(port, query, user or self.role)

    def do(self, *statements):
        """As the superuser, in this database."""
        with self.talk() as ask:
            for statement in statements:
                ask(statement.format(role=self.role, db=self.name))

    def close(self):
        super().close()
        self.world.ask('DROP ROLE IF EXISTS ' + self.role)


def judged(row, what, want, got, outcome):
    """want is 0, or (status or some, pattern of what stderr must say)."""
    if want == 0:
        if got.status != 0:
            outcome.unclear = 'status %s, not 0' % got.status
    elif got.status not in (want[0] if isinstance(want[0], tuple) else
                            want[:1]) or not re.search(want[1], got.err):
        outcome.unclear = 'not %s' % (want,)
    row.add(outcome, what)


def case(row, world, what, before, want, after=(), owns=True, more='',
         options=()):
    db = RoleDatabase(world, more, owns)
    db.do(*before)
    got = world.migrate(db, *options)
    db.do(*after)
    judged(row, what, want, got, world.settle(db, got))


# ---- settings that are none of its business

SETTINGS = '''
default_transaction_isolation = serializable
default_transaction_isolation = 'repeatable read'
default_transaction_deferrable = on
backslash_quote = off
escape_string_warning = off
DateStyle = 'German, YMD'
IntervalStyle = sql_standard
TimeZone = 'Asia/Kathmandu'
client_encoding = LATIN1
client_encoding = SQL_ASCII
client_encoding = EUC_JP
bytea_output = escape
extra_float_digits = -15
transform_null_equals = on
array_nulls = off
quote_all_identifiers = on
row_security = off
session_replication_role = local
check_function_bodies = off
xmloption = document
default_toast_compression = pglz
client_min_messages = debug5
client_min_messages = error
log_min_messages = debug5
application_name = 'mizzle'
synchronous_commit = off
constraint_exclusion = on
plan_cache_mode = force_generic_plan
lock_timeout = '2s'
idle_in_transaction_session_timeout = '5s'
idle_session_timeout = '5s'
tcp_user_timeout = '10s'
work_mem = '64kB'
search_path = ''
search_path = nowhere
search_path = 'public, pg_catalog'
search_path = '"$user"'
enable_seqscan = off
jit_above_cost = 0
track_activities = off
'''.strip().splitlines()


def set_for(who, names):
    """Neither a role's nor a database's settings are in its way."""
    def scenario(row, context):
        world = context.world()
        for setting in context.some(names, 100):
            case(row, world, setting, [
                'ALTER %s SET %s' % (who, setting)], 0)
    return scenario


# Where a search_path is set, what the migrations make without a schema goes
# elsewhere, or nowhere.
PLAIN = [s for s in SETTINGS if not s.startswith('search_path')]
PATHS = [s for s in SETTINGS if s.startswith('search_path')]
SCENARIOS['settings of the role'] = set_for('ROLE {role}', PLAIN)
SCENARIOS['settings of the database'] = set_for(
    'DATABASE {db}', [s for s in PLAIN[:12] if 'encoding' not in s])


# Each migration says where its things go: as it does, or should, who runs
# with such a role.
SETS['placed'] = tuple((name, 'SET search_path = public;\n' + text)
                       for name, text in SETS['whole'])


def paths(row, context):
    world = context.world(kind='placed')
    for setting in PATHS:
        case(row, world, setting, ['ALTER ROLE {role} SET ' + setting], 0)


SCENARIOS['search_path of the role'] = paths


# The connection that holds the lock has nothing to do for so long.
SETS['slow'] = tuple((name, text + 'SELECT pg_sleep(1);\n' if name in (
    'index', 'own') else text) for name, text in SETS['whole'])


def idle(row, context):
    world = context.world(kind='slow')
    for setting in ('idle_in_transaction_session_timeout',
                    'idle_session_timeout'):
        case(row, world, setting, [
            "ALTER ROLE {role} SET %s = '400ms'" % setting], 0)


SCENARIOS['a slow step, and limits for who is idle'] = idle


# ---- settings that end it

ENDS = [
    ('read-only, by role', 'ALTER ROLE {role} SET '
     'default_transaction_read_only = on', (9, 'read-only'),
     'ALTER ROLE {role} RESET default_transaction_read_only'),
    ('read-only, by database', 'ALTER DATABASE {db} SET '
     'default_transaction_read_only = on', (9, 'read-only'),
     'ALTER DATABASE {db} RESET default_transaction_read_only'),
    ('a statement timeout that is too short',
     "ALTER ROLE {role} SET statement_timeout = '1ms'",
     ((1, 3, 6), 'statement[ _]timeout'),
     'ALTER ROLE {role} RESET statement_timeout'),
    ('strings that are read in another way, by role', 'ALTER ROLE {role} SET '
     'standard_conforming_strings = off', (3, 'strings with backslashes'),
     'ALTER ROLE {role} RESET standard_conforming_strings'),
    ('strings that are read in another way, by database',
     'ALTER DATABASE {db} SET standard_conforming_strings = off',
     (3, 'strings with backslashes'),
     'ALTER DATABASE {db} RESET standard_conforming_strings'),
    ('every error ends the session',
     'ALTER ROLE {role} SET exit_on_error = on', (3, 'FATAL: relation'),
     'ALTER ROLE {role} RESET exit_on_error'),
    ('it may not log in', 'ALTER ROLE {role} NOLOGIN',
     (3, 'not permitted to log in'), 'ALTER ROLE {role} LOGIN'),
    ('its password has expired', "ALTER ROLE {role} VALID UNTIL '2001-01-01'",
     (3, 'password'), "ALTER ROLE {role} VALID UNTIL 'infinity'"),
    ('its password is another', "ALTER ROLE {role} PASSWORD 'other'",
     (3, 'password'), "ALTER ROLE {role} PASSWORD '%s'"),
    ('it may not connect', 'REVOKE CONNECT ON DATABASE {db} FROM public, '
     '{role}', (3, 'permission denied for database'),
     'GRANT CONNECT ON DATABASE {db} TO {role}'),
    ('the database takes no connections',
     'ALTER DATABASE {db} ALLOW_CONNECTIONS false',
     (3, 'not currently accepting connections'),
     None),
    ('no connection for the role', 'ALTER ROLE {role} CONNECTION LIMIT 0',
     (3, 'too many connections for role'),
     'ALTER ROLE {role} CONNECTION LIMIT -1'),
    ('one connection for the role', 'ALTER ROLE {role} CONNECTION LIMIT 1',
     (3, 'the second connection.*too many connections for role'),
     'ALTER ROLE {role} CONNECTION LIMIT -1'),
    ('no connection for the database',
     'ALTER DATABASE {db} CONNECTION LIMIT 0',
     (3, 'too many connections for database'),
     'ALTER DATABASE {db} CONNECTION LIMIT -1'),
    ('one connection for the database',
     'ALTER DATABASE {db} CONNECTION LIMIT 1',
     (3, 'the second connection.*too many connections for database'),
     'ALTER DATABASE {db} CONNECTION LIMIT -1'),
    ('a role that is not there is set',
     'ALTER ROLE {role} SET role = nobody_at_all', 0,
     'ALTER ROLE {role} RESET role'),
    ('a tablespace that is gone', 'ALTER ROLE {role} SET default_tablespace = '
     'gone', 0, 'ALTER ROLE {role} RESET default_tablespace'),
    ('a table access method that is not there', 'ALTER ROLE {role} SET '
     'default_table_access_method = gone', 0,
     'ALTER ROLE {role} RESET default_table_access_method'),
    ('a lock timeout that is too short for CONCURRENTLY',
     "ALTER ROLE {role} SET lock_timeout = '1ms'", 0,
     'ALTER ROLE {role} RESET lock_timeout'),
]


def ends(row, context):
    world = context.world()
    for what, before, want, after in ENDS:
        db = RoleDatabase(world)
        world.ask(before.format(role=db.role, db=db.name))
        got = world.migrate(db)
        if after is None:
            after = 'ALTER DATABASE {db} ALLOW_CONNECTIONS true'
        if '%s' in after:
            after %= world.server.password
        world.ask(after.format(role=db.role, db=db.name))
        outcome = world.settle(db, got)
        judged(row, what, want, got, outcome)


SCENARIOS['settings and limits that end a run'] = ends


# ---- rights

# All that a role needs that owns nothing: docs/reliability.md names them.
NEEDED = {
    'create on the database':
        'GRANT CREATE ON DATABASE {db} TO {role}',
    'create in the schema':
        'GRANT USAGE, CREATE ON SCHEMA public TO {role}',
}
# The same for a history that somebody else has made.
HISTORY = [
    'CREATE SCHEMA drizzle',
    'CREATE TABLE drizzle.__drizzle_migrations (id serial PRIMARY KEY, '
    'hash text NOT NULL, created_at bigint)',
]
GRANTED = {
    'usage of the schema': 'GRANT USAGE ON SCHEMA drizzle TO {role}',
    'select': 'GRANT SELECT ON drizzle.__drizzle_migrations TO {role}',
    'insert': 'GRANT INSERT ON drizzle.__drizzle_migrations TO {role}',
    'the sequence': 'GRANT USAGE ON SEQUENCE '
                    'drizzle.__drizzle_migrations_id_seq TO {role}',
    'create in its schema': 'GRANT CREATE ON SCHEMA drizzle TO {role}',
    'create in public': 'GRANT CREATE ON SCHEMA public TO {role}',
}
DENIED = {
    'create on the database': (9, 'may not create the schema'),
    'create in the schema': (1, '42501'),
    'usage of the schema': (9, 'may not use the schema|may not read'),
    'select': (9, 'may not read the history'),
    'insert': (9, 'may not write to'),
    'the sequence': (1, 'permission denied for sequence'),
    # only progress step by step needs a table of its own
    'create in its schema': (1, 'permission denied for schema drizzle'),
    'create in public': (1, 'permission denied for schema public'),
}


def least(row, context):
    """With what it needs it works, and without any of it it says so."""
    world = context.world()
    for first, needed in ([], NEEDED), (HISTORY, GRANTED):
        case(row, world, 'all that is needed', [*first, *needed.values()], 0,
             owns=False)
        for missing in needed:
            case(row, world, 'without ' + missing, [*first, *(
                sql for name, sql in needed.items() if name != missing)],
                 DENIED[missing], [needed[missing]], owns=False)
    case(row, world, 'without advisory locks', [
        'REVOKE EXECUTE ON FUNCTION pg_try_advisory_xact_lock(bigint) '
        'FROM public'], 0)


SCENARIOS['a role with only the rights it needs'] = least


# It is taken away while the run goes on, and given back when that is over.
TAKEN = [
    ('REVOKE ALL ON SCHEMA public FROM public, {role}',
     'GRANT ALL ON SCHEMA public TO {role}'),
    ('REVOKE ALL ON DATABASE {db} FROM public, {role}',
     'GRANT ALL ON DATABASE {db} TO {role}'),
    ('ALTER ROLE {role} NOLOGIN', 'ALTER ROLE {role} LOGIN'),
    ('ALTER ROLE {role} CONNECTION LIMIT 0',
     'ALTER ROLE {role} CONNECTION LIMIT -1'),
    ('''DO $$ BEGIN REVOKE ALL ON drizzle.__drizzle_migrations FROM {role};
     EXCEPTION WHEN others THEN NULL; END $$''',
     '''DO $$ BEGIN GRANT ALL ON drizzle.__drizzle_migrations TO {role};
     EXCEPTION WHEN others THEN NULL; END $$'''),
    ('ALTER ROLE {role} SET default_transaction_read_only = on',
     'ALTER ROLE {role} RESET default_transaction_read_only'),
    ('''DO $$ BEGIN REVOKE ALL ON SCHEMA drizzle FROM {role};
     EXCEPTION WHEN others THEN NULL; END $$''',
     '''DO $$ BEGIN GRANT ALL ON SCHEMA drizzle TO {role};
     EXCEPTION WHEN others THEN NULL; END $$'''),
]


class Midway:
    """Something is done when one message of the run comes by."""

    def __init__(self, at, do):
        self.at, self.do, self.done = at, do, False

    def __call__(self, session, way, k, message):
        if not self.done and (session, way, k) == self.at:
            self.done = True
            self.do()


def taken(row, context):
    world = context.world()
    db = world.database()
    with Proxy(world.server.port) as proxy:
        got = world.migrate(db, url=db.url(proxy.port))
        places = [(i, way, k) for i, seen in enumerate(proxy.seen())
                  for way in ('front', 'back') for k in range(len(seen[way]))]
    row.add(world.settle(db, got), 'undisturbed')
    hits = 0
    every = [(at, one) for at in places for one in TAKEN]
    for at, (take, give) in context.some(every, 60):
        db = RoleDatabase(world)
        db.leaves = True
        fault = Midway(at, lambda d=db, t=take: d.do(t))
        with Proxy(world.server.port, fault) as proxy:
            got = world.migrate(db, url=db.url(proxy.port))
        db.do(give)
        hits += fault.done
        row.add(world.settle(db, got), '%s at %s' % (take, at))
    row.note('%d runs in which something was taken away' % hits)


SCENARIOS['rights are taken away midway'] = taken


# ---- event triggers

AUDIT = [
    'CREATE SCHEMA audit',
    'CREATE TABLE audit.seen (tag text, object text)',
    '''CREATE FUNCTION audit.note() RETURNS event_trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
    BEGIN
        INSERT INTO audit.seen SELECT tg_tag, object_identity
          FROM pg_event_trigger_ddl_commands()
         WHERE object_identity !~ '(mizzle|pg_temp)';
        RAISE NOTICE 'noted %', tg_tag;
    END $$''',
    'CREATE EVENT TRIGGER audit ON ddl_command_end '
    'EXECUTE FUNCTION audit.note()',
]
FORBID = [
    'CREATE SCHEMA audit',
    '''CREATE FUNCTION audit.forbid() RETURNS event_trigger
    LANGUAGE plpgsql AS $$ BEGIN
        RAISE EXCEPTION 'no % on a Friday', tg_tag USING HINT = 'wait';
    END $$''',
    'CREATE EVENT TRIGGER forbid ON ddl_command_start WHEN TAG IN (%s) '
    'EXECUTE FUNCTION audit.forbid()',
]


def template(world, name, statements):
    """A database to copy; returns a world that does."""
    world.ask('CREATE DATABASE %s OWNER tester TEMPLATE template0' % name)
    with Database(world, name).talk() as ask:
        for statement in statements:
            ask(statement)
    return world.like(template=name)


def event_triggers(row, context):
    world = context.world()
    noting = template(world, 'noting', AUDIT)
    for options in (), ('-v',), ('--json',), ('-q',):
        db = noting.database()
        got = noting.migrate(db, *options)
        judged(row, 'one that notes', 0, got, noting.settle(db, got))
        told = sum(e['event'] == 'notice' for e in got.events()) if \
            options == ('--json',) else got.err.count('notice: ')
        if (told < len(noting.tags)) != (options == ('-q',)):
            row.fail('%d notices are told, %s: %s' % (told, options, got))
    for tag in ('CREATE SCHEMA', 'CREATE TABLE', 'CREATE INDEX',
                'DROP INDEX', 'ALTER TABLE', 'CREATE VIEW',
                'CREATE FUNCTION'):
        name = 'forbids_' + tag.lower().replace(' ', '_')
        place = template(world, name, [
            s % ("'%s'" % tag) if 'WHEN TAG' in s else s for s in FORBID])
        db = place.database()
        got = place.migrate(db)
        with db.talk() as ask:
            ask('ALTER EVENT TRIGGER forbid DISABLE')
        outcome = settle_without_audit(place, db, got)
        if got.status not in (1, 6) or not re.search(
                'on a Friday(.|\n)*hint: wait', got.err):
            outcome.unclear = 'it does not say what the trigger said'
        row.add(outcome, 'one that forbids ' + tag)


def settle_without_audit(place, db, got):
    """An undisturbed run in such a place is one without the trigger."""
    if place._truth is None:
        other = place.database()
        with other.talk() as ask:
            ask('ALTER EVENT TRIGGER forbid DISABLE')
        if place.migrate(other).status:
            raise RuntimeError('undisturbed')
        place._truth = place.state(other)
        other.close()
    return place.settle(db, got)


SCENARIOS['event triggers'] = event_triggers


# ---- a trap

# In a schema that comes first there are functions, operators, types and
# relations of the names of PostgreSQL's own, and each ends the session's
# statement: whoever says none of his names in full falls into it.
TRAP = [
    'CREATE SCHEMA trap',
    "CREATE FUNCTION trap.boom() RETURNS text LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'trapped'; END $$",
    '''DO $do$ DECLARE f record; made int := 0; BEGIN
    FOR f IN SELECT proname, pg_get_function_identity_arguments(oid) AS args,
                    prorettype::regtype AS gives, proretset
               FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace
                AND prokind = 'f' AND proname !~ '(in|out|recv|send|typmod.*)$'
    LOOP BEGIN
        EXECUTE format('CREATE FUNCTION trap.%I(%s) RETURNS %s %s LANGUAGE '
            'plpgsql AS $$ BEGIN RAISE EXCEPTION ''trapped by %s''; END $$',
            f.proname, f.args, CASE WHEN f.proretset THEN 'SETOF' ELSE '' END,
            f.gives, f.proname);
        made := made + 1;
    EXCEPTION WHEN others THEN NULL; END; END LOOP;
    IF made < 1500 THEN RAISE 'only % functions', made; END IF;
    END $do$''',
    '''DO $do$ DECLARE o record; made int := 0; BEGIN
    FOR o IN SELECT oprname, oprleft::regtype AS l, oprright::regtype AS r,
                    oprresult::regtype AS gives, oprleft, row_number() OVER ()
               FROM pg_operator WHERE oprnamespace = 'pg_catalog'::regnamespace
    LOOP BEGIN
        IF o.oprleft = 0 THEN
            EXECUTE format('CREATE FUNCTION trap.op%s(%s) RETURNS %s LANGUAGE '
                'plpgsql AS $$ BEGIN RAISE EXCEPTION ''trapped''; END $$',
                o.row_number, o.r, o.gives);
            EXECUTE format('CREATE OPERATOR trap.%s (FUNCTION = trap.op%s, '
                'RIGHTARG = %s)', o.oprname, o.row_number, o.r);
        ELSE
            EXECUTE format('CREATE FUNCTION trap.op%s(%s, %s) RETURNS %s '
                'LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION ''trapped''; '
                'END $$', o.row_number, o.l, o.r, o.gives);
            EXECUTE format('CREATE OPERATOR trap.%s (FUNCTION = trap.op%s, '
                'LEFTARG = %s, RIGHTARG = %s)', o.oprname, o.row_number,
                o.l, o.r);
        END IF;
        made := made + 1;
    EXCEPTION WHEN others THEN NULL; END; END LOOP;
    IF made < 500 THEN RAISE 'only % operators', made; END IF;
    END $do$''',
    '''DO $do$ DECLARE a text; BEGIN
    FOREACH a IN ARRAY '{count,max,min,sum,bool_or,bool_and}'::text[] LOOP
        EXECUTE format('CREATE FUNCTION trap.%s_step(int8) RETURNS int8 '
            'LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION ''trapped''; '
            'END $$', a);
    END LOOP;
    CREATE AGGREGATE trap.count(*) (SFUNC = trap.count_step, STYPE = int8,
        INITCOND = '0');
    END $do$''',
    '''DO $do$ DECLARE c record; BEGIN
    FOR c IN SELECT relname FROM pg_class WHERE relkind IN ('r', 'v')
                AND relnamespace = 'pg_catalog'::regnamespace LOOP
        EXECUTE format('CREATE VIEW trap.%I AS SELECT trap.boom()', c.relname);
    END LOOP; END $do$''',
    '''DO $do$ DECLARE t text; BEGIN
    FOREACH t IN ARRAY '{text,name,oid,int2,int4,int8,bool,float8,regclass,
        regproc,regprocedure,regnamespace,timestamptz,json,jsonb,uuid}'::text[]
    LOOP IF NOT EXISTS (SELECT FROM pg_type WHERE typname = t AND
            typnamespace = 'trap'::regnamespace) THEN
        EXECUTE format('CREATE DOMAIN trap.%I AS pg_catalog.bytea CHECK '
                       '(trap.boom() IS NULL)', t);
    END IF; END LOOP; END $do$''',
    'GRANT USAGE ON SCHEMA trap TO public',
    'GRANT SELECT ON ALL TABLES IN SCHEMA trap TO public',
]


def trap(row, context):
    world = context.world(kind='placed')
    place = template(world, 'trapped', TRAP)
    path = 'ALTER ROLE {role} SET search_path = trap, public, pg_catalog'
    for options in (), ('--json', '-v'), ('--lock-timeout', '5s'):
        db = RoleDatabase(place)
        db.do(path)
        got = place.migrate(db, *options)
        outcome = place.settle(db, got)
        if 'trapped' in got.out + got.err:
            outcome.unclear = 'it fell into the trap'
        judged(row, 'migrate %s' % (options,), 0, got, outcome)
    db = RoleDatabase(place)
    db.do(path)
    falls = False
    try:        # the trap is one
        place.server.sql(db.name, 'SELECT count(*) FROM pg_class',
                         user=db.role)
    except RuntimeError as error:
        falls = 'trapped' in str(error)
    if not falls:
        row.fail('the trap does not work')
    where = ('--dir', place.dir, '--url', db.url())
    for arguments, status in (
            (('status',), 0), (('plan',), 0), (('plan', '--trace'), None),
            (('verify',), 7), (('baseline', '--to', place.tags[0]), None),
            (('migrate', '--to', place.tags[0]), 0), (('locks',), 0),
            (('ping',), 0), (('repair', '--yes'), 0), (('status',), 0)):
        got = mizzle(arguments[0], *(
            where[2:] if arguments[0] in ('locks', 'ping') else where),
            *arguments[1:])
        if 'trapped' in got.out + got.err or \
                status is not None and got.status != status:
            row.fail('%s: %s' % (arguments, got))
    db.close()


SCENARIOS['a search_path with a trap'] = trap


# ---- encodings

def encodings(row, context):
    world = context.world()
    for name in 'LATIN1', 'SQL_ASCII', 'EUC_JP', 'WIN1252', 'LATIN9':
        for setting in None, 'LATIN1', 'SQL_ASCII':
            db = RoleDatabase(world, "ENCODING '%s' LC_COLLATE 'C' LC_CTYPE "
                              "'C'" % name)
            if setting:
                world.ask('ALTER ROLE %s SET client_encoding = %s' % (
                    db.role, setting))
            got = world.migrate(db)
            judged(row, '%s, client_encoding %s' % (name, setting), 0, got,
                   world.settle(db, got))


SCENARIOS['databases of other encodings'] = encodings
