// SPDX-License-Identifier: MIT
// Speaks the HTTP of mizzle serve without a database, for working on the page
// and for its tests:
//
//   node tests/web/stub.mjs [STATE] [PORT]     a state of states.mjs; 8089
//
// World does what a test asks for, as a driver of a real server does it; see
// the head of page.mjs.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { states } from './states.mjs';

const SECRET = 'let-me-migrate', READER = 'let-me-look';
const PAGE = fileURLToPath(new URL('../../src/page/', import.meta.url));
const PARTS = { 'page.js': 'text/javascript', 'page.css': 'text/css' };
const SAFE = {
	'Content-Security-Policy': "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; " +
		"img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
	'X-Content-Type-Options': 'nosniff', 'Referrer-Policy': 'no-referrer', 'Cache-Control': 'no-store',
};
const HAZARDS = [
	['DROP COLUMN', 'its values are lost', true], ['DROP TABLE', 'its rows are lost', true], ['TRUNCATE', 'all rows are lost', true],
	['CREATE INDEX CONCURRENTLY', 'cannot run inside a transaction', false],
];
const PENDING = ['pending', 'out-of-order', 'partial'];

const sha = text => createHash('sha256').update(text).digest('hex');
const pause = ms => new Promise(done => setTimeout(done, ms));

// The statements of a text without anything that would need a lexer.
function statements(text) {
	const found = [];
	let at = 0;
	for (const part of text.split(';')) {
		const lead = /^(?:\s|--[^\n]*\n?)*/.exec(part)[0].length, body = part.slice(lead);
		if (body.trim()) found.push({ line: text.slice(0, at + lead).split('\n').length, text: body.split('\n')[0] });
		at += part.length + 1;
	}
	return found;
}

function hazards(text) {
	return text.split('\n').flatMap((l, i) => HAZARDS.filter(([what]) => l.includes(what)).map(([statement, reason, destructive]) =>
		({ line: i + 1, column: l.indexOf(statement) + 1, statement, reason, destructive })));
}

export class World {
	migrations = [];
	open = false;	// needs no secret
	down = false;	// no database
	locked = false;	// by a migrator elsewhere
	blocked = new Set();	// tables that another session has locked
	runs = [];
	running = null;
	events = [];
	streams = new Set();
	wrong = 0;	// attempts with a wrong secret
	seen = [];	// requests, for tests
	waiters = [];

	constructor(base = '/api/admin/migrate') { this.base = base; }

	async listen(port = 0) {
		this.server = createServer((req, res) => this.answer(req, res).catch(e => { console.error(e); res.destroy(); }));
		this.server.listen(port, '127.0.0.1');
		await once(this.server, 'listening');
		this.url = `http://127.0.0.1:${this.server.address().port}${this.base}`;
		return this;
	}

	close() {
		for (const s of this.streams) s.res.destroy();
		this.server.close();
		this.server.closeAllConnections();
	}

	// ---- what a test asks for

	async do({ what, files, open = false, tag, sql, table, secret }) {
		switch (what) {
		case 'state':
			await this.settle();
			Object.assign(this, { open, down: false, locked: false, wrong: 0, runs: [], events: [] });
			for (const s of this.streams) s.res.destroy();
			this.migrations = files.map((f, i) => this.migration(f, i));
			break;
		case 'write':
			this.migrations = this.migrations.filter(m => m.tag !== tag);
			this.migrations.push(this.migration({ tag, sql }, this.migrations.length));
			break;
		case 'block': this.blocked.add(table); break;
		case 'unblock': this.blocked.clear(); break;
		case 'lock': this.locked = true; break;
		case 'unlock': this.locked = false; break;
		case 'down': this.down = true; break;
		case 'up': this.down = false; break;
		case 'cut': for (const s of this.streams) s.res.destroy(); break;
		case 'restart':
			Object.assign(this, { runs: [], events: [], secret: secret ?? this.secret });
			for (const s of this.streams) s.res.destroy();
			break;
		default: return { skip: `no ${what}` };
		}
		this.waiters.splice(0).forEach(w => w());
		return { url: this.url, secret: this.secret, reader: READER };
	}
	secret = SECRET;

	async settle() {
		this.blocked.clear();
		this.secret = SECRET;
		this.waiters.splice(0).forEach(w => w());
		while (this.running) await pause(2);
	}

	migration(f, i) {
		const state = f.state ?? (f.applied ? 'applied' : 'pending'), done = !['pending', 'out-of-order', 'partial'].includes(state);
		const hash = state === 'missing' ? null : sha(f.sql);
		return {
			...f, state, hash, when: 1790000000000 + i * 86400000, file: `drizzle/${f.tag}.sql`,
			recorded_hash: done ? (state === 'applied' ? hash : sha(f.sql + '\n-- before')) : null,
			recorded_at: done ? `2026-10-${String(i % 28 + 1).padStart(2, '0')} 15:47:02.430991+00` : null,
		};
	}

	// ---- answers

	send(res, code, body, more = {}) {
		res.writeHead(code, { 'Content-Type': 'application/json', ...SAFE, ...more });
		res.end(JSON.stringify(body));
	}

	fail(res, code, error, more = {}, head = {}) {
		this.send(res, code, { ok: false, error: { event: 'error', ...error }, ...more }, head);
	}

	async answer(req, res) {
		const url = new URL(req.url, 'http://x'), accept = req.headers.accept ?? '';
		let path = url.pathname;
		this.seen.push({ method: req.method, path: req.url, headers: req.headers });
		if (path === '/healthz') { res.end('ok\n'); return; }
		if (path !== this.base && !path.startsWith(this.base + '/')) { this.fail(res, 404, { code: 'usage', message: 'there is nothing here' }); return; }
		path = path.slice(this.base.length).replace(/^\//, '');
		const part = path || url.search.slice(1);
		if (Object.hasOwn(PARTS, part) && req.method === 'GET') { this.file(res, part, PARTS[part]); return; }
		if (!path && req.method === 'GET' && accept.includes('text/html')) { this.file(res, 'index.html', 'text/html; charset=utf-8'); return; }
		const role = this.role(req);
		if (!role) { this.noSecret(res); return; }
		if (req.method === 'POST') await this.post(req, res, role);
		else if (path === 'events') this.stream(req, res, url);
		else if (path === 'sql') this.sql(res, url.searchParams.get('tag'));
		else if (path === 'plan') this.planned(res, url.searchParams);
		else if (path === 'status' || !path) this.status(res, role);
		else this.fail(res, 404, { code: 'usage', message: 'there is nothing here' });
	}

	file(res, name, type) {
		res.writeHead(200, { 'Content-Type': type, ...SAFE });
		res.end(readFileSync(PAGE + name));
	}

	role(req) {
		const given = /^Bearer (.*)$/.exec(req.headers.authorization ?? '')?.[1];
		if (this.open) return 'migrate';
		return given === this.secret ? 'migrate' : given === READER ? 'read' : (this.wrong += given !== undefined, null);
	}

	noSecret(res) {
		if (this.wrong > 5)
			this.fail(res, 429, { code: 'refused', message: 'too many failed attempts from this address' }, {}, { 'Retry-After': '7' });
		else
			this.fail(res, 401, { code: 'refused', message: 'a secret is needed' }, {}, { 'WWW-Authenticate': 'Bearer realm="mizzle"' });
	}

	// No database: true if that was the answer.
	isDown(res) {
		if (this.down)
			this.fail(res, 503, { code: 'connect', message: 'cannot connect to 127.0.0.1:5432: connection refused', hint: 'is the server running there?' },
				{ running: this.running, runs: this.runs });
		return this.down;
	}

	// A run in a transaction has locked the history: true if that was the answer.
	isLocked(res, role) {
		const is = this.running && !this.blocked.has('*');
		if (is)
			this.fail(res, 409, { code: 'locked', message: 'another migrator holds the lock: pid 2084', hint: 'try again when it is done; mizzle locks shows more' },
				{ may_migrate: role === 'migrate', running: this.running, runs: this.runs });
		return is;
	}

	pending() { return this.migrations.filter(m => PENDING.includes(m.state)); }

	status(res, role) {
		if (this.isDown(res) || this.isLocked(res, role)) return;
		const counts = Object.fromEntries(['applied', 'pending', 'modified', 'eol', 'missing', 'out-of-order', 'partial']
			.map(s => [s, this.migrations.filter(m => m.state === s).length]));
		this.send(res, 200, {
			ok: true, migrations: this.migrations.map(({ tag, state, hash, when, recorded_hash, recorded_at, note }) =>
				({ tag, state, hash, when, recorded_hash, recorded_at, note })),
			result: { command: 'status', ok: true, ...counts, round_trips: 6 },
			may_migrate: role === 'migrate', running: this.running, runs: this.runs.slice(0, 20),
		});
	}

	plan(to, transaction) {
		const end = this.migrations.findIndex(m => m.tag === to);
		const todo = this.migrations.filter((m, i) => PENDING.includes(m.state) && (end < 0 || i <= end));
		const all = todo.map(m => ({
			tag: m.tag, hash: m.hash, file: m.file, state: m.state, statements: statements(m.sql).length, hazards: hazards(m.sql),
			transaction: m.sql.includes('CONCURRENTLY') ? 'none' : transaction === 'all' ? 'shared' : 'own',
		}));
		const id = sha(JSON.stringify([transaction, todo.map(m => m.hash), this.migrations.map(m => m.recorded_hash)])).slice(0, 12);
		const destructive = all.flatMap(m => m.hazards).filter(z => z.destructive).length;
		return { all, result: { command: 'plan', ok: true, pending: all.length, destructive, plan: id, round_trips: 6 } };
	}

	disagreement() {
		const m = this.migrations.find(x => x.state === 'modified' || x.state === 'missing');
		return m && { code: 'history', message: `${m.tag} was ${m.state === 'modified' ? 'changed after it was applied' : 'applied, but is not in the folder'}`,
			hint: 'restore the file; or mizzle repair' };
	}

	planned(res, wish) {
		const bad = this.disagreement();
		if (this.isDown(res) || this.isLocked(res)) return;
		if (bad) { this.fail(res, 422, bad); return; }
		const { all, result } = this.plan(wish.get('to'), wish.get('transaction') ?? 'each');
		this.send(res, 200, { ok: true, migrations: all, result });
	}

	sql(res, tag) {
		const m = this.migrations.find(x => x.tag === tag && x.state !== 'missing');
		if (m) this.send(res, 200, { ok: true, tag, file: m.file, text: m.sql, truncated: m.truncated ?? false, hazards: hazards(m.sql) });
		else this.fail(res, 404, { code: 'usage', message: 'there is no such migration' });
	}

	// ---- events

	stream(req, res, url) {
		const last = Number(req.headers['last-event-id'] ?? url.searchParams.get('last_event_id') ?? Infinity);
		const after = last <= this.events.length ? last : this.running ? this.running.event_id - 1 : this.events.length;
		res.writeHead(200, { 'Content-Type': 'text/event-stream', ...SAFE });
		res.write(': here\n\n');
		const s = { res };
		this.streams.add(s);
		for (const e of this.events.slice(after)) res.write(e);
		res.on('close', () => this.streams.delete(s));
	}

	tell(kind, data) {
		const e = `id: ${this.events.length + 1}\nevent: ${kind}\ndata: ${JSON.stringify({ event: kind, ...data })}\n\n`;
		this.events.push(e);
		for (const s of this.streams) s.res.write(e);
		return { event: kind, ...data };
	}

	// ---- a run

	async post(req, res, role) {
		let text = '', wish;
		for await (const part of req) text += part;
		if (role !== 'migrate') { this.fail(res, 403, { code: 'refused', message: 'this secret may not migrate' }); return; }
		try { wish = text ? JSON.parse(text) : {}; } catch { this.fail(res, 400, { code: 'usage', message: 'the body is not JSON' }); return; }
		if (this.isDown(res)) return;
		if (this.running) { this.fail(res, 409, { code: 'locked', message: 'this server is migrating already' }); return; }
		const done = await this.run(wish), { error, result } = done;
		const status = { sql: 500, connect: 503, locked: 409 }[error?.code] ?? 422;
		if (error) this.send(res, status, { ok: false, error, result });
		else this.send(res, 200, { ...result, ok: true, result, migrations: done.migrations, notices: done.notices });
	}

	async run(wish) {
		const run = (this.runs[0]?.run ?? 0) + 1, started = new Date().toISOString(), begun = Date.now();
		const out = { migrations: [], notices: [], error: null, result: null };
		this.running = { run, started, event_id: this.events.length + 1 };
		this.tell('run', { run, started });
		await this.apply(wish, out);
		out.result = { event: 'result', command: 'migrate', ok: !out.error, ...out.error && { code: out.error.code }, applied: out.migrations.length,
			pending: this.pending().length, ms: Date.now() - begun, round_trips: 9 };
		this.runs.unshift({ run, started, ended: new Date().toISOString(), result: out.result, error: out.error });
		this.running = null;
		this.tell('result', out.result);
		return out;
	}

	async apply(wish, out) {
		const { all, result } = this.plan(wish.to, wish.transaction ?? 'each'), bad = this.disagreement();
		const stop = error => { out.error = this.tell('error', error); };
		if (bad) return stop(bad);
		if (wish.approve && wish.approve !== result.plan)
			return stop({ code: 'refused', message: `the plan '${wish.approve}' that --approve names is not that of now, which is ${result.plan}; nothing was sent`,
				hint: 'read the plan of now, and approve that' });
		if (this.locked) {
			const holder = { pid: 815, user: 'deploy', application: 'mizzle', address: '10.1.2.3', type: 'client backend', state: 'active', since: new Date().toISOString(), query: null, blocked_by: [] };
			this.tell('waiting', { message: 'pid 815, user deploy, application mizzle', ...holder });
			await pause(20);
			return stop({ code: 'locked', message: 'another migrator held the lock for longer than 1s', hint: 'mizzle locks tells who it is' });
		}
		this.tell('start', { command: 'migrate', dir: 'drizzle', pending: all.length, total: this.migrations.length });
		for (const m of all)
			if (!await this.step(this.migrations.find(x => x.tag === m.tag), m, out, stop)) return undefined;
		return undefined;
	}

	async step(m, planned, out, stop) {
		const list = statements(m.sql), begun = Date.now();
		this.tell('begin', { tag: m.tag, number: out.migrations.length + 1, total: 0, statements: list.length });
		for (const [i, s] of list.entries()) {
			const at = { tag: m.tag, statement: i + 1, statements: list.length, line: s.line, text: s.text, ms: 0, phase: null };
			this.tell('progress', at);
			for (const [phase, percent] of m.phases ?? []) {
				this.tell('progress', { ...at, phase, percent });
				await this.gate();
			}
			await this.blockers(m, s, at);
			if (m.fails && m.fails.line === s.line) {
				stop({ code: 'sql', tag: m.tag, file: m.file, source: m.sql.split('\n')[s.line - 1], ...m.fails,
					summary: `${m.tag} failed; nothing of it was kept${out.migrations.length ? ` (${out.migrations.length} migration before it was applied)` : ''}` });
				return false;
			}
			this.tell('statement', { tag: m.tag, line: s.line, text: s.text.split(' ').slice(0, 2).join(' '), ms: 0.4 });
			await pause(1);
		}
		for (const n of m.notices ?? []) out.notices.push(this.tell('notice', { tag: m.tag, severity: 'NOTICE', ...n }));
		Object.assign(m, { state: 'applied', note: undefined, recorded_hash: m.hash, recorded_at: new Date().toISOString().replace('T', ' ').replace('Z', '+00') });
		out.migrations.push(this.tell('migration', { tag: m.tag, hash: m.hash, state: 'applied', statements: planned.statements, ms: Date.now() - begun }));
		return true;
	}

	// Until the test does something.
	gate() { return this.blocked.has('*') ? new Promise(done => { this.waiters.push(done); }) : pause(1); }

	async blockers(m, s, at) {
		const table = [...this.blocked].find(t => s.text.includes(t));
		if (!table) return;
		this.tell('blocked', { tag: m.tag, pid: 4711, user: 'app', application: 'psql', address: '10.0.0.7', type: 'client backend',
			state: 'idle in transaction', since: '2026-11-28 15:01:00+00', query: `LOCK TABLE ${table}`, blocked_by: [] });
		this.tell('progress', at); // it may seem so for a moment
		while (this.blocked.has(table)) {
			this.tell('progress', { ...at, blocked_by: 4711 });
			await new Promise(done => { this.waiters.push(done); });
		}
		this.tell('unblocked', { tag: m.tag });
	}
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
	const [name = 'pending', port = 8089] = process.argv.slice(2);
	const world = await new World().listen(Number(port));
	const { block, ...state } = states[name]();
	await world.do({ what: 'state', ...state });
	for (const table of block ?? []) await world.do({ what: 'block', table });
	world.down = state.down ?? false;
	console.log(`${world.url}  secret: ${SECRET}, to look only: ${READER}`);
}
