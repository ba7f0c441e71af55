# SPDX-License-Identifier: MIT
"""The migrations that the faults meet.

Each leaves marks by which it is seen how often it was done: a row in `log` for
every part of it, and one more in its line of `counter`; nothing of that is
stopped by a key.
"""


def mark(name, part=''):
    return ("INSERT INTO log VALUES ('%s%s');\n"
            "UPDATE counter SET n = n + 1 WHERE name = '%s';\n" % (
                name, part, name))


LEDGER = '''CREATE TABLE log (what text);
CREATE TABLE counter (name text PRIMARY KEY, n int NOT NULL);
INSERT INTO counter SELECT x, 0 FROM unnest('{ledger,tables,rows,change,code,
values,index,own,view,last}'::text[]) x;
''' + mark('ledger')

TABLES = '''CREATE TABLE person (id int PRIMARY KEY, name text NOT NULL);
--> statement-breakpoint
CREATE TABLE orders (id int, person int REFERENCES person(id), paid numeric);
--> statement-breakpoint
CREATE INDEX orders_person ON orders (person);
''' + mark('tables')

# 40 persons; the last line has no newline of its own
ROWS = 'COPY person (id, name) FROM stdin;\n' + ''.join(
    '%d\tperson %d of Zürich\n' % (i, i) for i in range(40)) + '''\\.
INSERT INTO orders SELECT i, i % 40, i * 1.5 FROM generate_series(1, 100) i;
''' + mark('rows')

INSERTS = '''INSERT INTO person SELECT i, 'person ' || i || ' of Zürich'
  FROM generate_series(0, 39) i;
INSERT INTO orders SELECT i, i % 40, i * 1.5 FROM generate_series(1, 100) i;
''' + mark('rows')

CHANGE = '''ALTER TABLE orders ADD COLUMN quantity int NOT NULL DEFAULT 1;
UPDATE orders SET quantity = quantity + 1, paid = paid + 1;
ALTER TABLE person RENAME COLUMN name TO full_name;
ALTER TABLE orders ADD CONSTRAINT ordered CHECK (quantity > 1);
''' + mark('change')

CODE = '''CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  INSERT INTO log VALUES ('noted; ' || NEW.id);
  RETURN NEW;
END
$body$;
CREATE TRIGGER noted AFTER INSERT ON person FOR EACH ROW EXECUTE FUNCTION noted();
INSERT INTO person VALUES (1000, 'the; thousandth');
''' + mark('code')

VALUES = '''CREATE TYPE mood AS ENUM ('sad', 'ok');
ALTER TABLE person ADD COLUMN feels mood DEFAULT 'ok';
UPDATE person SET feels = 'sad' WHERE id % 10 = 0;
''' + mark('values')

# Step by step: what can be in a transaction is, what cannot is not.
INDEX = mark('index', ' before') + '''
CREATE INDEX CONCURRENTLY orders_paid ON orders (paid);
INSERT INTO log VALUES ('index between');
CREATE UNIQUE INDEX CONCURRENTLY ON orders (id);
DROP INDEX CONCURRENTLY orders_person;
INSERT INTO log VALUES ('index after');
'''

# With transactions of its own.
OWN = '''BEGIN;
''' + mark('own') + '''COMMIT;
INSERT INTO log VALUES ('own between');
BEGIN;
INSERT INTO person VALUES (1001, 'the next');
SAVEPOINT s;
INSERT INTO log VALUES ('own undone');
ROLLBACK TO s;
COMMIT;
INSERT INTO log VALUES ('own after');
'''

VIEW = '''CREATE VIEW debts AS SELECT person, sum(paid) FROM orders GROUP BY 1;
CREATE MATERIALIZED VIEW totals AS SELECT count(*) FROM orders;
''' + mark('view')

LAST = '''DELETE FROM orders WHERE id > 80;
INSERT INTO orders VALUES (9000, 1, 5, 2), (9000 + 1, 2, 6, 3);
CREATE TABLE last (id int GENERATED ALWAYS AS IDENTITY, what text);
INSERT INTO last (what) VALUES ('x'), ('y');
''' + mark('last')

# Everything; what fits in one transaction; what every migrator understands.
SETS = {
    'whole': (('ledger', LEDGER), ('tables', TABLES), ('rows', ROWS),
              ('change', CHANGE), ('code', CODE), ('values', VALUES),
              ('index', INDEX), ('own', OWN), ('view', VIEW),
              ('last', LAST)),
    'fits': (('ledger', LEDGER), ('tables', TABLES), ('rows', ROWS),
             ('change', CHANGE), ('code', CODE), ('values', VALUES),
             ('view', VIEW), ('last', LAST)),
    'simple': (('ledger', LEDGER), ('tables', TABLES), ('rows', INSERTS),
               ('change', CHANGE), ('code', CODE), ('values', VALUES),
               ('view', VIEW), ('last', LAST)),
}

# What there is in a database, a line each: (kind, name, what).  Names that
# the server makes, times and ids that a transaction took along when it was
# rolled back are left out.
STATE = '''
SELECT 'column', c.relname || '.' || a.attname, format_type(atttypid, atttypmod)
       || ' ' || attnotnull || coalesce(' ' || pg_get_expr(d.adbin, d.adrelid), '')
  FROM pg_class c JOIN pg_attribute a ON attrelid = c.oid
  LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
 WHERE attnum > 0 AND NOT attisdropped AND c.relkind IN ('r', 'v', 'm', 'p')
   AND relnamespace NOT IN (SELECT oid FROM pg_namespace
                             WHERE nspname ~ '^(pg_|information_schema)')
UNION ALL
SELECT 'relation', n.nspname || '.' || c.relname, relkind::text || relpersistence::text
  FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
 WHERE nspname !~ '^(pg_|information_schema)'
UNION ALL
SELECT 'index', indexrelid::regclass::text, pg_get_indexdef(indexrelid) ||
       CASE WHEN indisvalid THEN '' ELSE ' invalid' END
  FROM pg_index JOIN pg_class c ON c.oid = indrelid
 WHERE relnamespace NOT IN (SELECT oid FROM pg_namespace
                             WHERE nspname ~ '^(pg_|information_schema)')
UNION ALL
SELECT 'constraint', conrelid::regclass || '.' || conname, pg_get_constraintdef(oid)
  FROM pg_constraint WHERE connamespace IN ('public'::regnamespace)
UNION ALL
SELECT 'function', proname, prosrc FROM pg_proc
 WHERE pronamespace = 'public'::regnamespace
UNION ALL
SELECT 'trigger', tgname, pg_get_triggerdef(oid) FROM pg_trigger
 WHERE NOT tgisinternal
UNION ALL
SELECT 'value', enumtypid::regtype::text, enumlabel FROM pg_enum
UNION ALL
SELECT 'prepared', gid, '' FROM pg_prepared_xacts
 WHERE database = current_database()
'''

# The tables whose rows are compared, as text, without ids of the history.
TABLES_HERE = '''
SELECT n.nspname || '.' || c.relname, format('%I.%I', nspname, relname)
  FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
 WHERE relkind IN ('r', 'm', 'p') AND nspname !~ '^(pg_|information_schema)'
 ORDER BY 1
'''
