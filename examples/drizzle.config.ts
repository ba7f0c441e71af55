// SPDX-License-Identifier: MIT
// From the top of the tree:
//   npx drizzle-kit generate --config=examples/drizzle.config.ts --name NAME
import { defineConfig } from "drizzle-kit";

export default defineConfig({
	dialect: "postgresql",
	schema: "./examples/schema.ts",
	out: "./drizzle",
});
