// SPDX-License-Identifier: MIT
// The real Drizzle: node migrate.cjs 0|1 URL FOLDER [SCHEMA TABLE]
// 0 is the version of the journal layout, 1 that of the folder layout; both
// are installed in $DRIZZLE_HOME.
const { createRequire } = require('node:module');

const [version, url, migrationsFolder, migrationsSchema, migrationsTable] =
	process.argv.slice(2);
const from = createRequire(process.env.DRIZZLE_HOME + '/');
const orm = version === '1' ? 'drizzle-orm-v1' : 'drizzle-orm';
const { Client } = from('pg');
const { drizzle } = from(`${orm}/node-postgres`);
const { migrate } = from(`${orm}/node-postgres/migrator`);

async function main() {
	const client = new Client({ connectionString: url });
	await client.connect();
	try {
		await migrate(drizzle({ client }), {
			migrationsFolder,
			...(migrationsTable ? { migrationsSchema, migrationsTable } : {}),
		});
	} catch (e) {
		const cause = e.cause ?? e;
		console.error(`${cause.code ?? ''} ${cause.message}`.trim());
		if (process.env.DRIZZLE_SAYS)
			console.error(e.message);
		process.exitCode = 1;
	} finally {
		await client.end();
	}
}

main();
