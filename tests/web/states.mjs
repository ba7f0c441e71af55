// SPDX-License-Identifier: MIT
// What the tests of the page find in the folder and in the history.  A file has
// a tag, its SQL, and whether it is applied; "state" for those that are neither
// simply applied nor pending.  What a stub cannot know of its SQL is beside it:
// how it fails, what it notices, its phases.
const USERS = { tag: '0000_users', applied: true, sql:
`-- who may log in
CREATE TABLE "users" (
	"id" integer PRIMARY KEY,
	"name" text NOT NULL DEFAULT 'nobody',
	"legacy" text
);
` };
const ORDERS = { tag: '0001_orders', applied: true, sql: 'CREATE TABLE orders (id integer PRIMARY KEY, user_id integer REFERENCES users (id));\n' };
const AUDIT = { tag: '0002_audit', applied: true, sql: '/* kept\n   for a year */\nCREATE TABLE audit (id integer);\nINSERT INTO audit VALUES (1);\n' };
const BEFORE = [USERS, ORDERS, AUDIT];

const NOTES = { tag: '0003_notes', sql: 'CREATE TABLE notes (id integer);\nALTER TABLE users ADD COLUMN seen timestamptz;\n' };
const INDEX = { tag: '0004_index', sql: 'CREATE INDEX CONCURRENTLY orders_user ON orders (user_id);\n',
	phases: [['building index: scanning table', 12], ['building index: scanning table', 47]] };
const NOTICED = { tag: '0005_noticed', sql: "DO $$ BEGIN RAISE NOTICE 'three rows were old' USING HINT = 'look at them'; END $$;\n",
	notices: [{ message: 'three rows were old', hint: 'look at them' }] };

const DROP = { tag: '0003_drop', sql:
`-- the old ways
ALTER TABLE users DROP COLUMN legacy;
TRUNCATE audit;
ALTER TABLE users ADD COLUMN mail text;
` };
const FAILING = { tag: '0004_billing', sql: 'CREATE TABLE bills (id integer);\nALTER TABLE bills ADD COLUMN who integer REFERENCES custmers (id);\nSELECT 1;\n',
	fails: { line: 2, column: 53, sqlstate: '42P01', message: 'relation "custmers" does not exist' } };

const MARKUP = '<img src=x onerror="window.hit=1">';
const HOSTILE = { tag: `0003_${MARKUP}`, sql: `-- </pre><script>window.hit=1</script> \u202Eevil\nSELECT '${MARKUP}' AS "javascript:window.hit=1";\nDO $$ BEGIN RAISE NOTICE '${MARKUP}'; END $$;\n`,
	notices: [{ message: MARKUP, detail: MARKUP }] };
const RAISES = { tag: '0004_raises', sql: `DO $$ BEGIN RAISE EXCEPTION '${MARKUP}' USING DETAIL = '<b>d</b>', HINT = '<i>h</i>'; END $$;\n`,
	fails: { line: 1, column: 1, sqlstate: 'P0001', message: MARKUP, detail: '<b>d</b>', server_hint: '<i>h</i>', context: 'PL/pgSQL function inline_code_block line 1 at RAISE' } };

const many = (n, applied) => Array.from({ length: n }, (_, i) => ({ tag: `${String(i).padStart(4, '0')}_${['users', 'orders', 'invoices', 'audit', 'prices'][i % 5]}_${i}`,
	sql: `CREATE TABLE t${i} (id integer PRIMARY KEY);\n`, applied: i < applied }));

const LONG = { tag: `0003_${'averylongname'.repeat(12)}`, sql: `ALTER TABLE users DROP COLUMN legacy; SELECT '${'x'.repeat(400)}';\nALTER TABLE users ADD COLUMN ${'c'.repeat(60)} nosuchtype;\n`,
	fails: { line: 2, column: 91, sqlstate: '42704', message: `type "nosuchtype" does not exist ${'y'.repeat(300)}`, detail: 'z'.repeat(300) } };

export const markup = MARKUP;
export const failing = FAILING;
export const states = {
	empty: () => ({ files: [] }),
	open: () => ({ open: true, files: [...BEFORE, NOTES] }),
	done: () => ({ files: BEFORE }),
	pending: () => ({ files: [...BEFORE, NOTES, INDEX, NOTICED] }),
	destructive: () => ({ files: [...BEFORE, DROP] }),
	failing: () => ({ files: [...BEFORE, NOTES, FAILING] }),
	hostile: () => ({ files: [...BEFORE, HOSTILE, RAISES] }),
	long: () => ({ files: [...BEFORE, LONG, { ...NOTES, tag: '0004_notes' }] }),
	many: () => ({ files: many(1000, 997) }),
	fresh: () => ({ files: many(400, 0) }),
	mixed: () => ({ files: [USERS, { ...ORDERS, state: 'modified' }, { ...NOTES, tag: '0002_late', state: 'out-of-order' },
		{ ...AUDIT, tag: '0003_audit', state: 'eol' }, { tag: '0004_gone', sql: 'SELECT 1;\n', state: 'missing' }, { ...INDEX, tag: '0005_half', state: 'partial', note: 'stopped midway: 0 of 1 statements done' },
		{ ...NOTES, tag: '0006_next' }] }),
	blocked: () => ({ files: [...BEFORE, NOTES, INDEX, NOTICED], block: ['users'] }),
	phases: () => ({ files: [...BEFORE, INDEX], block: ['*'] }),
	down: () => ({ files: BEFORE, down: true }),
};
