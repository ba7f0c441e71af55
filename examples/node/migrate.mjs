// SPDX-License-Identifier: MIT
// Migrates by the program mizzle, as a child process.  Works wherever
// node:child_process does; the program is that of the npm package mizzle
// (scripts that npm starts find it), of PATH, or what MIZZLE names.
//
//   import { migrate } from './migrate.mjs';
//   const { applied } = await migrate({ url: process.env.DATABASE_URL });
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

export class MigrationError extends Error {
  // code is the name of an exit status (sql, usage, connect, locked, ...), or
  // cancelled.
  constructor(event) {
    super(event.summary ?? event.message);
    this.name = 'MigrationError';
    this.code = event.signal ? 'cancelled' : event.code;
    this.sqlstate = event.sqlstate;
    this.tag = event.tag;
    this.file = event.file;
    this.line = event.line;
    this.column = event.column;
    this.hint = event.hint;
    if (event.summary) this.cause = new Error(event.message);
  }
}

// onEvent gets each line of `mizzle migrate --json`: see mizzle(1).  An
// AbortSignal ends a migration that runs: it is cancelled and rolled back.
export async function migrate({
  url,
  dir = 'drizzle',
  wait = '60s',
  lockTimeout = '5s',
  onEvent = () => {},
  signal,
  program = process.env.MIZZLE ?? 'mizzle',
}) {
  signal?.throwIfAborted();
  // The URL has a password in it: others can see arguments, not variables.
  const child = spawn(
    program,
    ['migrate', '--json', '--quiet', '--dir', dir, '--wait', wait, '--lock-timeout', lockTimeout],
    { env: { ...process.env, DATABASE_URL: url }, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const ended = new Promise((resolve, reject) => {
    child.on('error', (error) =>
      reject(
        new MigrationError({
          code: 'usage',
          message: `cannot run ${program}: ${error.message}`,
          hint: 'install the npm package mizzle, or let MIZZLE name the program',
        }),
      ),
    );
    child.on('close', (status, killed) => resolve({ status, killed }));
  });
  ended.catch(() => {});
  const stop = () => child.kill('SIGTERM');
  signal?.addEventListener('abort', stop);
  try {
    const told = {};
    for await (const line of createInterface({ input: child.stdout })) {
      const event = JSON.parse(line);
      told[event.event] = event;
      onEvent(event);
    }
    const { status, killed } = await ended;
    if (status === 0) return told.result;
    throw new MigrationError(
      told.error ?? { code: 'internal', message: `${program} ended with ${killed ?? status}` },
    );
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}
