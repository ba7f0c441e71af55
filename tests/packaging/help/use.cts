// SPDX-License-Identifier: MIT
// The same package by require.
import mizzle = require('mizzle');

mizzle.migrate({ dir: './drizzle' }).then((done) => console.log(done.applied.toFixed()));
