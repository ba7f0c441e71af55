/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "json_image.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define VENDOR "application/vnd.oci.image."
#define ANNOTATION "org.opencontainers.image."

/* The text of o, which is given up.  jansson says NULL when memory is out. */
static const char *text_of(struct mz_arena *a, json_t *o)
{
	char *text = json_dumps(o, JSON_COMPACT);
	const char *copy = mz_strdup(a, text ? text : "");

	json_decref(o);
	free(text);
	return copy;
}

static json_t *digest(const char *hex)
{
	return json_sprintf("sha256:%s", hex);
}

static json_t *descriptor(const char *type, const struct mz_blob *blob)
{
	return json_pack("{s:s, s:o, s:I}", "mediaType", type, "digest",
			 digest(blob->digest), "size", (json_int_t)blob->size);
}

static json_t *labels(const struct mz_image *i)
{
	json_t *o = json_pack("{s:s, s:s}", ANNOTATION "title", i->title,
			      ANNOTATION "version", PACKAGE_VERSION);

	for (size_t k = 0; k < i->nlabels; k++) {
		const char *is = strchr(i->labels[k], '=');

		json_object_setn_new(o, i->labels[k],
				     (size_t)(is - i->labels[k]),
				     json_string(is + 1));
	}
	return o;
}

const char *mz_image_config(struct mz_arena *a, const struct mz_image *i)
{
	json_t *config = json_pack("{s:s, s:[s], s:s, s:o}", "User",
				   "65532:65532", "Entrypoint", "/mizzle",
				   "WorkingDir", "/", "Labels", labels(i));
	json_t *rootfs = json_pack("{s:s, s:[o]}", "type", "layers", "diff_ids",
				   digest(i->diff_id));
	json_t *history = json_pack("[{s:s, s:s}]", "created", i->created,
				    "created_by", "mizzle bundle --oci");

	return text_of(a, json_pack("{s:s, s:s, s:s, s:o, s:o, s:o}", "created",
				    i->created, "architecture", i->architecture,
				    "os", "linux", "config", config, "rootfs",
				    rootfs, "history", history));
}

const char *mz_image_manifest(struct mz_arena *a, const struct mz_image *i)
{
	return text_of(a, json_pack("{s:i, s:s, s:o, s:[o]}", "schemaVersion",
				    2, "mediaType", VENDOR "manifest.v1+json",
				    "config",
				    descriptor(VENDOR "config.v1+json",
					       &i->config),
				    "layers",
				    descriptor(VENDOR "layer.v1.tar+gzip",
					       &i->layer)));
}

const char *mz_image_index(struct mz_arena *a, const struct mz_image *i)
{
	json_t *manifest = descriptor(VENDOR "manifest.v1+json", &i->manifest);

	json_object_set_new(manifest, "platform",
			    json_pack("{s:s, s:s}", "architecture",
				      i->architecture, "os", "linux"));
	json_object_set_new(manifest, "annotations",
			    json_pack("{s:s}", ANNOTATION "ref.name", i->name));
	return text_of(a, json_pack("{s:i, s:s, s:[o]}", "schemaVersion", 2,
				    "mediaType", VENDOR "index.v1+json",
				    "manifests", manifest));
}

static json_t *path(const char *hex)
{
	return json_sprintf("blobs/sha256/%s", hex);
}

const char *mz_image_docker(struct mz_arena *a, const struct mz_image *i)
{
	return text_of(a, json_pack("[{s:o, s:[s], s:[o]}]", "Config",
				    path(i->config.digest), "RepoTags", i->name,
				    "Layers", path(i->layer.digest)));
}
