// SPDX-License-Identifier: MIT
// The page of mizzle serve.  What others wrote (tags, SQL, messages) is only
// ever put in as text; the secret is in one variable, and nowhere else.

/* ---- small things */

const base = location.pathname.replace(/\/+$/, '');
const $ = id => document.getElementById(id);
const count = (n, word) => `${Number(n).toLocaleString('en')} ${word}${n === 1 ? '' : 's'}`;
const plain = o => o !== null && typeof o === 'object' && !Array.isArray(o) ? o : {};
const list = a => Array.isArray(a) ? a.map(plain) : [];

// What cannot be seen, or turns the direction of writing, is shown by number:
// a script must read as it runs.
const clean = v => String(v ?? '').replace(
	/[\0-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g,
	c => `\u2039U+${c.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}\u203a`);

function put(el, text) {
	const shown = clean(text);
	if (el.textContent !== shown) el.textContent = shown;
}

function h(name, attrs, ...inside) {
	const el = document.createElement(name);
	for (const key in attrs)
		if (attrs[key] != null && attrs[key] !== false) el.setAttribute(key, attrs[key]);
	for (const x of inside.flat())
		if (x != null && x !== '' && x !== false) el.append(x instanceof Node ? x : clean(x));
	return el;
}

function button(attrs, text, click) {
	const el = h('button', { type: 'button', ...attrs }, text);
	el.addEventListener('click', click);
	return el;
}

const facts = pairs => h('dl', null, pairs.filter(([, v]) => v != null && v !== '')
	.map(([k, v]) => h('div', null, h('dt', null, k), h('dd', null, v))));

function span(ms) {
	if (ms < 1000) return `${Math.round(ms)} ms`;
	if (ms < 60000) return `${(ms / 1000).toFixed(ms < 10000 ? 1 : 0)} s`;
	const s = Math.floor(ms / 1000), two = n => String(n).padStart(2, '0');
	return s < 3600 ? `${Math.floor(s / 60)} m ${two(s % 60)} s` : `${Math.floor(s / 3600)} h ${two(Math.floor(s / 60) % 60)} m`;
}

// PostgreSQL's "2026-11-28 15:47:02.43+00", or ISO's, or milliseconds.
function moment(v) {
	const d = new Date(typeof v === 'number' ? v : String(v ?? '').replace(' ', 'T').replace(/([+-]\d\d)$/, '$1:00'));
	return Number.isNaN(d.getTime()) ? null : d;
}
const day = v => moment(v)?.toLocaleString('sv').slice(0, 16) ?? clean(v);
const clock = v => moment(v)?.toLocaleString('sv').slice(11, 19) ?? clean(v);

// To a screen reader, and not more often than it can be listened to.
const voice = { next: '', at: 0, timer: 0 };
function say(text, now) {
	const speak = () => { voice.at = Date.now(); voice.timer = 0; put($('say'), voice.next); };
	voice.next = text;
	if (now) { clearTimeout(voice.timer); speak(); }
	else if (!voice.timer) voice.timer = setTimeout(speak, Math.max(0, voice.at + 8000 - Date.now()));
}

/* ---- the server */

let secret = '';
let skew = 0;	// its clock less ours, in ms

class Failure extends Error {
	constructor(status, body, wait) {
		const e = plain(body.error);
		super(e.message || (status ? `the server answered ${status}` : 'the server cannot be reached'));
		this.status = status;
		this.body = body;
		this.wait = wait;
		this.error = { code: status ? `http ${status}` : 'network', ...e, message: this.message };
	}
}

function headers(more) {
	const all = { Accept: 'application/json', ...more };
	if (secret) all.Authorization = 'Bearer ' + String.fromCharCode(...new TextEncoder().encode(secret));
	return all;
}

async function ask(path, body, signal) {
	let res, said = {};
	try {
		res = await fetch(base + path, {
			method: body ? 'POST' : 'GET', cache: 'no-store', signal,
			headers: headers(body && { 'Content-Type': 'application/json' }),
			body: body && JSON.stringify(body),
		});
		skew = (Date.parse(res.headers.get('Date')) || Date.now()) - Date.now();
		said = plain(await res.json().catch(() => ({})));
	} catch (e) {
		throw new Failure(0, { error: { message: `the server cannot be reached (${e.message})` } });
	}
	if (!res.ok || said.ok !== true)
		throw new Failure(res.status, said, Number(res.headers.get('Retry-After')) || 0);
	return said;
}

/* ---- signing in */

function signOut(why) {
	secret = '';
	events.stop();
	clearTimeout(retry.timer);
	stale++;
	status = plan = null;
	run = null;
	for (const id of ['rows', 'runs', 'steps', 'log', 'counts', 'bar', 'run-end', 'problem-body']) $(id).replaceChildren();
	$('find').value = '';
	rows.clear();
	scripts.clear();
	$('sure').close();
	for (const id of ['all', 'leave', 'reload', 'run', 'role']) $(id).hidden = true;
	put($('live'), '');
	put($('asof'), '');
	document.title = 'mizzle';
	$('signin').hidden = false;
	put($('signin-said'), why);
	$('secret').setAttribute('aria-invalid', why ? 'true' : 'false');
	$('secret').focus();
	$('secret').select();
}

async function signIn(e) {
	e.preventDefault();
	if ($('enter').disabled) return;
	secret = $('secret').value.trim();
	$('enter').disabled = true;
	put($('signin-said'), '');
	await load(true);
	$('enter').disabled = false;
}

function signedIn() {
	if ($('all').hidden === false) return;
	const typed = !$('signin').hidden;
	$('signin').hidden = true;
	$('secret').value = '';
	$('all').hidden = $('reload').hidden = false;
	$('leave').hidden = !secret;
	if (typed) $('top').focus();
	events.start();
}

// Whether it was one of those that end in front of the door.
function turnedAway(e, typed) {
	if (e.status === 401) {
		signOut(typed && secret ? 'That secret was not accepted.' : secret ? 'The secret is no longer accepted.' : '');
	} else if (e.status === 429) {
		signOut(`${e.message}${e.wait ? `; try again in ${e.wait} s` : ''}`);
	} else {
		return false;
	}
	return true;
}

/* ---- what is so: the status and the plan */

let status = null, plan = null, unplanned = null;	// unplanned: why there is no plan
let stale = 0;	// answers to older questions are not listened to
const retry = { timer: 0, n: 0, at: 0 };
const states = {	// symbol, what it means
	applied: ['\u2713', ''],
	pending: ['\u2022', ''],
	modified: ['\u2260', 'the file was changed after it was applied'],
	eol: ['\u21b5', 'applied; only its line ends were changed'],
	missing: ['\u2205', 'applied, but not in the folder'],
	'out-of-order': ['\u21c5', 'pending, but older than an applied one'],
	partial: ['\u25d0', 'stopped midway; migrate goes on from there'],
};
const known = s => Object.hasOwn(states, s) ? s : 'pending';
const waits = m => ['pending', 'out-of-order', 'partial'].includes(m.state);

async function load(typed) {
	const mine = ++stale;
	clearTimeout(retry.timer);
	$('reload').setAttribute('aria-busy', 'true');
	try {
		const got = await ask('/status');
		if (mine !== stale) return;
		retry.n = 0;
		took(got);
		await loadPlan();
	} catch (e) {
		if (!(e instanceof Failure)) throw e;
		if (mine === stale && !turnedAway(e, typed)) failed(e);
	} finally {
		$('reload').removeAttribute('aria-busy');
	}
}

function took(got) {
	status = { ...got, migrations: list(got.migrations), runs: list(got.runs), result: plain(got.result) };
	signedIn();
	$('problem').hidden = true;
	$('sum').hidden = $('cols').hidden = false;
	$('role').hidden = got.may_migrate !== false;
	put($('asof'), `As of ${clock(Date.now())}.`);
	if (run?.going && !got.running && !events.live) { run.going = false; showRun(); }
	showCounts();
	showRows();
	showRuns();
	showWishes();
	showPlan();
}

async function loadPlan() {
	const mine = stale, wish = new URLSearchParams({ transaction: $('transaction').value });
	if ($('to').value) wish.set('to', $('to').value);
	plan = unplanned = null;
	if (status.migrations.some(waits) || status.migrations.some(m => ['modified', 'missing'].includes(m.state))) {
		try {
			const got = await ask('/plan?' + wish);
			if (mine !== stale) return;
			plan = { ...plain(got.result), wish, migrations: list(got.migrations) };
		} catch (e) {
			if (mine !== stale || turnedAway(e)) return;
			unplanned = e;
		}
	}
	showPlan();
}

// No status: why, and when it is asked again.
function failed(e) {
	const connecting = e.status === 503 || e.status === 0;
	signedIn();
	put($('problem-h'), connecting ? (e.status ? 'No connection to the database' : 'No connection to the server') : 'The state cannot be shown');
	$('problem-body').replaceChildren(errorView(e.error));
	$('problem').hidden = false;
	if (!status && e.body.runs) {
		status = { migrations: [], runs: list(e.body.runs), result: {}, may_migrate: e.body.may_migrate };
		showRuns();
	}
	plan = null;
	unplanned = e;
	showPlan();
	say(`${$('problem-h').textContent}: ${e.message}`, true);
	retry.at = Date.now() + Math.min(30, 2 ** ++retry.n) * 1000;
	countdown();
}

function countdown() {
	const left = Math.ceil((retry.at - Date.now()) / 1000);
	if (left <= 0) { put($('again-in'), 'trying \u2026'); load(); return; }
	put($('again-in'), `again by itself in ${left} s`);
	retry.timer = setTimeout(countdown, 1000);
}

/* ---- the counts and the list */

const rows = new Map();	// tag -> its row
let only = '';	// the one state that is shown

function showCounts() {
	const n = {};
	for (const m of status.migrations) n[known(m.state)] = (n[known(m.state)] || 0) + 1;
	const here = Object.keys(states).filter(s => n[s] || s === 'applied' || s === 'pending');
	if (only && !n[only]) only = '';
	while ($('counts').children.length < here.length) $('counts').append(button({ class: 'count' }, '', pickState));
	while ($('counts').children.length > here.length) $('counts').lastChild.remove();
	here.forEach((s, i) => {
		const b = $('counts').children[i];
		b.dataset.state = s;
		b.setAttribute('aria-pressed', only === s);
		b.replaceChildren(h('b', { class: 'num' }, (n[s] || 0).toLocaleString('en')),
			h('span', { class: 'sym', 'aria-hidden': 'true' }, ' ' + states[s][0]), ' ' + s);
		b.disabled = !n[s];
	});
	$('bar').replaceChildren(...here.filter(s => n[s]).map(s => {
		const part = h('span', { 'data-state': s });
		part.style.flexGrow = n[s];
		return part;
	}));
	titled();
}

function pickState(e) {
	const s = e.currentTarget.dataset.state;
	only = only === s ? '' : s;
	showCounts();
	filter();
}

function showRows() {
	const seen = new Set(), order = [];
	status.migrations.forEach((m, i) => {
		const key = String(m.tag);
		if (seen.has(key)) return;
		seen.add(key);
		if (!rows.has(key)) rows.set(key, newRow(key));
		fillRow(rows.get(key), m, i + 1);
		order.push(rows.get(key).el);
	});
	for (const [key, row] of rows)
		if (!seen.has(key)) { row.el.remove(); rows.delete(key); }
	order.reverse().forEach((el, i) => {
		if ($('rows').children[i] !== el) $('rows').insertBefore(el, $('rows').children[i] || null);
	});
	filter();
}

function newRow(tag) {
	const row = { tag, m: {} }, id = `m${++newRow.n}`;
	row.body = h('div', { class: 'body', id, hidden: '' });
	row.head = button({ class: 'head', 'aria-expanded': 'false', 'aria-controls': id }, '', () => openRow(row, row.body.hidden));
	row.el = h('li', { class: 'row' }, row.head, row.body);
	return row;
}
newRow.n = 0;

function fillRow(row, m, nth) {
	const s = known(m.state), note = m.note || states[s][1];
	const same = JSON.stringify([m, nth]);
	if (row.same === same) return;
	if (!row.body.hidden && row.m.hash !== m.hash) openRow(row, false);
	Object.assign(row, { same, m, nth, hay: `${row.tag} ${m.hash ?? ''} ${m.recorded_hash ?? ''}`.toLowerCase() });
	row.el.dataset.state = s;
	row.head.replaceChildren(
		h('span', { class: 'nth num', 'aria-hidden': 'true' }, nth),
		h('span', { class: 'state' }, h('span', { class: 'sym', 'aria-hidden': 'true' }, states[s][0]), ' ' + s),
		h('span', { class: 'tag mono' }, row.tag),
		h('span', { class: 'when num', title: m.recorded_at }, m.recorded_at ? day(m.recorded_at) : ''),
		note ? h('span', { class: 'note' }, note) : '');
}

function filter() {
	const words = $('find').value.toLowerCase().split(/\s+/).filter(Boolean);
	const all = status.migrations.length;
	let n = 0;
	for (const row of rows.values()) {
		const fits = (!only || known(row.m.state) === only) && words.every(w => row.hay.includes(w));
		if (row.el.hidden === fits) row.el.hidden = !fits;
		n += fits;
	}
	put($('shown'), n === all ? count(all, 'migration') : `${n.toLocaleString('en')} of ${all.toLocaleString('en')} shown`);
	$('no-rows').hidden = n > 0;
	put($('no-rows'), all ? 'None of that name or state.' : 'The folder holds no migration, and none is recorded.');
	$('find').hidden = all < 2;
}

function openRow(row, open) {
	row.body.hidden = !open;
	row.head.setAttribute('aria-expanded', open);
	if (open) fillBody(row);
}

// From the plan to the script.
function goTo(tag) {
	const row = rows.get(String(tag));
	if (!row) return;
	if (row.el.hidden) { only = ''; $('find').value = ''; showCounts(); filter(); }
	openRow(row, true);
	row.head.focus();
	row.el.scrollIntoView({ block: 'start' });
}

/* ---- a script */

const scripts = new Map();	// tag and hash -> promise of its SQL
const words = new Set(('ADD ALL ALTER AND AS ASC BEGIN BY CASCADE CASE CHECK COLUMN COMMIT CONCURRENTLY CONFLICT CONSTRAINT CREATE CROSS DATABASE DECLARE DEFAULT ' +
	'DELETE DESC DISTINCT DO DOMAIN DROP ELSE END ENUM EXECUTE EXISTS EXTENSION FALSE FOR FOREIGN FROM FUNCTION GRANT GROUP HAVING IF IN INDEX INNER INSERT ' +
	'INTO IS JOIN KEY LANGUAGE LEFT LIKE LIMIT LOOP MATERIALIZED NOT NULL ON ONLY OR ORDER OUTER PARTITION POLICY PRIMARY PROCEDURE REFERENCES REINDEX RENAME ' +
	'REPLACE RESTRICT RETURNING RETURNS REVOKE RIGHT ROLE ROLLBACK SCHEMA SELECT SEQUENCE SET TABLE THEN TO TRIGGER TRUE TRUNCATE TYPE UNION UNIQUE UPDATE ' +
	'USING VACUUM VALUES VIEW WHEN WHERE WITH').split(' '));
// Comment, string, word.  What is not closed goes to the end, so each
// character is read once.
const token = /(--[^\n]*|\/\*[^]*?(?:\*\/|$))|([eE]'(?:[^'\\]|\\[^]|'')*(?:'|$)|'[^']*(?:'|$)|\$([a-z_]\w*)?\$[^]*?(?:\$\3\$|$))|"[^"]*(?:"|$)|[a-z_][\w$]*/gi;

function script(m) {
	const key = `${m.tag}\n${m.hash}`;
	if (!scripts.has(key)) {
		const asked = ask('/sql?tag=' + encodeURIComponent(m.tag));
		asked.catch(() => scripts.delete(key));
		scripts.set(key, asked);
	}
	return scripts.get(key);
}

async function fillBody(row) {
	const m = row.m;
	const head = facts([['hash', m.hash], ['recorded hash', m.recorded_hash !== m.hash ? m.recorded_hash : null],
		['applied', m.recorded_at], ['written', m.when > 1577836800000 ? day(m.when) : null]]);
	if (m.state === 'missing') { row.body.replaceChildren(head, h('p', { class: 'dim' }, 'Its file is not there.')); return; }
	row.body.replaceChildren(head, h('p', { class: 'dim' }, 'reading \u2026'));
	try {
		const sql = await script(m);
		row.body.replaceChildren(head, ...scriptView(sql, row));
	} catch (e) {
		if (!turnedAway(e)) row.body.replaceChildren(head, errorView(e.error));
	}
}

const hazardText = z => `${z.statement}: ${z.reason}`;
const hazardWord = z => z.destructive ? 'destructive' : 'note';

function scriptView(sql, row) {
	const hazards = list(sql.hazards), text = String(sql.text ?? '');
	const pre = h('pre', { class: 'sql', tabindex: '0', role: 'region', 'aria-label': `SQL of ${clean(row.tag)}` }, codeOf(text, hazards));
	const go = z => () => {
		const line = pre.querySelector(`[data-n="${Number(z.line)}"]`);
		line?.scrollIntoView({ block: 'center' });
		pre.focus({ preventScroll: true });
	};
	return [
		hazards.length && h('ul', { class: 'hazards', 'aria-label': 'Hazards' }, hazards.map(z =>
			h('li', { class: z.destructive ? 'bad' : 'warn' }, h('span', { class: 'flag' }, hazardWord(z)), ' ',
				z.line ? button({ class: 'link num' }, `line ${z.line}`, go(z)) : '', ' ', hazardText(z)))),
		h('p', { class: 'mono dim cut' }, sql.file),
		pre,
		sql.truncated && h('p', { class: 'warn' }, 'The script is longer than this; only its beginning is shown.'),
	].filter(Boolean);
}

// Lines, in blocks that are laid out when they come into view.
function codeOf(text, hazards) {
	const code = h('code'), at = new Map();
	for (const z of hazards) at.set(z.line, [...at.get(z.line) || [], z]);
	let line, block, n = 0;
	const next = () => {
		if (n % 200 === 0) code.append(block = h('span', { class: 'block' }));
		block.append(line = h('span', { class: 'l', 'data-n': ++n }));
	};
	const write = (s, kind) => s.split('\n').forEach((part, i) => {
		if (i) { ended(); next(); }
		if (part.endsWith('\r')) part = part.slice(0, -1);
		if (part) line.append(kind ? h('span', { class: kind }, part) : clean(part));
	});
	const ended = () => (at.get(n) || []).forEach(z => {
		const before = [...text.split('\n', n)[n - 1] ?? ''].slice(0, Math.max(0, z.column - 1)).join('').replace(/[^\t]/g, ' ');
		line.classList.add(z.destructive ? 'hit-bad' : 'hit');
		block.append(h('span', { class: `why ${z.destructive ? 'bad' : 'warn'}` }, `${before}^ ${hazardWord(z)}: ${hazardText(z)}`));
	});
	next();
	paint(text, write);
	ended();
	return code;
}

function paint(text, write) {
	let done = 0;
	for (const t of text.length < 400000 ? text.matchAll(token) : []) {
		const kind = t[1] ? 'c' : t[2] ? 's' : words.has(t[0].toUpperCase()) ? 'k' : '';
		if (!kind) continue;
		if (t.index > done) write(text.slice(done, t.index));
		write(t[0], kind);
		done = t.index + t[0].length;
	}
	write(text.slice(done));
}

/* ---- an error, as the command line shows it */

function errorView(e) {
	const place = [e.file, e.line, e.column].filter(x => x != null).join(':');
	return h('div', { class: 'error' },
		e.summary && h('p', { class: 'strong' }, e.summary),
		place && h('p', { class: 'mono dim' }, `--> ${place}`),
		e.source != null && excerpt(e),
		h('p', { class: e.summary ? 'mono' : 'strong' }, e.sqlstate ? h('b', { class: 'bad' }, `${e.sqlstate} `) : '', e.message),
		facts([['detail', e.detail], ['server\u2019s hint', e.server_hint], ['context', e.context], ['hint', e.hint],
			['code', !e.sqlstate && e.code]].filter(([, v]) => v)));
}

function excerpt(e) {
	const number = String(e.line ?? ''), source = String(e.source).replace(/[\r\n]+$/, '');
	const before = [...source].slice(0, Math.max(0, e.column - 1));
	const pad = before.map(c => c === '\t' ? c : ' '.repeat(clean(c).length)).join('');
	return h('pre', { class: 'excerpt', tabindex: '0', role: 'region', 'aria-label': 'Source' },
		h('span', { class: 'dim' }, `${number} | `), source, '\n',
		e.column > 0 && [h('span', { class: 'dim' }, `${' '.repeat(number.length)} | `), pad, h('b', { class: 'bad' }, '^')]);
}

/* ---- the plan */

const ways = { own: 'in a transaction of its own', shared: 'in the one transaction', none: 'outside of a transaction' };
let posting = false;

// Why the button does nothing, or ''.
function reason() {
	if (run?.going || posting) return 'A run is under way.';
	if (unplanned) return unplanned.status === 422 ? 'There is no plan: see below.' : 'There is no plan as yet.';
	if (!plan || !(plan.pending > 0)) return 'Nothing is pending.';
	if (status?.may_migrate === false) return 'This secret may look, but not migrate: sign in with one that may.';
	return '';
}

function showWishes() {
	const tags = status.migrations.filter(waits).map(m => String(m.tag)), to = $('to');
	$('wishes').hidden = tags.length === 0;
	$('to-label').hidden = tags.length < 2;
	const wanted = tags.includes(to.value) ? to.value : '';
	if (to.same !== tags.join('\n')) {
		to.same = tags.join('\n');
		to.replaceChildren(h('option', { value: '' }, 'the last'), ...tags.map(t => h('option', { value: t }, t)));
	}
	to.value = wanted;
}

function showPlan() {
	const n = plan?.pending ?? 0, why = reason(), bad = plan?.destructive ?? 0;
	put($('plan-h'), n ? `Next: ${count(n, 'migration')}` : 'Next');
	$('migrate').hidden = !n && !unplanned;
	put($('migrate'), n ? `Migrate ${n.toLocaleString('en')}` : 'Migrate');
	$('migrate').setAttribute('aria-disabled', why !== '');
	$('migrate').classList.toggle('risky', bad > 0);
	const idle = !plan && !unplanned && status?.migrations.some(waits);
	put($('why'), idle ? 'reading the plan \u2026' : why ||
		`${bad ? `${count(bad, 'statement')} ${bad === 1 ? 'is' : 'are'} destructive; you are asked once more. ` : ''}Plan ${plan.plan}.`);
	$('steps').hidden = !n && !unplanned;
	$('steps').replaceChildren(...unplanned && unplanned.status !== 503 && unplanned.status ? [h('li', null, errorView(unplanned.error))] :
		(plan?.migrations ?? []).map(step));
}

function step(m) {
	const way = Object.hasOwn(ways, m.transaction) ? m.transaction : 'own';
	return h('li', { class: `step ${way}` },
		button({ class: 'link mono' }, m.tag, () => goTo(m.tag)),
		h('span', { class: 'dim' }, ` ${count(m.statements, 'statement')} ${ways[way]}${m.note ? `; ${m.note}` : ''}`),
		list(m.hazards).map(z => h('div', { class: `hazard ${z.destructive ? 'bad' : 'warn'}` },
			h('span', { class: 'flag' }, hazardWord(z)), ` ${z.line ? `line ${z.line}: ` : ''}${hazardText(z)}`)));
}

function showSaid(kind, ...what) {
	$('said').className = `box ${kind}`;
	$('said').replaceChildren(...what);
	$('said').hidden = what.length === 0;
	if (what.length) say($('said').textContent, true);
}

/* ---- migrating */

async function migrate() {
	if (reason()) return;
	const seen = plan;
	showSaid('');
	if (seen.destructive > 0 && !await sure(seen)) return;
	if (reason()) return;
	posting = true;
	showPlan();
	const before = run?.run ?? 0;
	try {
		const got = await ask('', { ...Object.fromEntries(seen.wish), approve: seen.plan, require_approval: true });
		ended(before, plain(got.result), null, got);
	} catch (e) {
		await refused(e, seen, before);
	}
	posting = false;
	showPlan();
	load();
}

// The stream may have told it already, or be cut off.
function ended(before, result, error, got) {
	if (!run || (run.run ?? 0) <= before && !run.going) {
		run = newRun({ run: null });
		list(got?.migrations).forEach(heard.migration);
	}
	if (!run.result) {
		list(got?.notices).forEach(n => run.log.length < 1000 && heard.notice(n));
		if (error) run.error = error;
		heard.result(result);
	}
}

async function refused(e, seen, before) {
	if (turnedAway(e)) return;
	const result = plain(e.body.result);
	if (e.status === 0) {
		showSaid('warn', 'The connection broke. A run that has begun goes on at the server; its state is being asked for.');
	} else if (e.status === 409 && e.body.running) {
		showSaid('warn', 'A run was under way already: this is it. Nothing else was begun.');
		events.again();
	} else if (e.error.code === 'refused') {
		await told(e, seen, before);
	} else if (e.body.result && e.status !== 409 && e.status !== 422) {
		ended(before, result, e.error, e.body);
	} else {
		showSaid('bad-box', errorView(e.error));
	}
}

// Refused: either the plan is another by now, or a guard said no.
async function told(e, seen, before) {
	await load();
	const now = plan ?? { plan: '', migrations: [] };
	if (run && (run.run ?? 0) > before && run.error?.code === 'refused') { run = null; showRun(); }
	if (now.plan === seen.plan) { showSaid('bad-box', errorView(e.error)); return; }
	const key = m => `${m.tag}\n${m.hash}`, had = new Map(seen.migrations.map(m => [m.tag, m]));
	const has = new Map(now.migrations.map(m => [m.tag, m]));
	const item = (sign, m, what) => h('li', { class: 'mono' }, `${sign} ${m.tag}`, h('span', { class: 'dim' }, ` ${what}`));
	const changes = [
		...now.migrations.filter(m => !had.has(m.tag)).map(m => item('+', m, 'is new')),
		...now.migrations.filter(m => had.has(m.tag) && key(m) !== key(had.get(m.tag))).map(m => item('\u2260', m, 'has another text')),
		...seen.migrations.filter(m => !has.has(m.tag)).map(m => item('\u2212', m, 'is no longer pending')),
	];
	showSaid('warn', h('p', { class: 'strong' }, 'The plan has changed since you looked, so nothing was run.'),
		changes.length ? h('ul', null, changes) : h('p', null, 'The migrations are the same; the history is not.'),
		h('p', null, 'Look at it as it is now, and migrate again.'));
	$('said').focus();
}

// Asks once more, with each statement that destroys by its name.
function sure(seen) {
	const dialog = $('sure'), bad = [];
	for (const m of seen.migrations)
		for (const z of list(m.hazards)) if (z.destructive) bad.push([m, z]);
	put($('sure-h'), `${count(seen.destructive, 'statement')} ${seen.destructive === 1 ? 'destroys' : 'destroy'} data`);
	put($('sure-text'), `This is plan ${seen.plan}, ${count(seen.pending, 'migration')}. What these remove comes back from a backup only.`);
	put($('sure-yes'), `Migrate ${seen.pending.toLocaleString('en')} and destroy`);
	$('sure-list').replaceChildren(...bad.slice(0, 200).map(([m, z]) => h('li', null,
		h('b', { class: 'bad' }, z.statement), ` ${z.reason} `, h('span', { class: 'dim mono' }, `${m.tag}${z.line ? `:${z.line}` : ''}`),
		h('code', { class: 'cut mono', hidden: '' }))), bad.length > 200 ? h('li', null, `and ${bad.length - 200} more`) : '');
	quote(bad.slice(0, 50));
	dialog.returnValue = '';
	dialog.showModal();
	return new Promise(done => dialog.addEventListener('close', () => done(dialog.returnValue === 'yes'), { once: true }));
}

// The lines themselves, as soon as they are here.
async function quote(bad) {
	const codes = [...$('sure-list').querySelectorAll('code')];
	for (const [i, [m, z]] of bad.entries()) {
		const sql = await script(m).catch(() => null);
		const line = String(sql?.text ?? '').split('\n', z.line)[z.line - 1]?.trim();
		if (line) { put(codes[i], line.slice(0, 300)); codes[i].hidden = false; }
	}
}

/* ---- events: a stream read by fetch, as EventSource sends no secret */

const events = {
	live: false, id: '', fails: 0, stopper: null, timer: 0, quiet: 0,

	start() { this.stop(); this.id = ''; this.fails = 0; this.open(); },
	stop() { this.stopper?.abort(); this.stopper = null; clearTimeout(this.timer); clearTimeout(this.quiet); this.shows(false); },
	again() { if (!this.live) { this.fails = 0; clearTimeout(this.timer); this.stopper?.abort(); this.open(); } },

	shows(live, text = '') {
		this.live = live;
		$('live').dataset.on = live;
		put($('live'), live ? '\u25cf live' : text && `\u25cb ${text}`);
	},

	async open() {
		const stopper = this.stopper = new AbortController();
		try {
			const res = await fetch(base + '/events', {
				headers: headers({ Accept: 'text/event-stream', ...this.id && { 'Last-Event-ID': this.id } }),
				cache: 'no-store', signal: stopper.signal,
			});
			if (res.status === 401) { if (stopper === this.stopper) signOut('The secret is no longer accepted.'); return; }
			if (!res.ok || !res.body) throw new Error(`status ${res.status}`);
			const missed = this.fails > 0;
			this.fails = 0;
			this.shows(true);
			if (missed) load();
			await this.read(res.body.getReader(), stopper);
		} catch (e) {
			if (stopper !== this.stopper) return;
		}
		if (stopper === this.stopper) this.later();
	},

	later() {
		const s = Math.min(30, 2 ** this.fails++) * (0.75 + Math.random() / 2);
		clearTimeout(this.quiet);
		this.shows(false, 'reconnecting');
		this.timer = setTimeout(() => this.open(), s * 1000);
	},

	// A comment comes every 15 s; three of them missing, and it is dead.
	async read(reader, stopper) {
		const decoder = new TextDecoder();
		for (let rest = ''; ;) {
			clearTimeout(this.quiet);
			this.quiet = setTimeout(() => reader.cancel().catch(() => {}), 45000);
			const { done, value } = await reader.read();
			if (done || stopper !== this.stopper) return;
			const blocks = (rest + decoder.decode(value, { stream: true })).replace(/\r\n?/g, '\n').split('\n\n');
			rest = blocks.pop();
			if (rest.length > 1e7) return;
			blocks.forEach(b => this.take(b));
		}
	},

	take(block) {
		let kind = 'message', data = '', id = null;
		for (const line of block.split('\n')) {
			const [, key, value] = /^([a-z]*): ?(.*)$/.exec(line) ?? [];
			if (key === 'event') kind = value;
			else if (key === 'data') data += (data && '\n') + value;
			else if (key === 'id') id = value;
		}
		if (id !== null) this.id = id;
		if (!data || !Object.hasOwn(heard, kind)) return;
		try { heard[kind](plain(JSON.parse(data))); } catch (e) { console.error(e); }
	},
};

/* ---- a run, as it is heard of */

let run = null;

function newRun(d) {
	$('log').replaceChildren();
	return { run: d.run ?? null, begun: moment(d.started)?.getTime() ?? Date.now() + skew, going: true, pending: 0, done: 0,
		at: null, blocker: null, waiting: '', error: null, result: null, log: [], notices: 0 };
}

const note = (...entry) => { run.log.push(entry); soon(); };
const current = () => { if (!run?.going) run = newRun({}); return run; };

const heard = {
	run(d) {
		run = newRun(d);
		showSaid('');
		say('A run began.', true);
		showPlan();
		soon();
	},
	start(d) {
		Object.assign(current(), { pending: d.pending ?? d.to_roll_back ?? 0, waiting: '' });
		note('', `${count(run.pending, 'migration')} of ${d.total ?? '?'} from ${d.dir ?? 'the folder'}`);
	},
	statement(d) {
		current();
		run.at = { statements: run.at?.tag === d.tag ? run.at.statements : null, ...d, statement: null };
		note('', `line ${d.line}  ${d.text}  ${span(d.ms)}`);
	},
	progress(d) {
		Object.assign(current(), { at: d, waiting: '' });
		if (d.blocked_by == null) run.blocker = null;
		else if (run.blocker?.pid !== d.blocked_by) run.blocker = { pid: d.blocked_by };
		soon();
	},
	blocked(d) {
		current().blocker = d;
		note('warn', `${d.tag} is blocked by ${who(d)}`);
		say(`Blocked by ${who(d)}`, true);
	},
	unblocked() {
		current().blocker = null;
		note('', 'no longer blocked');
		say('No longer blocked.');
	},
	waiting(d) {
		current().waiting = d;
		if (run.log.at(-1)?.[1] !== d.message) note('warn', d.message);
		say(d.message);
	},
	migration(d) {
		Object.assign(current(), { done: run.done + 1, at: null, blocker: null, waiting: '' });
		note('good', `\u2713 ${d.tag}  ${count(d.statements ?? 0, 'statement')}  ${span(d.ms ?? 0)}`);
		say(`${run.done} of ${run.pending || '?'} migrations done.`);
		const m = status?.migrations.find(x => x.tag === d.tag);
		if (m && d.state === 'applied') Object.assign(m, { state: 'applied', note: null });
	},
	notice(d) {
		current().notices++;
		note('warn', `${d.severity ?? 'notice'}: ${d.tag ? `${d.tag}: ` : ''}${d.message}`,
			[d.detail && `detail: ${d.detail}`, d.hint && `hint: ${d.hint}`].filter(Boolean).join('\n'));
	},
	error(d) { current().error = d; soon(); },
	result(d) {
		Object.assign(current(), { going: false, result: d, at: null, blocker: null, waiting: '' });
		const text = d.ok ? `${count(d.applied ?? 0, 'migration')} applied.` : `The run failed: ${run.error?.summary ?? run.error?.message ?? d.code}`;
		say(text, true);
		soon();
		if (!posting) load();
	},
};

const who = b => `pid ${b.pid}${b.user ? `, ${b.user}` : ''}${b.application ? ` (${b.application})` : ''}${b.state ? `, ${b.state}` : ''}`;

// Once a frame, however much is heard.
function soon() {
	if (soon.due) return;
	soon.due = true;
	requestAnimationFrame(() => {
		soon.due = false;
		showRun();
		if (status) { showRows(); showCounts(); }
	});
}

function titled() {
	const waiting = status?.migrations.filter(waits).length;
	document.title = (run?.going ? `\u25b6 ${run.done}/${run.pending || '?'} ${clean(run.at?.tag)} \u00b7 ` : run?.error ? '\u2717 failed \u00b7 ' :
		waiting ? `${waiting} pending \u00b7 ` : '') + 'mizzle';
}

function showRun() {
	$('run').hidden = !run;
	if (!run) return;
	const r = run.result, ok = r ? r.ok : null;
	put($('run-h'), run.run ? `Run ${run.run}` : 'Run');
	put($('run-chip'), run.going ? 'running' : ok ? 'done' : ok === false ? 'failed' : 'ended');
	$('run-chip').dataset.is = $('run-chip').textContent;
	$('run-live').hidden = !run.going;
	if (run.going) showLive();
	showWait();
	showEnd();
	showLog();
	tick();
	titled();
}

function showLive() {
	const at = run.at ?? {}, part = at.statements > 0 && at.statement > 0 ? (at.statement - 1) / at.statements : 0;
	put($('run-nth'), run.pending ? `migration ${Math.min(run.done + 1, run.pending)} of ${run.pending}` : 'beginning \u2026');
	put($('run-of'), at.statement ? `statement ${at.statement} of ${at.statements ?? '?'}` : '');
	$('run-bar').max = run.pending || 1;
	$('run-bar').value = Math.min(run.done + part, run.pending);
	put($('run-tag'), at.tag);
	put($('run-text'), at.text ? `${at.line ? `${at.line} | ` : ''}${at.text}` : '');
	$('run-phase').hidden = !at.phase && at.percent == null;
	put($('phase-name'), at.phase ?? '');
	put($('phase-percent'), at.percent == null ? '' : `${at.percent} %`);
	$('phase-bar').hidden = at.percent == null;
	$('phase-bar').value = at.percent ?? 0;
}

function showWait() {
	const b = run.blocker ?? (run.waiting || null), el = $('run-wait'), same = JSON.stringify([b, run.going]);
	el.hidden = !b || !run.going;
	if (el.hidden || el.same === same) { el.same = same; return; }
	el.same = same;
	el.replaceChildren(h('p', { class: 'strong' }, run.blocker ? 'Blocked by another session' : b.message),
		facts([['pid', b.pid], ['user', b.user], ['application', b.application], ['address', b.address],
			['state', b.state && `${b.state}${b.since ? ` since ${clock(b.since)}` : ''}`],
			['waits for', Array.isArray(b.blocked_by) && b.blocked_by.length ? `pid ${b.blocked_by.join(', ')}` : null]]),
		b.query ? h('pre', { class: 'excerpt', tabindex: '0', role: 'region', 'aria-label': 'Its query' }, b.query) : '',
		Number.isInteger(b.pid) ? h('p', { class: 'dim' }, 'To end it: ', h('code', null, `SELECT pg_terminate_backend(${b.pid})`)) : '');
}

function showEnd() {
	const same = JSON.stringify([run.run, run.error, run.result]);
	if ($('run-end').same === same) return;
	$('run-end').same = same;
	$('run-end').replaceChildren(...[run.error && errorView(run.error), run.result && h('p', { class: 'dim' }, outcome(run.result))].filter(Boolean));
}

const outcome = r => [r.applied != null && `${count(r.applied, 'migration')} applied`, r.pending > 0 && `${r.pending} pending`,
	r.ms != null && span(r.ms), r.round_trips != null && count(r.round_trips, 'round trip')].filter(Boolean).join(' \u00b7 ');

// The newest thousand lines; at its end it stays there.
function showLog() {
	const log = $('log'), pinned = log.scrollTop + log.clientHeight >= log.scrollHeight - 4;
	for (const [kind, text, more] of run.log.splice(0).slice(-1000))
		log.append(h('li', { class: kind }, text, more && h('div', { class: 'dim' }, more)));
	while (log.children.length > 1000) log.firstChild.remove();
	log.hidden = !log.firstChild;
	if (pinned) log.scrollTop = log.scrollHeight;
}

function tick() {
	clearTimeout(tick.timer);
	const ms = run?.result?.ms ?? Math.max(0, Date.now() + skew - run?.begun);
	put($('run-time'), run?.going ? span(Math.floor(ms / 1000) * 1000) : run?.result ? span(ms) : '');
	if (run?.going) tick.timer = setTimeout(tick, 1000);
}

/* ---- the runs of this process */

function showRuns() {
	const past = status.runs, same = JSON.stringify(past);
	$('no-past').hidden = past.length > 0;
	if ($('runs').same === same) return;
	const open = new Set([...$('runs').querySelectorAll('[open]')].map(d => d.dataset.run));
	$('runs').same = same;
	$('runs').replaceChildren(...past.map((p, i) => {
		const r = plain(p.result), ok = r.ok === true && !p.error;
		const fresh = i === 0 && !ok && run?.run !== p.run;
		return h('li', null, h('details', { 'data-run': p.run, open: open.has(String(p.run)) || fresh ? '' : null },
			h('summary', null, h('span', { class: ok ? 'good' : 'bad' }, ok ? '\u2713 done' : '\u2717 failed'), ` run ${p.run} `,
				h('span', { class: 'dim num' }, `${clock(p.started)} \u00b7 ${outcome({ applied: r.applied, ms: r.ms })}`)),
			p.error && errorView(plain(p.error)), h('p', { class: 'dim' }, `${day(p.started)} to ${clock(p.ended)} \u00b7 ${outcome(r)}`)));
	}));
}

/* ---- begin */

put($('where'), location.host + base);
$('signin').addEventListener('submit', signIn);
$('leave').addEventListener('click', () => signOut(''));
$('reload').addEventListener('click', () => { showSaid(''); load(); });
$('again').addEventListener('click', () => load());
$('migrate').addEventListener('click', migrate);
$('sure-no').addEventListener('click', () => $('sure').close());
$('sure-yes').addEventListener('click', () => $('sure').close('yes'));
$('find').addEventListener('input', filter);
for (const id of ['transaction', 'to']) $(id).addEventListener('change', () => { stale++; loadPlan(); });
document.addEventListener('visibilitychange', () => {
	if (!document.hidden && status && !run?.going && !posting) { load(); events.again(); }
});
load();
