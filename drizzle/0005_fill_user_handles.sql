-- Custom SQL migration file, put your code below! --
-- The part of the address before the @; made unique where two people share it.
UPDATE "users" SET "handle" = split_part("email", '@', 1);
--> statement-breakpoint
UPDATE "users" SET "handle" = "handle" || '-' || "id"
WHERE "handle" IN (SELECT "handle" FROM "users" GROUP BY "handle" HAVING count(*) > 1);
