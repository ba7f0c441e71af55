// SPDX-License-Identifier: MIT
// The program as functions: each runs it as a child with --json, and makes
// objects of what it says.  Nothing here speaks to a database.
'use strict';

const { spawn } = require('node:child_process');
const os = require('node:os');

const PLATFORMS = ['linux-x64', 'linux-arm64'];
const TAIL = 4096; // bytes of stderr kept for an end without an error in JSON

class MizzleError extends Error {
  constructor(message, fields) {
    super(message);
    this.name = 'MizzleError';
    for (const [key, value] of Object.entries(fields))
      if (value !== undefined) this[key] = value;
  }
}

function missing(platform) {
  if (!PLATFORMS.includes(platform))
    return (
      `mizzle has no program for ${platform}; there is one for ` +
      `${PLATFORMS.join(' and ')}. Run it in a Linux container, or build it ` +
      'and name it in MIZZLE_BINARY'
    );
  return (
    `the package @mizzle/${platform}, which holds the program, is not ` +
    'installed. It is an optional dependency of mizzle: install again without ' +
    '--omit=optional (--no-optional), on the platform where it is to run ' +
    '(node_modules of another one will not do), or add it: ' +
    `npm install @mizzle/${platform}@${require('./package.json').version}`
  );
}

/** Where the program is. */
function binaryPath() {
  if (process.env.MIZZLE_BINARY) return process.env.MIZZLE_BINARY;
  const platform = `${process.platform}-${process.arch}`;
  try {
    return require.resolve(`@mizzle/${platform}/bin/mizzle`);
  } catch {
    throw new MizzleError(missing(platform), { code: 'usage' });
  }
}

// What is not an option of the program.
const OWN = new Set(['url', 'args', 'cwd', 'env', 'signal', 'onEvent', 'log', 'binary']);

// lockWait: '5m' is --lock-wait=5m; true is a flag, false or undefined nothing.
function argumentsOf(command, options) {
  const argv = [command, '--json'];
  for (const [key, value] of Object.entries(options)) {
    if (OWN.has(key) || value === undefined || value === null || value === false) continue;
    const name = `--${key.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)}`;
    argv.push(value === true ? name : `${name}=${value}`);
  }
  return argv.concat(options.args ?? []);
}

// A password has no place on a command line, which everybody can read.
function environmentOf(options) {
  const env = { ...process.env, ...options.env };
  if (options.url !== undefined) env.DATABASE_URL = String(options.url);
  return env;
}

/** Calls each(line) for every line of a stream of text. */
function lines(stream, each) {
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (text) => {
    const parts = (rest + text).split('\n');
    rest = parts.pop();
    parts.forEach(each);
  });
  stream.on('end', () => rest && each(rest));
}

/** Keeps what the program said, and calls onEvent for each event. */
class Listener {
  constructor(options) {
    this.onEvent = options.onEvent;
    this.log = options.log;
    this.migrations = [];
    this.findings = [];
    this.said = '';
  }

  line(text) {
    let event;
    try {
      event = JSON.parse(text);
    } catch {
      return; // a command that does not speak JSON, such as help
    }
    if (event.event === 'result') this.result = event;
    else if (event.event === 'error') this.error = event;
    else if (event.event === 'migration') this.migrations.push(event);
    else if (event.event === 'finding') this.findings.push(event);
    this.tell(event);
  }

  // What the caller does must not stop a migration midway: told at the end.
  tell(event) {
    try {
      this.onEvent?.(event);
    } catch (e) {
      this.thrown ??= e;
    }
  }

  text(part) {
    if (this.log) process.stderr.write(part);
    this.said = (this.said + part).slice(-TAIL);
  }

  outcome() {
    const outcome = { ...this.result, migrations: this.migrations };
    if (this.findings.length > 0) outcome.findings = this.findings;
    return outcome;
  }

  failure(status, signal, reason) {
    const { event, code, message, signal: number, ...rest } = this.error ?? {};
    const ended = signal ? `ended by ${signal}` : `ended with status ${status}`;
    return new MizzleError(message ?? (this.said.trim() || ended), {
      ...rest,
      code: code ?? this.result?.code ?? 'internal',
      status: status ?? undefined,
      signal: signal ?? nameOf(number),
      cause: reason,
      result: this.result && this.outcome(),
    });
  }
}

function nameOf(number) {
  return Object.keys(os.constants.signals).find((name) => os.constants.signals[name] === number);
}

/** SIGTERM cancels the running statement; the child then ends by itself. */
function obey(signal, child) {
  const stop = () => child.kill('SIGTERM');
  signal?.addEventListener('abort', stop, { once: true });
  return () => signal?.removeEventListener('abort', stop);
}

/** Runs a command; see index.d.cts. */
async function run(command, options = {}) {
  options.signal?.throwIfAborted();
  const program = options.binary ?? binaryPath();
  const child = spawn(program, argumentsOf(command, options), {
    cwd: options.cwd,
    env: environmentOf(options),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const listener = new Listener(options);
  lines(child.stdout, (text) => listener.line(text));
  child.stderr.setEncoding('utf8').on('data', (part) => listener.text(part));
  const release = obey(options.signal, child);
  const { status, signal, cause } = await new Promise((resolve) => {
    child.once('error', (e) => resolve({ cause: e }));
    child.once('close', (code, name) => resolve({ status: code, signal: name }));
  });
  release();
  if (cause)
    throw new MizzleError(`cannot run ${program}: ${cause.message}`, { code: 'usage', cause });
  if (status !== 0)
    throw listener.failure(status, signal, options.signal?.aborted ? options.signal.reason : undefined);
  if (listener.thrown) throw listener.thrown;
  return listener.outcome();
}

const migrate = (options) => run('migrate', options);
const status = (options) => run('status', options);
const plan = (options) => run('plan', options);
const verify = (options) => run('verify', options);

module.exports = { MizzleError, binaryPath, migrate, plan, run, status, verify };
