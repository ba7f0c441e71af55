// SPDX-License-Identifier: MIT
// The page of mizzle serve in a real browser.  Against the stub, or, where
// PAGE_WORLD is the command of a driver, against what that sets up.
//
// A driver reads a line of JSON for each thing to be done and answers with one:
//   {"what":"state","files":[{"tag","sql","applied"?,"state"?},...],"open"?}
//       a fresh database and folder: the files with "applied" are applied, those
//       with "state" are what it says (modified, eol, missing, out-of-order,
//       partial), the others are pending; a server in front of it, with a secret
//       and one to look only, or with neither if "open"; migrate gives up after
//       a second when another one holds the lock
//   {"what":"write","tag","sql"}     one more file, pending
//   {"what":"block","table"}         another session, psql, locks the table
//   {"what":"unblock"}               and no longer
//   {"what":"lock"} {"what":"unlock"}     another migrator holds the lock
//   {"what":"down"} {"what":"up"}    the database cannot be reached, and can
//   {"what":"cut"}                   all event streams end
//   {"what":"restart","secret"?}     the server is another process, at the same
//                                    place, that knows nothing of the first one
// The answer: {"url","secret","reader"}, or {"skip":"why"} for what it cannot.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { Page, check, finish, has, launch, same } from './browser.mjs';
import { failing, markup, states } from './states.mjs';
import { World } from './stub.mjs';

const stubbed = !process.env.PAGE_WORLD;
const only = process.argv[2] ?? '';

function driven(command) {
	const child = spawn('/bin/sh', ['-c', command], { stdio: ['pipe', 'pipe', 'inherit'] });
	const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
	return {
		async do(what) {
			child.stdin.write(JSON.stringify(what) + '\n');
			const { value, done } = await lines.next();
			if (!done && value.startsWith('{')) return JSON.parse(value);
			console.log(value ?? 'the driver has ended');
			return new Promise(() => child.on('close', code => process.exit(code || 1)));
		},
		close() { child.stdin.end(); },
	};
}

class Skipped extends Error {}

const browser = await launch();
const world = stubbed ? await new World().listen() : driven(process.env.PAGE_WORLD);
let at;	// url, secret, reader

async function act(what, more = {}) {
	const got = await world.do({ what, ...more });
	if (got.skip) throw new Skipped(got.skip);
	at = { ...at, ...got };
	return got;
}

async function state(name) {
	const { block, down, ...all } = states[name]();
	await act('state', all);
	for (const table of block ?? []) await act('block', { table });
}

const fresh = options => Page.open(browser, at.url, options);

async function entered(name, options) {
	await state(name);
	const p = await fresh(options);
	await p.signIn(options?.reader ? at.reader : at.secret);
	await p.settled();
	return p;
}

// Somebody else's run, and look.
const asked = (path, method) => fetch(at.url + path, { method, headers: { Authorization: `Bearer ${at.secret}` } }).then(r => r.json());
const other = () => asked('', 'POST').catch(() => null);
const status = () => asked('/status', 'GET');

const row = (p, tag) => p.$('#rows li').filter({ hasText: tag });
const rowText = async (p, tag) => (await row(p, tag).first().locator('.head').textContent()).replace(/\s+/g, ' ');
const done = (p, is = 'done') => p.until('#run-chip', is);

const scenarios = {
	async 'sign in'() {
		await state('pending');
		const p = await fresh();
		await p.until('#signin');
		same('the focus is where the secret goes', await p.focused(), 'secret');
		check('nothing else is shown', !await p.shown('#all') && !await p.shown('#leave'));
		await p.signIn('not the secret');
		has('a wrong secret', await p.until('#signin-said', 'not'), 'That secret was not accepted');
		same('the focus is back', await p.focused(), 'secret');
		same('the field is invalid', await p.$('#secret').getAttribute('aria-invalid'), 'true');
		await p.signIn('wrong again');
		await p.signIn(at.secret);
		await p.settled();
		check('the form is gone', !await p.shown('#signin'));
		same('the field is empty', await p.$('#secret').inputValue(), '');
		check('the secret is not in the page', !(await p.tab.content()).includes(at.secret) && !p.tab.url().includes(at.secret));
		has('what is there', await p.text('#rows'), '0000_users', '0005_noticed');
		has('the plan', await p.text('#plan'), 'Next: 3 migrations', 'Migrate 3', '0003_notes', '2 statements in a transaction of its own', 'outside of a transaction');
		await p.tab.click('#leave');
		await p.until('#signin');
		check('nothing is left', !(await p.tab.content()).includes('0000_users'));
		await p.close('sign in');
	},

	async 'no secret is asked for where none is needed'() {
		await state('open');
		const p = await fresh();
		await p.settled();
		check('no form', !await p.shown('#signin') && !await p.shown('#leave'));
		same('the button', await p.text('#migrate'), 'Migrate 1');
		await p.close('open');
	},

	async 'too many wrong secrets'() {
		await state('pending');
		const p = await fresh();
		let said = '';
		for (let i = 0; i < 60 && !/again in \d+ s/.test(said); i++) {
			await p.signIn(`wrong ${i}`);
			said = await p.until('#signin-said', /./);
			await p.tab.waitForFunction(() => !document.getElementById('enter').disabled);
			said = await p.text('#signin-said');
		}
		check('says when to try again', /again in \d+ s/.test(said), said);
		await p.close('429');
	},

	async 'the secret is changed meanwhile'() {
		const p = await entered('pending');
		await act('restart', { secret: 'the-new-secret' });
		await p.tab.click('#reload');
		has('it says so', await p.until('#signin-said', 'longer'), 'no longer accepted');
		check('nothing else is shown', !await p.shown('#all'));
		await p.signIn('the-new-secret');
		has('and goes on', await p.until('#migrate'), 'Migrate 3');
		await p.close('rotated');
	},

	async 'every state is a word, a sign and a colour'() {
		const p = await entered('mixed');
		const words = { '0000_users': '\u2713 applied', '0001_orders': '\u2260 modified', '0002_late': '\u21c5 out-of-order', '0003_audit': '\u21b5 eol',
			'0004_gone': '\u2205 missing', '0005_half': '\u25d0 partial', '0006_next': '\u2022 pending' };
		for (const [tag, text] of Object.entries(words)) has(tag, await rowText(p, tag === '0004_gone' ? 'missing' : tag), text);
		const counts = (await p.text('#counts')).replace(/\s+/g, ' ');
		for (const text of Object.values(words)) has('counted', counts, `1 ${text}`);
		has('why it cannot go on', await p.text('#plan'), 'There is no plan', 'hint');
		same('so the button does nothing', await p.$('#migrate').getAttribute('aria-disabled'), 'true');
		await p.tab.click('#counts button:has-text("modified")');
		same('only those', await p.$('#rows li:visible').count(), 1);
		has('how many', await p.text('#shown'), '1 of 7');
		await p.tab.click('#counts button:has-text("modified")');
		same('all again', await p.$('#rows li:visible').count(), 7);
		await p.close('mixed');
	},

	async 'a script with its hazards in place'() {
		const p = await entered('destructive');
		await p.tab.click('#steps .link');
		await p.until('.sql', 'legacy');
		same('it is open', await row(p, '0003_drop').locator('.head').getAttribute('aria-expanded'), 'true');
		const lines = await p.$('.sql .l').evaluateAll(all => all.map(l => [l.dataset.n, l.textContent, l.className]));
		same('numbered', lines[1].join('|'), '2|ALTER TABLE users DROP COLUMN legacy;|l hit-bad');
		same('not marked', lines[3][2], 'l');
		const why = await p.$('.sql .why').first().textContent();
		same('under its statement', why, `${' '.repeat('ALTER TABLE users '.length)}^ DROP COLUMN: its values are lost`);
		has('listed', await row(p, '0003_drop').locator('ul').textContent(), 'destructive', 'line 2', 'line 3', 'TRUNCATE: all rows are lost');
		has('comments are told apart', await p.$('.sql .c').first().textContent(), '-- the old ways');
		await row(p, '0000_users').locator('.head').click();
		await p.until('.sql', 'nobody');
		await row(p, '0000_users').locator('.head').click();
		same('closed', await row(p, '0000_users').locator('.body').isVisible(), false);
		await p.close('script');
	},

	async 'migrate, and who is in the way'() {
		const p = await entered('blocked');
		const plan = /Plan ([0-9a-f]+)/.exec(await p.text('#why'))[1];
		await p.tab.click('#migrate');
		await p.until('#run-wait', 'application');
		has('who blocks', await p.text('#run-wait'), 'Blocked by another session', 'psql', 'LOCK TABLE users', 'pg_terminate_backend(');
		has('how far it is', await p.text('#run-live'), 'migration 1 of 3', 'statement 2 of 2', '0003_notes', '2 | ALTER TABLE users ADD COLUMN seen');
		has('the title', await p.tab.title(), '0/3 0003_notes');
		same('the button waits', await p.$('#migrate').getAttribute('aria-disabled'), 'true');
		same('the focus stays', await p.focused(), 'migrate');
		await p.tab.waitForFunction(() => /^[1-9]\d* s/.test(document.getElementById('run-time').textContent));
		await act('unblock');
		await done(p);
		await p.until('#plan-h', 'Up to date');
		has('what it did', await p.text('#log'), '3 migrations of 6', '\u2713 0003_notes', '\u2713 0004_index', 'three rows were old', 'look at them');
		if (stubbed) has('and that it went on', await p.text('#log'), 'no longer blocked');
		has('its end', await p.text('#run-end'), '3 migrations applied', 'round trip');
		has('the rows', await rowText(p, '0005_noticed'), 'applied');
		has('the counts', (await p.text('#counts')).replace(/\s+/g, ' '), '6 \u2713 applied', '0 \u2022 pending');
		has('the past', await p.text('#runs'), 'done', '3 applied');
		has('said aloud', await p.$('#say').textContent(), '3 migrations applied');
		same('one request', p.posts.length, 1);
		same('what was seen is what was approved', p.posts[0].approve, plan);
		await p.close('migrate');
	},

	async 'the phase of a statement'() {
		if (!stubbed) throw new Skipped('only a stub stops in the middle of a phase');
		const p = await entered('phases');
		await p.tab.click('#migrate');
		has('the phase', await p.until('#run-phase', '12'), 'building index: scanning table', '12 %');
		same('as a bar', await p.$('#phase-bar').evaluate(el => el.value), 12);
		await act('unblock');
		await done(p);
		await p.close('phases');
	},

	async 'a run that somebody else began'() {
		const p = await entered('blocked');
		const answer = other();
		has('is shown', await p.until('#run-wait', 'application'), 'Blocked by');
		same('the button waits', await p.$('#migrate').getAttribute('aria-disabled'), 'true');
		const late = await fresh();
		await late.signIn(at.secret);
		await late.until('#run-wait', 'application');
		has('whole, to who comes late', await late.text('#log'), '3 migrations of 6', 'blocked by');
		await act('unblock');
		await Promise.all([answer, done(p), done(late)]);
		await p.until('#plan-h', 'Up to date');
		await late.close('late');
		await p.close('another');
	},

	async 'a run that this page did not know of'() {
		const p = await entered('blocked', { before: it => it.tab.route('**/events', r => r.abort()) });
		const answer = other();
		while (!(await status()).running) continue;
		await p.tab.click('#migrate');
		has('it joins that run', await p.until('#said', 'under way'), 'Nothing else was begun');
		await p.tab.unroute('**/events');
		await p.until('#run-wait', 'application');
		await act('unblock');
		await Promise.all([answer, done(p)]);
		await p.until('#plan-h', 'Up to date');
		await p.close('joined');
	},

	async 'no events come through'() {
		const p = await entered('failing', { before: it => it.tab.route('**/events', r => r.abort()) });
		await p.tab.click('#migrate');
		await done(p, 'failed');
		has('the answer is enough', await p.text('#run'), '42P01', 'custmers', 'nothing of it was kept');
		await p.until('#runs', 'failed');
		await p.close('no events');
	},

	async 'an SQL failure'() {
		const p = await entered('failing');
		await p.tab.click('#migrate');
		await done(p, 'failed');
		const { line, column, sqlstate, message } = failing.fails;
		const text = await p.text('#run-end');
		has('the error', text, '0004_billing failed; nothing of it was kept (1 migration before it was applied)', sqlstate, message,
			`0004_billing.sql:${line}:${column}`, '1 migration applied', '1 pending');
		const [source, caret] = (await p.$('#run-end .excerpt').textContent()).split('\n');
		same('its source', source, `${line} | ${failing.sql.split('\n')[line - 1]}`);
		same('the caret', caret, `${' '.repeat(`${line}`.length)} | ${' '.repeat(column - 1)}^`);
		has('the title', await p.tab.title(), 'failed');
		await p.until('#migrate', 'Migrate 1');
		has('the rows', `${await rowText(p, '0003_notes')} ${await rowText(p, '0004_billing')}`, 'applied', 'pending');
		const again = await fresh();
		await again.signIn(at.secret);
		await again.settled();
		has('who comes later sees it', await again.until('#runs details[open]', 'custmers'), 'failed', sqlstate);
		await again.close('later');
		await p.close('failure');
	},

	async 'a destructive plan is asked about once more'() {
		const p = await entered('destructive');
		has('announced', await p.text('#plan'), '2 statements are destructive', 'DROP COLUMN: its values are lost', 'TRUNCATE');
		await p.tab.click('#migrate');
		has('by name', await p.until('#sure', 'legacy'), '2 statements destroy data', 'DROP COLUMN', '0003_drop:2', 'ALTER TABLE users DROP COLUMN legacy;', 'TRUNCATE audit;');
		same('no is the default', await p.focused(), 'sure-no');
		await p.press('Escape');
		await p.gone('#sure');
		same('the focus is back', await p.focused(), 'migrate');
		same('nothing was sent', p.posts.length, 0);
		await p.tab.click('#migrate');
		await p.tab.click('#sure-no');
		await p.gone('#sure');
		same('nor now', p.posts.length, 0);
		await p.tab.click('#migrate');
		await p.tab.click('#sure-yes');
		await done(p);
		has('applied', await p.until('#plan-h', 'Up'), 'Up to date');
		same('once', p.posts.length, 1);
		await p.close('destructive');
	},

	async 'the plan has changed meanwhile'() {
		const p = await entered('pending');
		const before = await p.text('#why');
		await act('write', { tag: '0009_more', sql: 'CREATE TABLE more (id integer);\n' });
		await p.tab.click('#migrate');
		has('it says so', await p.until('#said', 'changed'), 'nothing was run', '+ 0009_more is new');
		same('the focus is there', await p.focused(), 'said');
		same('nothing was applied', await p.$('#rows li[data-state=applied]').count(), 3);
		has('the new plan', await p.text('#plan'), 'Migrate 4', '0009_more');
		check('another id', await p.text('#why') !== before);
		await p.tab.click('#migrate');
		await done(p);
		await p.until('#plan-h', 'Up to date');
		check('the box is gone', !await p.shown('#said'));
		await p.close('changed');
	},

	async 'another migrator holds the lock'() {
		const p = await entered('pending');
		await act('lock');
		await p.tab.click('#migrate');
		await done(p, 'failed');
		has('it says why', await p.text('#run'), 'another migrator', 'lock');
		await act('unlock');
		await p.settled();
		await p.tab.click('#migrate');
		await done(p);
		await p.until('#plan-h', 'Up to date');
		await p.close('locked');
	},

	async 'a part of the plan'() {
		const p = await entered('pending');
		await p.tab.selectOption('#to', '0003_notes');
		await p.until('#migrate', 'Migrate 1');
		await p.tab.click('#migrate');
		await done(p);
		same('sent', p.posts[0].to, '0003_notes');
		await p.until('#migrate', 'Migrate 2');
		await p.close('part');
	},

	async 'a secret that may only look'() {
		const p = await entered('pending', { reader: true });
		check('it says so', await p.shown('#role'));
		has('why', await p.text('#why'), 'may look, but not migrate');
		same('the button', await p.$('#migrate').getAttribute('aria-disabled'), 'true');
		await p.$('#migrate').click({ force: true });
		await p.tab.focus('#migrate');
		await p.press('Enter');
		same('nothing is sent', p.posts.length, 0);
		has('the plan is there all the same', await p.text('#steps'), '0003_notes');
		await p.close('reader');
	},

	async 'the stream breaks'() {
		const p = await entered('blocked');
		await p.tab.click('#migrate');
		await p.until('#run-wait', 'application');
		await act('cut');
		await p.until('#live', 'reconnecting');
		await act('unblock');
		await p.until('#live', 'live');
		await done(p);
		check('it goes on behind what it had', Number(p.streams.at(-1)) > 0, p.streams.join());
		const log = await p.text('#log');
		same('nothing is told twice', log.split('\u2713 0003_notes').length, 2);
		has('and nothing left out', log, '\u2713 0004_index', '\u2713 0005_noticed');
		await p.close('cut');
	},

	async 'the server is restarted'() {
		const p = await entered('failing');
		await p.tab.click('#migrate');
		await done(p, 'failed');
		await p.until('#runs', 'failed');
		await act('restart');
		await p.until('#no-past');
		await p.until('#live', 'live');
		const answer = other();
		await p.until('#run-h', 'Run 1');
		await p.until('#runs', 'failed');
		has('its runs are heard of', await p.until('#run-end', '0 migrations applied'), 'custmers');
		await answer;
		await p.close('restarted');
	},

	async 'the server is killed in the middle of a run'() {
		if (stubbed) throw new Skipped('only a process can be killed');
		const p = await entered('blocked');
		await p.tab.click('#migrate');
		await p.until('#run-wait', 'application');
		await act('restart');
		await done(p, 'ended');
		has('it says so', await p.text('#said'), 'The connection broke');
		await act('unblock');
		await p.until('#migrate[aria-disabled=false]');
		await p.tab.click('#migrate');
		await done(p);
		await p.until('#plan-h', 'Up to date');
		await p.close('killed');
	},

	async 'no database'() {
		const p = await entered('done');
		await act('down');
		await p.tab.click('#reload');
		has('it says so', await p.until('#problem', 'database'), 'No connection to the database', 'connect', 'by itself in');
		await act('up');
		await p.tab.click('#again');
		await p.gone('#problem');
		await act('down');
		await p.tab.click('#reload');
		await p.until('#problem', 'database');
		await act('up');
		await p.gone('#problem');
		has('by itself', await p.text('#rows'), '0000_users');
		await p.close('down');
	},

	async 'no server'() {
		const p = await entered('pending');
		await p.tab.route('**/*', r => r.abort());
		await p.tab.click('#migrate');
		await p.until('#problem', 'No connection to the server');
		await p.tab.unroute('**/*');
		await p.gone('#problem');
		has('what may have been', await p.text('#said'), 'The connection broke');
		await p.close('no server');
	},

	async 'the keyboard alone'() {
		await state('destructive');
		const p = await fresh();
		await p.until('#signin');
		await p.tab.keyboard.type(at.secret);
		await p.press('Enter');
		await p.settled();
		same('it begins at the top', await p.focused(), 'top');
		const seen = [];
		for (let i = 0; i < 40 && await p.focused() !== 'migrate'; i++) { await p.press('Tab'); seen.push(await p.focused()); }
		check('the button is reached', seen.includes('migrate'), seen.join());
		const outline = await p.$('#migrate').evaluate(el => getComputedStyle(el).outlineStyle + getComputedStyle(el).outlineWidth);
		same('the focus is seen', outline, 'solid2px');
		await p.press('Enter');
		await p.until('#sure', 'TRUNCATE');
		for (let i = 0; i < 8 && await p.focused() !== 'sure-yes'; i++) await p.press('Tab');
		await p.press('Enter');
		await done(p);
		await p.until('#plan-h', 'Up to date');
		for (let i = 0; i < 60 && !await row(p, '0003_drop').locator('.head').evaluate(el => el === document.activeElement); i++) await p.press('Tab');
		await p.press('Space');
		await p.until('.sql', 'legacy');
		await p.press('Tab');
		for (let i = 0; i < 9 && !await p.$('.sql').evaluate(el => el === document.activeElement); i++) await p.press('Tab');
		check('the script can be scrolled', await p.$('.sql').evaluate(el => el === document.activeElement));
		await p.close('keyboard');
	},

	async 'markup and tricks in what others wrote'() {
		const p = await entered('hostile');
		has('a tag', await p.text('#rows'), `0003_${markup}`);
		await p.tab.click('#steps .link');
		await p.until('.sql', 'evil');
		has('a script', await p.$('.sql').textContent(), '</pre><script>window.hit=1</script>', markup, `${stubbed ? '\u2039U+202E\u203a' : ''}evil`);
		check('and it reads from left to right', !(await p.tab.content()).includes('\u202e'));
		await p.tab.click('#migrate');
		await done(p, 'failed');
		has('messages', await p.text('#run'), markup, 'detail', '<b>d</b>', '<i>h</i>', 'P0001');
		same('no element came of it', await p.$('main img, main script, main i, main b:not(.num):not(.bad)').count(), 0);
		await p.close('hostile');
	},

	async 'a thousand migrations'() {
		const began = Date.now(), p = await entered('many');
		same('all are there', await p.$('#rows li').count(), 1000);
		check('before long', Date.now() - began < 20000, `${Date.now() - began} ms`);
		has('the newest first', await p.$('#rows li').first().textContent(), '0999_prices_999');
		const took = await p.tab.evaluate(() => {
			const find = document.getElementById('find'), start = performance.now();
			for (const text of ['inv', 'invo', 'invoices_99', '']) {
				find.value = text;
				find.dispatchEvent(new Event('input'));
				document.body.offsetHeight;
			}
			return performance.now() - start;
		});
		check('a letter is answered at once', took / 4 < 500, `${took / 4} ms`);
		await p.tab.fill('#find', 'invoices 99');
		same('found', (await p.text('#shown')), '2 of 1,000 shown');
		await p.tab.fill('#find', 'nothing like that');
		has('nothing found', await p.text('#list'), 'None of that name or state');
		await p.tab.fill('#find', '');
		await p.tab.click('#migrate');
		await done(p);
		await p.until('#plan-h', 'Up to date');
		console.log(`a thousand: ${took / 4} ms a letter`);
		await p.close('many');
	},

	async 'many at once'() {
		const p = await entered('fresh');
		await p.until('#migrate', 'Migrate 400');
		await p.tab.click('#migrate');
		await done(p);
		await p.until('#plan-h', 'Up to date');
		has('its end', await p.text('#run-end'), '400 migrations applied');
		await p.close('fresh');
	},

	async 'nothing there'() {
		const p = await entered('empty');
		has('it says so', await p.text('#cols'), 'Nothing is pending', 'The folder holds no migration', 'None yet');
		check('no button', !await p.shown('#migrate'));
		await p.close('empty');
	},

	async 'any base path'() {
		if (!stubbed) throw new Skipped('the driver has one base path');
		for (const [base, path] of [['', '/'], ['/x', '/x'], ['/x/y.z', '/x/y.z?from=mail#top'], ['/x', '/x/']]) {
			const there = await new World(base).listen();
			const { secret } = await there.do({ what: 'state', ...states.pending() });
			const p = await Page.open(browser, new URL(path, there.url).href);
			await p.signIn(secret);
			await p.settled();
			await p.tab.click('#migrate');
			await done(p);
			await p.close(`at ${path}`);
			there.close();
		}
	},

	// Every look that it can have: no violation, and nothing to the side.
	async 'every look'() {
		for (const [name, look] of Object.entries(looks)) await looked(name, look);
	},
};

const looks = {
	'signing in': ['pending', p => p.until('#signin'), true],
	'a wrong secret': ['pending', async p => { await p.signIn('wrong'); await p.until('#signin-said', 'not'); }, true],
	empty: ['empty'],
	'all applied': ['done'],
	pending: ['pending'],
	mixed: ['mixed', async p => { for (const tag of ['missing', '0001_orders']) await row(p, tag).locator('.head').click(); await p.until('.sql'); }],
	'a script': ['destructive', async p => { await p.tab.click('#steps .link'); await p.until('.sql'); }],
	'the dialog': ['destructive', async p => { await p.tab.click('#migrate'); await p.until('#sure', 'legacy'); }],
	blocked: ['blocked', async p => { await p.tab.click('#migrate'); await p.until('#run-wait', 'application'); }],
	failed: ['failing', async p => { await p.tab.click('#migrate'); await done(p, 'failed'); await p.until('#runs'); await p.tab.click('#runs summary'); }],
	done: ['pending', async p => { await p.tab.click('#migrate'); await done(p); await p.until('#plan-h', 'Up'); }],
	hostile: ['hostile', async p => { await p.tab.click('#migrate'); await done(p, 'failed'); }],
	'long words': ['long', async p => { await row(p, 'averylong').locator('.head').click(); await p.until('.sql'); await p.tab.click('#migrate'); await p.until('#sure', 'legacy'); }],
	'long messages': ['long', async p => { await p.tab.click('#migrate'); await p.tab.click('#sure-yes'); await done(p, 'failed'); }],
	'no database': ['done', async p => { await act('down'); await p.tab.click('#reload'); await p.until('#problem'); }],
	'changed meanwhile': ['pending', async p => { await act('write', { tag: '0009_more', sql: 'DROP TABLE audit;\n' }); await p.tab.click('#migrate'); await p.until('#said', 'changed'); }],
	'looking only': ['pending', null, false, true],
};

async function looked(name, [from, go, outside, reader]) {
	try {
		await state(from);
		const p = await fresh({ reducedMotion: 'reduce' });
		if (!outside) { await p.signIn(reader ? at.reader : at.secret); await p.settled(); }
		await go?.(p);
		for (const [colorScheme, width] of [['dark', 1400], ['light', 1400], ['light', 320], ['dark', 360], ['light', 360]]) {
			const what = `${name}, ${colorScheme}, ${width}`;
			await p.tab.emulateMedia({ colorScheme });
			await p.tab.setViewportSize({ width, height: 800 });
			await p.fits(what);
			if (width !== 320) await p.accessible(what);
		}
		await p.close(name);
	} catch (e) {
		if (!(e instanceof Skipped)) check(name, false, e.message);
	}
}

// SHOTS names a folder for pictures of what was there.
async function broken(name, e) {
	check(name, false, e.stack.split('\n').slice(0, 8).join('\n'));
	if (!process.env.SHOTS) return;
	for (const [i, p] of browser.contexts().flatMap(c => c.pages()).entries())
		await p.screenshot({ path: `${process.env.SHOTS}/${name.replaceAll(' ', '-')}-${i}.png` });
}

for (const [name, scenario] of Object.entries(scenarios).filter(([n]) => n.includes(only))) {
	const began = Date.now();
	try {
		await scenario();
		console.log(`${name}: ${Date.now() - began} ms`);
	} catch (e) {
		if (e instanceof Skipped) console.log(`${name}: skipped, ${e.message}`);
		else await broken(name, e);
		for (const c of browser.contexts()) await c.close();
	}
}
await browser.close();
world.close();
finish();
