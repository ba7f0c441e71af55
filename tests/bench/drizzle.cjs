// SPDX-License-Identifier: MIT
// drizzle-orm's migrate(): node drizzle.cjs pg|postgres FOLDER
// The database is what PG* in the environment say; the packages are those in
// $BENCH_HOME.
const { readFileSync } = require('node:fs');
const { createRequire } = require('node:module');

const [driver, migrationsFolder] = process.argv.slice(2);
const from = createRequire(process.env.BENCH_HOME + '/');
const bundle = process.env.PGSSLROOTCERT;
const ssl = bundle ? { ca: readFileSync(bundle) } : false;

async function main() {
	if (driver === 'pg') {
		const { drizzle } = from('drizzle-orm/node-postgres');
		const { migrate } = from('drizzle-orm/node-postgres/migrator');
		const { Client } = from('pg');
		const client = new Client({ ssl });

		await client.connect();
		await migrate(drizzle({ client }), { migrationsFolder });
		await client.end();
	} else {
		const { drizzle } = from('drizzle-orm/postgres-js');
		const { migrate } = from('drizzle-orm/postgres-js/migrator');
		const client = from('postgres')({ max: 1, ssl, onnotice() {} });

		await migrate(drizzle({ client }), { migrationsFolder });
		await client.end();
	}
}

main();
