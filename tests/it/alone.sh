#!/bin/sh
# SPDX-License-Identifier: MIT
# Which statements cannot run inside a transaction block: the server's word
# (SQLSTATE 25001) against the splitter's.
set -eu
. "${srcdir:-.}/tests/it/server.sh"

server_start max_prepared_transactions=1
major=$(sql postgres 'SHOW server_version_num')
major=${major%????}
sql postgres 'CREATE DATABASE d'
sql d "
	CREATE TABLE t (a int);
	CREATE INDEX ti ON t (a);
	CREATE TABLE p (a int) PARTITION BY RANGE (a);
	CREATE INDEX pi ON p (a);
	CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (1);
	CREATE MATERIALIZED VIEW v AS SELECT 1 AS a;
	CREATE UNIQUE INDEX ON v (a);
	CREATE TYPE y AS ENUM ('a');
	SET client_min_messages = error;
	CREATE SUBSCRIPTION s CONNECTION 'host=127.0.0.1 port=1'
		PUBLICATION p, r WITH (connect = false);
	ALTER SUBSCRIPTION s ENABLE"

# The SQLSTATE of a statement inside of a transaction, or nothing.
inside() {
	printf 'begin;\n%s;\nrollback;\n' "$1" | "$psql" -X -q -h "$dir" \
		-p "$port" -U postgres -d d -v VERBOSITY=sqlstate -f - 2>&1 \
		>/dev/null | sed -n 's/.*ERROR:  *//p' | head -n 1
}

while IFS='|' read -r since kind statement; do
	case $since in '#'*) continue ;; esac
	[ "$major" -ge "$since" ] || continue
	case $kind in
	plain) want='plain ' ;;
	alone) want='alone 25001' ;;
	unseen) want='plain 25001' ;; # the name alone does not tell
	esac
	printf %s "$statement" >"$dir/statement.sql"
	ours=$(./tests/it/split_tool "$dir/statement.sql" |
		sed -n '2s/^[0-9]* [0-9]* [0-9]* \([a-z]*\) .*/\1/p')
	check "$statement" "$want" "$ours $(inside "$statement")"
done <<'TABLE'
# since|kind|statement
13|alone|create index concurrently i on t (a)
13|alone|create unique index concurrently if not exists i on t (a)
13|plain|create index i on t (a)
13|alone|drop index concurrently ti
13|plain|drop index ti
13|plain|reindex index ti
13|plain|reindex table t
13|alone|reindex index concurrently ti
13|alone|reindex table concurrently t
13|alone|reindex (concurrently) table t
13|alone|reindex (verbose, concurrently true) index ti
13|plain|reindex (concurrently false) table t
13|plain|reindex (concurrently 0) table t
13|plain|reindex (concurrently 'OFF') table t
13|alone|reindex schema public
13|alone|reindex (verbose) schema concurrently public
13|alone|reindex database d
13|alone|reindex system d
13|alone|vacuum
13|alone|vacuum (analyze) t
13|alone|vacuum full t
13|plain|analyze t
13|alone|cluster
13|alone|cluster verbose
17|alone|cluster (verbose)
13|plain|cluster t using ti
13|plain|cluster verbose t using ti
14|plain|cluster (verbose) t using ti
14|alone|alter table p detach partition p1 concurrently
14|alone|alter table if exists public.p detach partition public.p1 concurrently
13|plain|alter table p detach partition p1
13|plain|refresh materialized view concurrently v
13|plain|refresh materialized view v
13|alone|create database e
13|alone|drop database if exists e
13|alone|alter database d set tablespace pg_default
13|alone|alter database d tablespace pg_default
13|alone|alter database d with tablespace = pg_default
13|plain|alter database d set search_path to public
13|alone|create tablespace x location '/nonexistent'
13|alone|drop tablespace x
13|alone|alter system set work_mem = 1000
13|alone|alter system reset all
13|alone|discard all
13|plain|discard temp
13|plain|discard plans
13|plain|checkpoint
13|plain|listen x
13|plain|notify x
13|plain|unlisten *
13|alone|create subscription s2 connection 'port=1' publication p
13|alone|create subscription s2 connection 'port=1' publication p with (create_slot)
13|plain|create subscription s2 connection 'port=1' publication p with (connect = false)
13|alone|drop subscription s
13|alone|alter subscription s refresh publication
13|alone|alter subscription s refresh publication with (copy_data = false)
13|alone|alter subscription s set publication q
13|plain|alter subscription s set publication q with (refresh = false)
13|plain|alter subscription s set publication q with ("refresh" = 0)
14|alone|alter subscription s add publication q
14|plain|alter subscription s add publication q with (refresh = off)
14|alone|alter subscription s drop publication p
14|plain|alter subscription s drop publication p with (refresh = 'false')
17|alone|alter subscription s set (failover = true)
17|alone|alter subscription s set (failover = off)
18|alone|alter subscription s set (two_phase = off)
13|plain|alter subscription s disable
13|plain|alter subscription s set (binary)
13|alone|commit prepared 'x'
13|alone|rollback prepared 'x'
13|plain|alter type y add value 'b'
13|plain|alter type y add value 'b' before 'a'
13|plain|create schema z create table u (a int) create index on u (a)
13|plain|comment on database d is 'x'
13|plain|truncate t
13|plain|lock table t
13|plain|create publication q for all tables
13|plain|load 'plpgsql'
13|plain|reset all
13|plain|set session authorization postgres
13|plain|copy t to stdout
13|plain|prepare transaction as select 1
13|plain|explain analyze select 1
13|plain|alter role postgres set work_mem = 1000
15|plain|alter database d refresh collation version
13|unseen|reindex table p
13|unseen|reindex index pi
15|unseen|cluster p using pi
TABLE
verdict
