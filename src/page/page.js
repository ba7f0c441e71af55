// SPDX-License-Identifier: MIT
// The page of mizzle serve.  What others wrote (tags, SQL, messages) is only
// ever put in as text; the secret is in one variable, and nowhere else.

/* ---- small things */

const base = location.pathname.replace(/\/+$/, '');
const $ = id => document.getElementById(id);
const plain = o => o !== null && typeof o === 'object' && !Array.isArray(o) ? o : {};
const list = a => Array.isArray(a) ? a.map(plain) : [];
const number = n => (Number(n) || 0).toLocaleString('en');
const count = (n, word) => `${number(n)} ${word}${n === 1 ? '' : 's'}`;
const show = (id, shown) => { $(id).hidden = !shown; };

// What cannot be seen, or turns the direction of writing, is shown by number:
// a script must read as it runs.
const clean = v => String(v ?? '').replace(
	/[\0-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g,
	c => `\u2039U+${c.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}\u203a`);

function put(id, text) {
	const shown = clean(text);
	if ($(id).textContent !== shown) $(id).textContent = shown;
}

function h(name, attrs, ...inside) {
	const el = document.createElement(name);
	if (typeof attrs === 'string') el.className = attrs;
	else for (const key in attrs) if (attrs[key] != null) el.setAttribute(key, attrs[key]);
	for (const x of inside.flat())
		if (x || x === 0) el.append(x instanceof Node ? x : clean(x));
	return el;
}

function button(attrs, text, click) {
	const el = h('button', { type: 'button', ...attrs }, text);
	el.addEventListener('click', click);
	return el;
}

const facts = pairs => h('dl', '', pairs.filter(([, v]) => v != null && v !== '')
	.map(([k, v]) => h('div', '', h('dt', '', k), h('dd', '', v))));
const scroller = (kind, name, ...inside) => h('pre', { class: kind, tabindex: 0, role: 'group', 'aria-label': name }, ...inside);

// Rebuilds what is in el if what it is made of has changed.
function renew(el, what, make) {
	const same = JSON.stringify(what);
	if (el.same === same) return;
	el.same = same;
	el.replaceChildren(...make().filter(Boolean));
}

function span(ms) {
	const s = Math.floor(ms / 1000);
	return !(ms >= 1000) ? `${Math.round(ms) || 0} ms` : s < 10 ? `${(ms / 1000).toFixed(1)} s` :
		s < 60 ? `${s} s` : `${Math.floor(s / 60)} m ${String(s % 60).padStart(2, '0')} s`;
}

// PostgreSQL's "2026-11-28 15:47:02.43+00", or ISO's, or milliseconds.
function local(v, from, to) {
	const d = new Date(typeof v === 'number' ? v : String(v).replace(' ', 'T').replace(/[+-]\d\d$/, '$&:00'));
	return Number.isNaN(d.getTime()) ? clean(v) : d.toLocaleString('sv').slice(from, to);
}
const day = v => local(v, 0, 16);
const clock = v => local(v, 11, 19);

// To a screen reader, and not more often than it can be listened to.
function say(text, now) {
	const speak = () => { say.timer = 0; say.at = Date.now(); put('say', say.next); };
	say.next = text;
	if (now || !say.timer) {
		clearTimeout(say.timer);
		say.timer = setTimeout(speak, now ? 0 : Math.max(0, (say.at || 0) + 8000 - Date.now()));
	}
}

/* ---- the server */

let secret = '';
let skew = 0;	// its clock less ours, in ms

class Failure extends Error {
	constructor(status, body, wait) {
		const e = plain(body.error);
		super(e.message || `the server answered ${status}`);
		Object.assign(this, { status, body, wait, error: { ...e, message: this.message } });
	}
}

function headers(more) {
	const bytes = String.fromCharCode(...new TextEncoder().encode(secret));
	return { Accept: 'application/json', ...secret && { Authorization: 'Bearer ' + bytes }, ...more };
}

async function ask(path, body) {
	let res, said;
	try {
		res = await fetch(base + path, {
			cache: 'no-store', headers: headers(body && { 'Content-Type': 'application/json' }),
			...body && { method: 'POST', body: JSON.stringify(body) },
		});
		skew = (Date.parse(res.headers.get('Date')) || Date.now()) - Date.now();
		said = plain(await res.json().catch(() => null));
	} catch (e) {
		throw new Failure(0, { error: { message: `the server cannot be reached: ${e.message}` } });
	}
	if (!res.ok || said.ok !== true) throw new Failure(res.status, said, res.headers.get('Retry-After'));
	return said;
}

/* ---- signing in */

function signOut(why) {
	secret = '';
	round++;
	events.stop();
	clearTimeout(retry.timer);
	$('sure').close();
	for (const id of ['all', 'leave', 'reload']) show(id, false);
	show('signin', true);
	document.title = 'mizzle';
	put('signin-said', why);
	$('secret').setAttribute('aria-invalid', why !== '');
	$('secret').focus();
	$('secret').select();
}

async function signIn(e) {
	e.preventDefault();
	if ($('enter').disabled) return;
	secret = $('secret').value.trim();
	$('enter').disabled = true;
	put('signin-said');
	await load(true);
	$('enter').disabled = false;
}

function signedIn() {
	if (!$('all').hidden) return;
	if (!$('signin').hidden) $('top').focus();
	show('signin', false);
	$('secret').value = '';
	show('all', true);
	show('reload', true);
	show('leave', secret);
	events.start();
}

// Whether it ended in front of the door.
function turnedAway(e, typed) {
	const out = e.status === 401 || e.status === 429;
	if (e.status === 429) signOut(`${e.message}${e.wait ? `; try again in ${e.wait} s` : ''}`);
	else if (out) signOut(typed ? 'That secret was not accepted.' : secret ? 'The secret is no longer accepted.' : '');
	return out;
}

/* ---- what is so: the status and the plan */

let status = null, plan = null, unplanned = null;	// unplanned: why there is no plan
let round = 0, asked = 0;	// answers to older questions are not listened to
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
const waits = m => ['pending', 'out-of-order', 'partial'].includes(m.state);

async function load(typed) {
	const mine = ++round, going = run, told = body => { if (body.running === null) setTimeout(lost, 3000, going); };
	clearTimeout(retry.timer);
	try {
		const got = await ask('/status');
		if (mine !== round) return;
		told(got);
		retry.n = 0;
		show('problem', false);
		put('asof', `As of ${clock(Date.now())}. Times are local. Newest first.`);
		took(got);
		await loadPlan();
	} catch (e) {
		if (!(e instanceof Failure)) throw e;
		told(e.body);
		if (mine === round && !turnedAway(e, typed)) failed(e);
	}
}

// The server knows of no run, and the stream has not told how this one ended:
// it was that of a process that is no more.
function lost(going) {
	if (run !== going || !going?.going) return;
	run.going = false;
	showRun();
	showPlan();
}

function took(got) {
	status = { ...got, runs: list(got.runs), migrations: list(got.migrations).map(m => ({ ...m, tag: clean(m.tag), real: m.real ?? m.tag,
		state: Object.hasOwn(states, m.state) ? m.state : 'pending' })) };
	signedIn();
	show('sum', got.result);
	show('list', got.result);
	show('role', got.may_migrate === false);
	if (got.running && !events.live) soonAgain();
	showCounts();
	showRows();
	showRuns();
	showWishes();
	showPlan();
}

async function loadPlan() {
	const mine = ++asked, to = $('to').value;
	let got = null, not = null;
	if (plan) plan.old = true;
	if (!status.running && status.migrations.some(m => m.state !== 'applied' && m.state !== 'eol')) {
		showPlan();
		try { got = await ask(to ? `/plan?to=${encodeURIComponent(to)}` : '/plan'); } catch (e) { not = e; }
	}
	if (mine !== asked || not && turnedAway(not)) return;
	plan = got && { ...plain(got.result), to, migrations: list(got.migrations) };
	unplanned = not;
	if (not && not.status !== 422) soonAgain();
	showPlan();
}

function soonAgain() {
	clearTimeout(retry.timer);
	retry.timer = setTimeout(load, 5000);
}

// No status: why, and when it is asked again.  While a run holds its lock on
// the history nobody can read it; then what was known before has to do.
function failed(e) {
	const { running, runs = status?.runs, may_migrate = status?.may_migrate } = e.body, own = e.status === 409 && running;
	plan = null;
	unplanned = own ? null : e;
	show('problem', !own);
	took({ migrations: [], ...status, running, runs, may_migrate });
	if (own) return;
	put('problem-h', !e.status ? 'No connection to the server' : e.status === 503 ? 'No connection to the database' :
		e.status === 409 ? 'Another migrator is at work' : 'The state cannot be shown');
	$('problem-body').replaceChildren(errorView(e.error));
	say(`${$('problem-h').textContent}: ${e.message}`, true);
	retry.at = Date.now() + Math.min(30, 2 ** ++retry.n) * 1000;
	countdown();
}

function countdown() {
	clearTimeout(retry.timer);
	const left = Math.ceil((retry.at - Date.now()) / 1000);
	put('again-in', left > 0 ? `by itself in ${left} s` : 'trying \u2026');
	if (left > 0) retry.timer = setTimeout(countdown, 1000);
	else load();
}

/* ---- the counts and the list */

const rows = new Map();	// tag -> its row
let only = '';	// the one state that is shown

function showCounts() {
	const n = {};
	for (const m of status.migrations) n[m.state] = (n[m.state] || 0) + 1;
	if (!n[only]) only = '';
	for (const b of $('counts').children) {
		const s = b.dataset.state;
		b.hidden = !n[s] && s !== 'applied' && s !== 'pending';
		b.disabled = !n[s];
		b.setAttribute('aria-pressed', only === s);
		b.firstChild.textContent = number(n[s]);
	}
	for (const part of $('bar').children) {
		part.style.flexGrow = n[part.dataset.state];
		part.hidden = !n[part.dataset.state];
	}
	titled();
}

const symbol = s => h('span', { class: 'sym', 'aria-hidden': 'true' }, states[s][0]);

function pick(s) {
	only = only === s ? '' : s;
	showCounts();
	filter();
}

function showRows() {
	const old = new Set(rows.keys()), order = [];
	status.migrations.forEach((m, i) => {
		if (!rows.has(m.tag)) rows.set(m.tag, newRow());
		old.delete(m.tag);
		fillRow(rows.get(m.tag), m, i + 1);
		order.unshift(rows.get(m.tag).el);
	});
	for (const tag of old) { rows.get(tag).el.remove(); rows.delete(tag); }
	order.forEach((el, i) => {
		const at = $('rows').children[i] ?? null;
		if (at !== el) $('rows').insertBefore(el, at);
	});
	filter();
}

function newRow() {
	const row = {}, id = `m${newRow.n = (newRow.n || 0) + 1}`;
	row.body = h('div', { class: 'body', id, hidden: '' });
	row.head = button({ class: 'head', 'aria-expanded': 'false', 'aria-controls': id }, '', () => openRow(row, row.body.hidden));
	row.el = h('li', 'row', row.head, row.body);
	return row;
}

function fillRow(row, m, nth) {
	const note = m.note || states[m.state][1], other = row.m?.hash !== m.hash;
	Object.assign(row, { m, name: m.tag.toLowerCase() });
	row.el.dataset.state = m.state;
	renew(row.head, [m, nth], () => [
		h('span', { class: 'nth num', 'aria-hidden': 'true' }, nth), h('span', 'state', symbol(m.state), ` ${m.state}`), h('span', 'tag mono', m.tag),
		m.recorded_at && h('span', { class: 'when num', title: clean(m.recorded_at) }, day(m.recorded_at)), note && h('span', 'note', note)]);
	if (other && !row.body.hidden) fillBody(row);
}

function filter() {
	const words = $('find').value.toLowerCase().split(/\s+/), all = status.migrations.length;
	let n = 0;
	for (const row of rows.values()) {
		const m = row.m, fits = (!only || m.state === only) && words.every(w => row.name.includes(w) || w.length > 5 && m.hash?.startsWith(w));
		if (row.el.hidden === fits) row.el.hidden = !fits;
		n += fits;
	}
	put('shown', n === all ? `${number(all)} in all` : `${number(n)} of ${number(all)} shown`);
	show('no-rows', !n);
	put('no-rows', all ? 'None of that name or state.' : 'The folder holds no migration, and none is recorded.');
	show('find', all > 1);
}

function openRow(row, open) {
	row.body.hidden = !open;
	row.head.setAttribute('aria-expanded', open);
	if (open) fillBody(row);
}

// From the plan to the script.
function goTo(tag) {
	const row = rows.get(clean(tag));
	if (!row) return;
	if (row.el.hidden) { only = $('find').value = ''; showCounts(); filter(); }
	openRow(row, true);
	row.head.focus();
	row.el.scrollIntoView();
}

/* ---- a script */

const scripts = new Map();	// tag and hash -> promise of its SQL
// Comment, string, word in capitals.  What is not closed goes to the end, so
// that each character is read once.
const token = /(--[^\n]*|\/\*[^]*?(?:\*\/|$))|(\b[eE]'(?:[^'\\]|\\[^]|'')*(?:'|$)|'[^']*(?:'|$)|\$([a-z_]\w*|)\$[^]*?(?:\$\3\$|$))|"[^"]*(?:"|$)|\b[A-Z]{2,}\b/g;

function script(tag, hash) {
	const key = `${tag}\n${hash}`;
	if (!scripts.has(key)) {
		const answer = ask('/sql?tag=' + encodeURIComponent(tag));
		answer.catch(() => scripts.delete(key));
		scripts.set(key, answer);
	}
	return scripts.get(key);
}

async function lineOf(tag, hash, line) {
	const sql = await script(tag, hash).catch(() => null);
	return sql?.text?.split('\n', line)[line - 1] ?? '';
}

async function fillBody(row) {
	const m = row.m, head = facts([['hash', m.hash], ['recorded hash', m.recorded_hash !== m.hash ? m.recorded_hash : ''],
		['applied', m.recorded_at], ['written', m.when > 1577836800000 ? day(m.when) : '']]);
	row.body.replaceChildren(head);
	if (m.state === 'missing') return;
	try {
		const sql = await script(m.real, m.hash);
		if (row.m === m || row.m.hash === m.hash) row.body.replaceChildren(head, ...scriptView(sql, m.tag));
	} catch (e) {
		if (!turnedAway(e)) row.body.replaceChildren(head, errorView(e.error));
	}
}

const color = z => z.destructive ? 'bad' : 'warn';
const flag = z => h('span', 'flag', z.destructive ? 'destructive' : 'note');
const hazardText = z => `${z.statement}: ${z.reason}`;

function scriptView(sql, tag) {
	const hazards = list(sql.hazards), pre = scroller('sql', `SQL of ${tag}`, codeOf(String(sql.text ?? ''), hazards));
	const go = z => {
		pre.querySelector(`[data-n="${Number(z.line)}"]`)?.scrollIntoView({ block: 'center' });
		pre.focus({ preventScroll: true });
	};
	return [
		h('ul', '', hazards.map(z => h('li', color(z), flag(z), ' ', z.line && button({ class: 'link num' }, `line ${z.line}`, () => go(z)), ' ', hazardText(z)))),
		h('p', 'mono dim cut', sql.file), pre,
		sql.truncated ? h('p', 'warn', 'The script is longer than this: only its beginning is shown.') : '',
	];
}

// Lines, in blocks that are laid out when they come into view.
function codeOf(text, hazards) {
	const code = h('code'), lines = text.split('\n'), at = new Map();
	for (const z of hazards) at.set(z.line, [...at.get(z.line) ?? [], z]);
	let line, block, n = 0;
	const next = () => {
		if (n % 200 === 0) code.append(block = h('span', 'block'));
		block.append(line = h('span', { class: 'l', 'data-n': ++n }));
	};
	const end = () => at.get(n)?.forEach(z => {
		line.classList.add(color(z) === 'bad' ? 'hit-bad' : 'hit');
		block.append(h('span', `why ${color(z)}`, `${blanks(lines[n - 1], z.column)}^ ${hazardText(z)}`));
	});
	const write = (s, kind) => s.split('\n').forEach((part, i) => {
		if (i) { end(); next(); }
		part = part.replace(/\r$/, '');
		if (part) line.append(kind ? h('span', kind, part) : clean(part));
	});
	next();
	paint(text, write);
	end();
	return code;
}

// As wide as what stands before the column.
const blanks = (source, column) => [...source].slice(0, Math.max(0, column - 1)).map(c => c === '\t' ? c : clean(c).replace(/./gu, ' ')).join('');

function paint(text, write) {
	let done = 0;
	for (const t of text.length < 400000 ? text.matchAll(token) : []) {
		if (t[0][0] === '"') continue;
		write(text.slice(done, t.index));
		write(t[0], t[1] ? 'c' : t[2] ? 's' : 'k');
		done = t.index + t[0].length;
	}
	write(text.slice(done));
}

/* ---- an error, as the command line shows it */

function errorView(e) {
	const place = [e.file, e.line, e.column].filter(x => x != null).join(':');
	return h('div', 'error', e.summary && h('p', 'strong', e.summary), place && h('p', 'mono dim', `--> ${place}`), excerpt(e),
		h('p', e.summary ? 'mono' : 'strong', e.sqlstate && h('b', 'bad', `${e.sqlstate} `), e.message),
		facts([['detail', e.detail], ['server\u2019s hint', e.server_hint], ['context', e.context], ['hint', e.hint]]));
}

function excerpt(e) {
	if (e.source == null && e.tag && e.line) {
		const later = h('div');
		lineOf(e.tag, '', e.line).then(source => source && later.replaceWith(excerpt({ ...e, source })));
		return later;
	}
	if (e.source == null) return '';
	const source = String(e.source).replace(/[\r\n]+$/, ''), nth = clean(e.line);
	const caret = h('b', 'bad', '^'), pre = scroller('excerpt', 'Source', h('span', 'dim', `${nth} | `), source, '\n',
		e.column > 0 && [h('span', 'dim', `${' '.repeat(nth.length)} | `), blanks(source, e.column), caret]);
	setTimeout(() => { if (caret.offsetLeft > pre.clientWidth - 20) pre.scrollLeft = caret.offsetLeft - pre.clientWidth / 2; });
	return pre;
}

/* ---- the plan */

const ways = { own: 'in a transaction of its own', shared: 'in the one transaction', none: 'outside of a transaction' };
const nothing = 'Nothing is pending.';
let posting = false;

// Why the button does nothing, or ''.
function reason() {
	if (run?.going || posting || status.running) return 'A run is under way.';
	if (unplanned) return 'There is no plan.';
	if (plan?.old || !plan && status.migrations.some(waits)) return 'Reading the plan \u2026';
	if (!plan?.pending) return nothing;
	return status.may_migrate === false ? 'This secret may look, but not migrate: sign in with one that may.' : '';
}

function showWishes() {
	const tags = status.migrations.filter(waits).map(m => m.real), to = $('to'), was = to.value;
	show('wish', tags.length > 1);
	renew(to, tags, () => [h('option', { value: '' }, 'the last'), ...tags.map(t => h('option', { value: t }, t))]);
	to.value = tags.includes(was) ? was : '';
}

function showPlan() {
	if (!status) return;
	const n = plan?.pending || 0, bad = plan?.destructive, why = reason(), lost = $('problem').hidden ? unplanned : null;
	put('plan-h', n ? `Next: ${count(n, 'migration')}` : why === nothing ? 'Up to date' : 'Next');
	show('migrate', n || lost);
	put('migrate', n ? `Migrate ${number(n)}` : 'Migrate');
	$('migrate').setAttribute('aria-disabled', why !== '');
	$('migrate').classList.toggle('risky', bad > 0);
	put('why', why || `${bad ? `${count(bad, 'statement')} ${bad === 1 ? 'is' : 'are'} destructive; you are asked once more. ` : ''}Plan ${plan.plan}.`);
	show('steps', n || lost);
	renew($('steps'), [lost?.error, plan?.migrations], () => lost ? [h('li', '', errorView(lost.error))] : (plan?.migrations ?? []).map(step));
}

function step(m) {
	const way = Object.hasOwn(ways, m.transaction) ? m.transaction : 'own';
	return h('li', `step ${way}`, button({ class: 'link mono' }, m.tag, () => goTo(m.tag)),
		h('span', 'dim', ` ${count(m.statements, 'statement')} ${ways[way]}${m.note ? `; ${m.note}` : ''}`),
		list(m.hazards).map(z => h('div', color(z), flag(z), ` ${z.line ? `line ${z.line}: ` : ''}${hazardText(z)}`)));
}

function showSaid(kind, ...what) {
	$('said').className = `box ${kind}`;
	$('said').replaceChildren(...what);
	show('said', what.length);
	if (what.length) say($('said').textContent, true);
}

/* ---- migrating */

async function migrate() {
	if (reason()) return;
	const seen = plan;
	let failure = null, got = {};
	showSaid('');
	if (seen.destructive && !await sure(seen) || reason()) return;
	const before = run;
	posting = true;
	showPlan();
	try {
		got = await ask('', { ...seen.to && { to: seen.to }, approve: seen.plan, require_approval: true });
	} catch (e) {
		failure = e;
	}
	// The stream tells it, too, unless it is cut off.
	for (let i = 0; i < 20 && events.live && !(run !== before && run?.result) && (!failure || failure.body.result); i++)
		await new Promise(done => setTimeout(done, 100));
	posting = false;
	if (failure && turnedAway(failure)) return;
	if (!failure || failure.body.result) conclude(before, failure?.body ?? got);
	await load();
	if (failure && status) explain(failure, seen, before);
}

// From the answer, what the stream has not told.
function conclude(before, got) {
	if (run !== before && run?.result) return;
	if (run === before) {
		run = newRun({});
		list(got.migrations).forEach(m => heard.migration(m));
	}
	list(got.notices).forEach(n => heard.notice(n));
	if (got.error) run.error = plain(got.error);
	heard.result(plain(got.result), true);
}

function explain(e, seen, before) {
	if (e.status === 409 && status.running) {
		events.again();
		showSaid('warn', 'A run was under way already: this is it. Nothing else was begun.');
	} else if (!e.status) {
		showSaid('warn', 'The connection broke. A run that had begun goes on at the server.');
	} else if (e.error.code === 'refused' && plan?.plan !== seen.plan) {
		if (run !== before) { run = null; showRun(); }
		changed(seen.migrations, plan?.migrations ?? []);
	} else if (run === before) {
		showSaid('bad-box', errorView(e.error));
	}
}

function changed(old, now) {
	const had = new Map(old.map(m => [m.tag, m.hash])), has = new Set(now.map(m => m.tag));
	const items = [...now.filter(m => had.get(m.tag) !== m.hash).map(m => had.has(m.tag) ? `\u2260 ${m.tag} has another text` : `+ ${m.tag} is new`),
		...old.filter(m => !has.has(m.tag)).map(m => `\u2212 ${m.tag} is no longer pending`)];
	showSaid('warn', h('p', 'strong', 'The plan has changed since you looked, so nothing was run.'),
		h('ul', 'mono', items.map(x => h('li', '', x))), items.length ? '' : 'The migrations are the same, the history is not. ', 'Look at it as it is now, and migrate again.');
	$('said').focus();
}

// Asks once more, with each statement that destroys by its name.
function sure(seen) {
	const bad = seen.migrations.flatMap(m => list(m.hazards).filter(z => z.destructive).map(z => ({ ...z, m })));
	put('sure-h', `${count(seen.destructive, 'statement')} ${seen.destructive === 1 ? 'destroys' : 'destroy'} data`);
	put('sure-text', `This is plan ${seen.plan}, ${count(seen.pending, 'migration')}. What these remove comes back from a backup only.`);
	put('sure-yes', `Migrate ${number(seen.pending)} and destroy`);
	$('sure-list').replaceChildren(...bad.slice(0, 200).map(z => {
		const code = h('code');
		const from = Math.max(0, z.column - 150);
		lineOf(z.m.tag, z.m.hash, z.line).then(line => code.append(clean(line.slice(from, from + 300).trim())));
		return h('li', '', h('b', 'bad', z.statement), ` ${z.reason} `, h('span', 'dim mono', `${z.m.tag}:${z.line ?? ''}`), code);
	}), bad.length > 200 ? `and ${bad.length - 200} more` : '');
	$('sure').returnValue = '';
	$('sure').showModal();
	return new Promise(done => $('sure').addEventListener('close', () => done($('sure').returnValue === 'yes'), { once: true }));
}

/* ---- events: a stream read by fetch, as EventSource sends no secret */

const events = {
	live: false, id: '', fails: 0,

	start() { this.stop(); this.id = ''; this.fails = 0; this.open(); },
	stop() { this.stopper?.abort(); this.stopper = null; clearTimeout(this.timer); this.shows(false, ''); },
	again() { if (!this.live) { this.stop(); this.open(); } },

	shows(live, text) {
		this.live = live;
		$('live').dataset.on = live;
		put('live', text);
	},

	async open() {
		const stopper = this.stopper = new AbortController(), mine = () => stopper === this.stopper;
		try {
			const res = await fetch(base + '/events', { cache: 'no-store', signal: stopper.signal,
				headers: headers({ Accept: 'text/event-stream', ...this.id && { 'Last-Event-ID': this.id } }) });
			if (mine() && res.status === 401) { turnedAway(res); return; }
			if (!mine() || !res.ok) throw res.status;
			if (this.fails) load();
			this.fails = 0;
			this.shows(true, '\u25cf live');
			await this.read(res.body.getReader(), mine);
		} catch { /* and again */ }
		if (!mine()) return;
		this.shows(false, '\u25cb reconnecting');
		this.timer = setTimeout(() => this.open(), Math.min(30, 2 ** this.fails++) * (750 + Math.random() * 500));
	},

	// A comment comes every 15 s; three of them missing, and it is dead.
	async read(reader, mine) {
		const decoder = new TextDecoder();
		for (let rest = ''; rest.length < 1e7;) {
			const quiet = setTimeout(() => reader.cancel(), 45000);
			const { done, value } = await reader.read().finally(() => clearTimeout(quiet));
			if (done || !mine()) return;
			const blocks = (rest + decoder.decode(value, { stream: true })).split(/\r?\n\r?\n/);
			rest = blocks.pop();
			blocks.forEach(b => this.take(b));
		}
		reader.cancel();
	},

	take(block) {
		const f = { event: '', data: '' };
		for (const line of block.split(/\r?\n/)) {
			const at = line.indexOf(':');
			if (at > 0) f[line.slice(0, at)] = line.slice(at + 1).replace(/^ /, '');
		}
		this.id = f.id ?? this.id;
		if (f.data && Object.hasOwn(heard, f.event)) try { heard[f.event](plain(JSON.parse(f.data))); } catch (e) { console.error(e); }
	},
};

/* ---- a run, as it is heard of */

let run = null;

function newRun(d) {
	$('log').replaceChildren();
	return { run: d.run, begun: Date.parse(d.started) || Date.now() + skew, going: true, pending: 0, done: 0,
		at: {}, blocker: null, waiting: null, error: null, result: null, log: [] };
}

function current(more) {
	if (!run?.going) run = newRun({});
	Object.assign(run, more);
	soon();
}

function note(kind, ...text) {
	if (run.log.push([kind, ...text]) > 2000) run.log.splice(0, 1000);
}

const calm = { blocker: null, waiting: null };
const heard = {
	run(d) {
		run = newRun(d);
		current();
		showPlan();
		say('A run began.', true);
	},
	start(d) {
		current({ pending: d.pending, waiting: null });
		note('dim', `${count(d.pending, 'migration')} of ${number(d.total)} in ${d.dir}`);
	},
	begin(d) { current({ at: d }); },
	statement(d) {
		current();
		note('dim', `line ${d.line}  ${d.text}  ${span(d.ms)}`);
	},
	progress(d) {
		current({ at: d, waiting: null });
		run.blocker = !d.blocked_by ? null : run.told?.pid === d.blocked_by ? run.told : { pid: d.blocked_by };
	},
	blocked(d) {
		current({ blocker: d, told: d });
		const who = [`pid ${d.pid}`, d.user, d.application, d.state].filter(Boolean).join(', ');
		note('warn', `blocked by ${who}`);
		say(`Blocked by ${who}`, true);
	},
	unblocked() {
		current(calm);
		note('', 'no longer blocked');
		say('No longer blocked.');
	},
	waiting(d) {
		if (run?.waiting?.message !== d.message) { current(); note('warn', `waiting: ${d.message}`); }
		current({ waiting: d });
		say(`Waiting: ${d.message}`);
	},
	migration(d) {
		current(calm);
		run.done++;
		run.at = {};
		note('good', `\u2713 ${d.tag}  ${count(d.statements, 'statement')}  ${span(d.ms)}`);
		say(`${run.done} of ${run.pending || run.done} migrations done.`);
		const i = status ? status.migrations.findIndex(m => m.real === d.tag) : -1;
		if (i >= 0 && d.state === 'applied') {
			status.migrations[i] = { ...status.migrations[i], state: 'applied', note: null };
			fillRow(rows.get(clean(d.tag)), status.migrations[i], i + 1);
		}
	},
	notice(d) {
		current();
		note('warn', `${d.severity}: ${d.message}`, d.detail && `detail: ${d.detail}`, d.hint && `hint: ${d.hint}`);
	},
	error(d) { current({ error: d }); },
	result(d) {
		current({ ...calm, going: false, result: d });
		say(d.ok ? `${count(d.applied, 'migration')} applied.` : `The run failed: ${run.error?.summary ?? run.error?.message ?? d.code}`, true);
		if (!posting) { showSaid(''); load(); }
	},
};

// A few times a second, however much is heard.
function soon() {
	soon.timer ??= setTimeout(() => {
		soon.timer = null;
		showRun();
		if (status) { showCounts(); filter(); }
	}, 80);
}

function titled() {
	const n = status?.migrations.filter(waits).length;
	document.title = (run?.going ? `\u25b6 ${run.done}/${run.pending} ${clean(run.at.tag)} \u00b7 ` : run?.error ? '\u2717 failed \u00b7 ' : n ? `${n} pending \u00b7 ` : '') + 'mizzle';
}

function showRun() {
	show('run', run);
	if (!run) return;
	const is = run.going ? 'running' : !run.result ? 'ended' : run.result.ok ? 'done' : 'failed';
	put('run-h', `Run ${run.run ?? ''}`);
	put('run-chip', is);
	$('run-chip').dataset.is = is;
	show('run-live', run.going);
	if (run.going) showLive();
	showWait();
	renew($('run-end'), [run.run, run.error, run.result], () => [run.error && errorView(run.error), run.result && h('p', 'dim', outcome(run.result))]);
	showLog();
	tick();
	titled();
}

function showLive() {
	const at = run.at, n = at.statements > 0 ? at.statements : 1, measured = at.percent != null;
	put('run-nth', run.pending ? `migration ${Math.min(run.done + 1, run.pending)} of ${number(run.pending)}` : 'beginning \u2026');
	put('run-of', at.statement ? `statement ${at.statement} of ${at.statements}` : '');
	$('run-bar').max = run.pending || 1;
	$('run-bar').value = run.done + ((at.statement || 1) - 1) / n;
	put('run-tag', at.tag);
	put('run-text', at.text && `${at.line ?? ''} | ${at.text}`);
	show('run-phase', at.phase || measured);
	put('phase-name', at.phase);
	put('phase-percent', measured ? `${at.percent} %` : '');
	show('phase-bar', measured);
	$('phase-bar').value = Number(at.percent) || 0;
}

function showWait() {
	const b = run.blocker ?? run.waiting;
	show('run-wait', b);
	renew($('run-wait'), [run.run, b], () => !b ? [] : [
		h('p', 'strong', run.blocker ? 'Blocked by another session' : b.pid ? 'Waiting for another migrator' : 'Waiting'), !b.pid && h('p', '', b.message),
		facts([['pid', b.pid], ['user', b.user], ['application', b.application], ['address', b.address], ['state', b.state],
			['since', b.since && clock(b.since)], ['waits for', Array.isArray(b.blocked_by) ? b.blocked_by.join(', ') : '']]),
		b.query && scroller('excerpt', 'Its query', b.query),
		run.blocker && Number.isInteger(b.pid) && h('p', 'dim', 'To end it: ', h('code', '', `SELECT pg_terminate_backend(${b.pid})`))]);
}

const outcome = r => [r.applied != null && `${count(r.applied, 'migration')} applied`, r.pending > 0 && `${number(r.pending)} pending`,
	r.ms != null && span(r.ms), r.round_trips && count(r.round_trips, 'round trip')].filter(Boolean).join(' \u00b7 ');

// The newest thousand lines; who is at its end stays there.
function showLog() {
	const log = $('log'), end = log.scrollTop + log.clientHeight > log.scrollHeight - 5;
	for (const [kind, ...text] of run.log.splice(0)) log.append(h('li', kind, text.filter(Boolean).join('\n')));
	while (log.children.length > 1000) log.firstChild.remove();
	show('log', log.firstChild);
	if (end) log.scrollTop = log.scrollHeight;
}

function tick() {
	clearTimeout(tick.timer);
	if (run?.going) tick.timer = setTimeout(tick, 1000);
	put('run-time', run?.going ? span(Math.max(1000, Date.now() + skew - run.begun)).replace(/\.\d/, '') : run?.result ? span(run.result.ms) : '');
}

/* ---- the runs of this process */

function showRuns() {
	const open = new Set([...$('runs').querySelectorAll('[open]')].map(d => d.dataset.run));
	show('no-past', !status.runs.length);
	show('runs', status.runs.length);
	renew($('runs'), status.runs, () => status.runs.map((p, i) => {
		const r = plain(p.result), ok = r.ok === true;
		const opened = open.has(String(p.run)) || !i && !ok && run?.run !== p.run;
		return h('li', '', h('details', { 'data-run': p.run, open: opened ? '' : null },
			h('summary', '', h('span', ok ? 'good' : 'bad', ok ? '\u2713 done' : '\u2717 failed'), ` run ${p.run} `,
				h('span', 'dim num', `${clock(p.started)} \u00b7 ${number(r.applied)} applied \u00b7 ${span(r.ms)}`)),
			p.error && errorView(plain(p.error)), h('p', 'dim', `${day(p.started)} to ${clock(p.ended)} \u00b7 ${outcome(r)}`)));
	}));
}

/* ---- begin */

put('where', location.host + base);
for (const s in states) {
	$('counts').append(button({ class: 'count', 'data-state': s }, [h('b', 'num'), ' ', symbol(s), ` ${s}`], () => pick(s)));
	$('bar').append(h('span', { 'data-state': s }));
}
$('signin').addEventListener('submit', signIn);
$('leave').addEventListener('click', () => location.reload());	// forgets it all
$('reload').addEventListener('click', () => { showSaid(''); load(); });
$('again').addEventListener('click', () => load());
$('migrate').addEventListener('click', migrate);
$('sure-no').addEventListener('click', () => $('sure').close());
$('sure-yes').addEventListener('click', () => $('sure').close('yes'));
$('find').addEventListener('input', filter);
$('to').addEventListener('change', loadPlan);
document.addEventListener('visibilitychange', () => {
	if (!status || run?.going || posting || !$('signin').hidden) return;
	if (document.hidden) events.stop();	// a browser has few connections to one host
	else { load(); events.again(); }
});
load();
