#!/usr/bin/env node
// SPDX-License-Identifier: MIT
// Runs the program in its own place: same arguments, same input and output,
// same end.
'use strict';

const { spawn } = require('node:child_process');
const { binaryPath } = require('../index.cjs');

// nothing was sent to any server: what the program calls `usage`
const USAGE = 2;

function fail(message) {
  process.stderr.write(`error: ${message}\n`);
  process.exit(USAGE);
}

// A terminal gives Ctrl-C to everybody, and npx passes it on once more.  The
// program takes a third signal for impatience and ends without a rollback, so
// one wish must not become three.
const ECHO_MS = 1000;

function passOnSignals(child) {
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    let last = -Infinity;
    process.on(name, () => {
      const now = performance.now();
      if (now - last > ECHO_MS) child.kill(name);
      last = now;
    });
  }
}

// npx and npm pass on SIGTERM to a shell between them and us, which dies of it
// and says nothing to us.  Elsewhere a parent may end and mean no harm.
function followShell(child) {
  if (process.env.npm_command === undefined) return;
  const shell = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === shell) return;
    clearInterval(timer);
    child.kill('SIGTERM');
  }, 200);
  timer.unref();
}

function end(status, signal) {
  if (signal === null) process.exit(status);
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
}

let program;
try {
  program = binaryPath();
} catch (e) {
  fail(e.message);
}
const child = spawn(program, process.argv.slice(2), { stdio: 'inherit' });
child.on('error', (e) => fail(`cannot run ${program}: ${e.message}`));
child.on('exit', end);
passOnSignals(child);
followShell(child);
