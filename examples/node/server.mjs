// SPDX-License-Identifier: MIT
// A server that migrates before it takes requests; for a long-running process,
// not for an edge runtime, which starts anew for each request.
//
//   DATABASE_URL=postgresql://... node server.mjs [FOLDER]
//
// However many replicas start at once, each migration is applied exactly once:
// the others wait, and find nothing to do.
import { createServer } from 'node:http';

const { migrate, MigrationError } = await import(
  process.env.MIZZLE_FFI ? './migrate-ffi.mjs' : './migrate.mjs'
);

// What stops the server stops a migration, too: it is rolled back.
const stop = new AbortController();
for (const name of ['SIGTERM', 'SIGINT']) process.once(name, () => stop.abort());

try {
  const { applied } = await migrate({
    url: process.env.DATABASE_URL,
    dir: process.argv[2] ?? 'drizzle',
    signal: stop.signal,
    onEvent: (e) => {
      if (e.event === 'migration') console.log('applied', JSON.stringify(e.tag));
    },
  });
  console.log(`${applied} migrations applied`);
} catch (error) {
  if (!(error instanceof MigrationError)) throw error;
  // A pod that cannot connect, or that waits for another, is worth a restart;
  // a statement that fails is not.
  const again = ['connect', 'locked'].includes(error.code);
  console.error(JSON.stringify({ ...error, message: error.message, cause: error.cause?.message, again }));
  process.exit(again ? 75 : 1);
}

const server = createServer((request, response) => response.end('ok\n'));
server.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', () => {
  console.log(`ready on port ${server.address().port}`);
});
stop.signal.addEventListener('abort', () => server.close());
if (stop.signal.aborted) server.close();
