// SPDX-License-Identifier: MIT
// The same as migrate.mjs, by libmizzle in this process: no program to start,
// and none in the image.  Needs the npm package koffi, and libmizzle.so.0 where
// the loader finds it, or where LIBMIZZLE says.
import koffi from 'koffi';

// Calls run on a thread of their own, callbacks come to this one.
koffi.config({ async_stack_size: 1 << 20 });
// deep: Node has an OpenSSL of its own, which is not the library's.
const lib = koffi.load(process.env.LIBMIZZLE ?? 'libmizzle.so.0', { deep: true });

// As in mizzle.h, in its order.
const fields = (types) =>
  Object.fromEntries(
    types
      .trim()
      .split('\n')
      .flatMap((line) => {
        const [type, ...names] = line.trim().split(/ +/);
        return names.map((name) => [name, type]);
      }),
  );
const Event = koffi.struct('mizzle_event', fields(`
  int32_t kind percent
  str tag hash file text severity sqlstate detail hint phase
  uint64_t number total statement statements line us
  int64_t pid`));
const Migration = koffi.struct('mizzle_migration', fields(`
  int32_t state recorded
  str tag hash recorded_hash recorded_at note
  int64_t when`));
const Failure = koffi.struct('mizzle_error', fields(`
  int32_t code fate
  str name message hint tag file source
  uint64_t line column
  str sqlstate sql_message sql_detail sql_hint sql_context`));
const Result = koffi.struct('mizzle_result', {
  ...fields('uint64_t applied pending total us round_trips'),
  counts: koffi.array('uint64_t', 16),
});
koffi.proto('void mizzle_on_event(void *ctx, const mizzle_event *event)');
const Each = koffi.proto('void mizzle_each(void *ctx, const mizzle_migration *migration)');
const Options = koffi.struct('mizzle_options', {
  ...fields(`
    size_t size
    str url dir schema table to approve`),
  event: 'mizzle_on_event *',
  ...fields(`
    size_t ctx
    int64_t wait lock_wait lock_timeout statement_timeout
    uint32_t lock_retries
    int32_t transaction out_of_order allow_modified allow_missing
    int32_t require_approval no_monitor statements environment reserved`),
});
koffi.opaque('mizzle');
const api = {
  init: lib.func('void mizzle_options_init(_Out_ mizzle_options *o, size_t size)'),
  open: lib.func('int32_t mizzle_open(_Out_ mizzle **m, const mizzle_options *o)'),
  migrate: lib.func('int32_t mizzle_migrate(mizzle *m)'),
  status: lib.func('int32_t mizzle_status(mizzle *m, mizzle_each *each, void *ctx)'),
  cancel: lib.func('void mizzle_cancel(mizzle *m)'),
  close: lib.func('void mizzle_close(mizzle *m)'),
  error: lib.func('const mizzle_error *mizzle_error(const mizzle *m)'),
  result: lib.func('const mizzle_result *mizzle_result(const mizzle *m)'),
  version: lib.func('const char *mizzle_version()'),
  stateName: lib.func('const char *mizzle_state_name(int32_t state)'),
};
const kinds = [, 'start', 'begin', 'migration', 'statement', 'progress', 'waiting', 'blocked',
  'unblocked', 'notice', 'note', 'warning'];

export const version = api.version();

export class MigrationError extends Error {
  constructor(failure) {
    super(failure.message);
    this.name = 'MigrationError';
    this.code = failure.name;
    for (const field of ['sqlstate', 'tag', 'file', 'line', 'column', 'hint'])
      if (failure[field]) this[field] = failure[field];
    if (failure.sql_message) this.cause = new Error(failure.sql_message);
  }
}

// One call of the library: work(handle) is a promise of its code.
async function withHandle({ url, dir = 'drizzle', onEvent, signal, ...more }, work) {
  signal?.throwIfAborted();
  const o = {}, out = [null];
  api.init(o, koffi.sizeof(Options));
  const told = onEvent && koffi.register(
    (ctx, event) => {
      const e = koffi.decode(event, Event);
      onEvent({ ...e, event: kinds[e.kind] ?? 'other' });
    },
    koffi.pointer('mizzle_on_event'),
  );
  Object.assign(o, { url, dir, event: told ?? null, ...more });
  const opened = api.open(out, o);
  const m = out[0];
  const stop = () => api.cancel(m);
  signal?.addEventListener('abort', stop);
  try {
    if (opened !== 0 || (await work(m)) !== 0)
      throw new MigrationError(koffi.decode(api.error(m), Failure));
    return koffi.decode(api.result(m), Result);
  } finally {
    signal?.removeEventListener('abort', stop);
    api.close(m);
    if (told) koffi.unregister(told);
  }
}

const later = (func, ...args) =>
  new Promise((resolve, reject) =>
    func.async(...args, (err, code) => (err ? reject(err) : resolve(code))),
  );

// more: fields of struct mizzle_options, durations in milliseconds.
export function migrate({ wait = 60000, lock_timeout = 5000, ...more }) {
  return withHandle({ wait, lock_timeout, ...more }, (m) => later(api.migrate, m));
}

// Every migration with its state.
export async function status(options) {
  const migrations = [];
  const each = koffi.register(
    (ctx, migration) => {
      const l = koffi.decode(migration, Migration);
      migrations.push({ ...l, state: api.stateName(l.state) });
    },
    koffi.pointer(Each),
  );
  try {
    await withHandle(options, (m) => later(api.status, m, each, null));
  } finally {
    koffi.unregister(each);
  }
  return migrations;
}
