/* SPDX-License-Identifier: MIT */
#ifndef SCHEMA_ANNOTATIONS_H
#define SCHEMA_ANNOTATIONS_H

struct error;

/* What the keys of our annotations start with. */
#define ANNOTATION_PREFIX "io.oci-macvlan."
/* The longest value of one annotation of ours, in bytes. */
#define ANNOTATION_MAX 65536

/* Our annotations (io.oci-macvlan.*); NULL: not given. */
struct annotations {
	char *networks;
	char *ip;
	char *ip6;
	char *mac;
	char *interface;
	char *name;
};

int annotations_set(
	struct annotations *annotations, const char *key, const char *value, struct error *err);
void annotations_free(struct annotations *annotations);

#endif
