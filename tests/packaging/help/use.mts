// SPDX-License-Identifier: MIT
// Compiled, not run: what people write, and what the types must refuse.
import { MizzleError, binaryPath, migrate, plan, run, status, verify } from 'mizzle';
import type { Event, MigrateOptions, MigrateOutcome } from 'mizzle';

const options: MigrateOptions = {
  url: new URL('postgresql://localhost/shop'),
  lockWait: 30,
  lockTimeout: '5s',
  transaction: 'each',
  signal: AbortSignal.timeout(1000),
  onEvent: (e: Event) => console.log(e.event),
};
const done: MigrateOutcome = await migrate(options);
const applied: number = done.applied;
const ms: number | undefined = done.migrations[0]?.ms;
const modified: number = (await status()).modified;
const id: string | undefined = (await plan({ to: '0001_x' })).plan;
const path: string = binaryPath();
await verify({ url: process.env.DATABASE_URL ?? '' });
await run('check', { failOn: 'warning' });
try {
  await migrate();
} catch (e) {
  if (e instanceof MizzleError && e.code === 'locked') console.log(e.line?.toFixed(), e.sqlstate);
}
console.log(applied, ms, modified, id, path);

// @ts-expect-error an option that there is not
await migrate({ lockWate: '5s' });
// @ts-expect-error one of two words
await migrate({ transaction: 'some' });
// @ts-expect-error status has no lock to wait for
await status({ lockWait: 1 });
