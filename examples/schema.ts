// SPDX-License-Identifier: MIT
// What drizzle/ was generated from, step by step, with drizzle-kit 0.31.11.
import { index, integer, pgEnum, pgTable, primaryKey, text, timestamp, varchar } from "drizzle-orm/pg-core";

export const postStatus = pgEnum("post_status", ["draft", "published", "archived"]);

export const users = pgTable("users", {
	id: integer().primaryKey().generatedAlwaysAsIdentity(),
	email: varchar({ length: 320 }).notNull().unique(),
	name: text().notNull(),
	handle: varchar({ length: 40 }).notNull().unique(),
	createdAt: timestamp("created_at", { withTimezone: true }).notNull().defaultNow(),
});

export const posts = pgTable("posts", {
	id: integer().primaryKey().generatedAlwaysAsIdentity(),
	authorId: integer("author_id").notNull().references(() => users.id, { onDelete: "cascade" }),
	title: text().notNull(),
	status: postStatus().notNull().default("draft"),
	body: text().notNull().default(""),
	createdAt: timestamp("created_at", { withTimezone: true }).notNull().defaultNow(),
}, (table) => [
	index("posts_author_id_created_at_index").on(table.authorId, table.createdAt),
]);

export const tags = pgTable("tags", {
	id: integer().primaryKey().generatedAlwaysAsIdentity(),
	name: varchar({ length: 60 }).notNull().unique(),
});

export const postTags = pgTable("post_tags", {
	postId: integer("post_id").notNull().references(() => posts.id, { onDelete: "cascade" }),
	tagId: integer("tag_id").notNull().references(() => tags.id, { onDelete: "cascade" }),
}, (table) => [primaryKey({ columns: [table.postId, table.tagId] })]);
