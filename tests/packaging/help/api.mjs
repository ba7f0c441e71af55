// SPDX-License-Identifier: MIT
// The functions of the package against a real server; npm.py runs it in a
// project, and counts the lines that it prints.
import { createRequire } from 'node:module';
import { MizzleError, binaryPath, migrate, plan, run, status, verify } from 'mizzle';

const { URL: url, SLEEP_URL, BROKEN_URL, DRIZZLE: dir, SLEEP, BROKEN } = process.env;
const check = (what, ok) => console.log(`${ok ? 'ok' : 'FAIL'} ${what}`);

async function failure(promise) {
  try {
    await promise;
  } catch (e) {
    return e;
  }
  return new Error('it did not fail');
}

const cjs = createRequire(import.meta.url)('mizzle');
check('require has the same functions as import', cjs.migrate === migrate && cjs.MizzleError === MizzleError);
check('binaryPath is a file of the package', binaryPath().endsWith('/@mizzle/linux-x64/bin/mizzle'));

const before = await status({ url, dir });
check('status counts before the first run', before.pending === 8 && before.applied === 0);
check('status lists every migration', before.migrations.length === 8 && before.migrations[0].tag === '0000_init');
const planned = await plan({ url: new URL(url), dir });
check('plan has an id, and takes a URL object', /^[0-9a-f]{12}$/.test(planned.plan) && planned.pending === 8);
const pending = await failure(verify({ url, dir }));
check('verify rejects what is pending, and has the counts', pending.code === 'pending' && pending.status === 7 && pending.result.pending === 8);

const events = [];
const done = await migrate({ url, dir, lockWait: '5s', to: '0006_handles_required', onEvent: (e) => events.push(e.event) });
check('migrate says how many it applied', done.ok && done.applied === 7 && done.pending === 1 && done.migrations.length === 7);
check('events come as they happen', events[0] === 'start' && events.filter((e) => e === 'migration').length === 7 && events.at(-1) === 'result');
const together = await Promise.all([1, 2, 3, 4].map(() => migrate({ url, dir })));
check('four at once apply it exactly once', together.reduce((n, o) => n + o.applied, 0) === 1);
const environment = await migrate({ env: { DATABASE_URL: url, MIZZLE_DIR: dir } });
check('variables can say it all', environment.applied === 0);
check('verify resolves when all is done', (await verify({ url, dir })).ok);
const ping = await run('ping', { url });
check('run takes other commands', ping.ok && ping.command === 'ping');
const checked = await run('check', { dir, failOn: 'warning' });
check('and their options', checked.checked === 8);

const sql = await failure(migrate({ url: BROKEN_URL, dir: BROKEN }));
check('a failure is a MizzleError', sql instanceof MizzleError && sql instanceof Error && sql.name === 'MizzleError');
check('it says where and why', sql.code === 'sql' && sql.status === 1 && sql.sqlstate === '42703' && sql.line === 2 && sql.column === 3 && sql.tag === '0001_bad');
check('its message is the server\'s', sql.message.includes('nowhere') && sql.summary.includes('nothing of it was kept'));
check('and it has what was done before', sql.result.applied === 1 && sql.result.migrations[0].tag === '0000_good');
const usage = await failure(run('migrate', { url, dir, lockWate: '5s' }));
check('a misspelt option is refused', usage.code === 'usage' && usage.status === 2 && usage.message.includes('lock-wate'));
const nowhere = await failure(migrate({ url, dir, binary: '/nowhere' }));
check('a program that is not there is said', nowhere.code === 'usage' && nowhere.message.includes('/nowhere') && nowhere.cause.code === 'ENOENT');
const thrown = await failure(migrate({ url, dir, onEvent() { throw new Error('mine'); } }));
check('what onEvent throws comes out at the end', thrown.message === 'mine');

const controller = new AbortController();
const running = failure(migrate({ url: SLEEP_URL, dir: SLEEP, signal: controller.signal }));
let sleeping = false;
for (const end = Date.now() + 60_000; !sleeping && Date.now() < end; ) {
  const looked = await run('locks', { url: SLEEP_URL });
  sleeping = looked.holders > 0;
}
controller.abort(new Error('enough'));
const aborted = await running;
check('an abort cancels, and rejects with its reason', sleeping && aborted.signal === 'SIGTERM' && aborted.status === 143 && aborted.cause.message === 'enough');
const early = await failure(migrate({ url, dir, signal: AbortSignal.abort(new Error('before')) }));
check('what was aborted before is not begun', early.message === 'before');
