// SPDX-License-Identifier: MIT
// A real Chromium, what the tests ask of it, and what must be so of each page
// whatever is tested: no error of a script, nothing that the policy forbids,
// nothing stored.
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const from = createRequire((process.env.WEB_HOME ?? process.cwd()) + '/');
const program = process.env.CHROMIUM ?? '/usr/bin/chromium';
const tally = { passed: 0, failed: 0 };
let axe, chromium;

export function check(what, ok, more = '') {
	tally[ok ? 'passed' : 'failed']++;
	if (!ok) console.log(`FAILED: ${what}${more ? `: ${more}` : ''}`);
	return ok;
}

export function same(what, got, wanted) {
	return check(what, got === wanted, `${JSON.stringify(got)} instead of ${JSON.stringify(wanted)}`);
}

export function has(what, text, ...parts) {
	for (const part of parts)
		check(`${what}: ${part}`, text.includes(part), `not in ${JSON.stringify(text.slice(0, 500))}`);
}

export function finish() {
	console.log(`${tally.passed} passed, ${tally.failed} failed`);
	process.exit(tally.failed ? 1 : 0);
}

export function skip(why) {
	console.log(why);
	process.exit(77);
}

// All of them, or status 77.
export async function launch() {
	if (!existsSync(program)) skip('no chromium here');
	try {
		({ chromium } = from('playwright-core'));
		axe = readFileSync(from.resolve('axe-core/axe.min.js'), 'utf8');
	} catch {
		skip('no playwright-core and axe-core here: WEB_HOME names where they are installed');
	}
	return chromium.launch({ executablePath: program, args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
		'--disable-background-networking', '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage'] });
}

// The files of the page as they are now, in place of those in the program.
function ours(tab) {
	const types = { 'index.html': 'text/html', 'page.js': 'text/javascript', 'page.css': 'text/css' };
	return tab.route(/./, async route => {
		const r = route.request(), file = r.isNavigationRequest() ? 'index.html' : new URL(r.url()).search.slice(1);
		if (!Object.hasOwn(types, file)) { await route.fallback(); return; }
		await route.fulfill({ path: `${process.env.PAGE_FILES}/${file}`, contentType: types[file],
			headers: { 'content-security-policy': "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'" } });
	});
}

// A page, and what it said and did meanwhile.
export class Page {
	static async open(browser, url, options = {}) {
		const context = await browser.newContext({ viewport: { width: 1400, height: 900 }, colorScheme: 'dark', ...options });
		const tab = await context.newPage(), it = Object.assign(new Page(), { context, tab, url, errors: [], posts: [], streams: [] });
		tab.setDefaultTimeout(30000);
		tab.on('pageerror', e => it.errors.push(String(e)));
		tab.on('console', m => {
			if (/Content Security Policy|Refused to/.test(m.text()) || m.type() === 'error' && !/Failed to load resource/.test(m.text())) it.errors.push(m.text());
		});
		tab.on('dialog', d => { it.errors.push(`a dialog: ${d.message()}`); d.dismiss(); });
		tab.on('request', r => {
			if (!r.url().startsWith(new URL(url).origin + '/') && !r.url().startsWith('data:')) it.errors.push(`it asked for ${r.url()}`);
			if (r.method() === 'POST') it.posts.push(r.postDataJSON());
			if (r.url().endsWith('/events')) it.streams.push(r.headers()['last-event-id'] ?? '');
		});
		await context.addInitScript(() => {
			window.violations = [];
			document.addEventListener('securitypolicyviolation', e => window.violations.push(`${e.violatedDirective} ${e.blockedURI} ${e.sample}`));
		});
		if (process.env.PAGE_FILES) await ours(tab);
		if (options.before) await options.before(it);
		await tab.goto(url);
		return it;
	}

	$(selector) { return this.tab.locator(selector); }
	// What comes into view is laid out in the next frame, and has no innerText before.
	async text(selector) {
		await this.tab.evaluate(() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done))));
		return this.$(selector).first().innerText();
	}

	shown(selector) { return this.$(selector).isVisible(); }
	focused() { return this.tab.evaluate(() => document.activeElement?.id || document.activeElement?.tagName); }
	press(...keys) { return keys.reduce((before, key) => before.then(() => this.tab.keyboard.press(key)), Promise.resolve()); }

	// Until selector is seen with this in its text.
	async until(selector, part = '') {
		await this.$(selector).filter({ hasText: part }).first().waitFor();
		return this.text(selector);
	}

	async gone(selector) { await this.$(selector).waitFor({ state: 'hidden' }); }

	async signIn(secret) {
		await this.until('#signin');
		await this.tab.fill('#secret', secret);
		await this.tab.click('#enter');
	}

	// What was asked last is answered, and shown.
	async settled() {
		await this.tab.waitForFunction(() => document.getElementById('why').textContent && !/Reading the plan/.test(document.getElementById('why').textContent));
	}

	async accessible(name) {
		await this.tab.evaluate(axe);
		const found = await this.tab.evaluate(() => window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }));
		check(`axe-core: ${name}`, found.violations.length === 0 && found.passes.length > 5,
			JSON.stringify(found.violations.map(v => [v.id, v.nodes.map(n => `${n.html.slice(0, 120)} ${n.any.map(a => a.message).join(' ')}`)])));
	}

	async fits(name) {
		const over = await this.tab.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
		check(`no scrolling to the side: ${name}`, over <= 0, `${over} px`);
	}

	// The end of a page: all that must be so of every one.
	async close(name) {
		const left = await this.tab.evaluate(async () => ({
			stored: localStorage.length + sessionStorage.length + document.cookie.length + (await indexedDB.databases()).length + (await caches?.keys() ?? []).length,
			violations: window.violations, hit: window.hit,
		}));
		const cookies = await this.context.cookies();
		check(`${name}: no error`, this.errors.length === 0, this.errors.join('; '));
		check(`${name}: the policy is kept`, left.violations.length === 0, left.violations.join('; '));
		check(`${name}: nothing is stored`, left.stored === 0 && cookies.length === 0);
		check(`${name}: nothing foreign has run`, left.hit === undefined);
		await this.context.close();
	}
}
