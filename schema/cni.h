/* SPDX-License-Identifier: MIT */
#ifndef SCHEMA_CNI_H
#define SCHEMA_CNI_H

#include <stdbool.h>
#include <stddef.h>

#include "schema/name.h"

struct error;
struct ip_config;
struct json;
struct json_doc;
struct network;
struct record_endpoint;
struct selection;

/* The version of the CNI specification that we speak. */
#define CNI_VERSION "1.0.0"
/* The longest answer of a plugin that is read, in bytes. */
#define CNI_ANSWER_MAX (64 * 1024)
/* The longest id that an id of ours becomes: each letter may be three. */
#define CNI_ID_MAX (sizeof("omv-x-") + 3 * CONTAINER_ID_MAX)

/* cni.c: what a plugin answers */
int cni_read_result(const struct json *answer, struct ip_config *ret, struct error *err);
int cni_parse_result(const char *text, size_t size, struct ip_config *ret, struct error *err);
bool cni_read_error(const struct json *answer, struct error *err);

/* cni_write.c: what it is given */
int cni_format_plugin(const struct network *network, const struct selection *selection,
	const char *program, const char *path, struct json_doc **ret, struct error *err);
int cni_format_config(
	const struct record_endpoint *endpoint, bool with_result, char **ret, struct error *err);
bool cni_has_previous(const struct json *result);
const char *cni_id(const char *id, char ret[CNI_ID_MAX]);

#endif
