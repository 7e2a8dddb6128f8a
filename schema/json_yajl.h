/* SPDX-License-Identifier: MIT */
#ifndef SCHEMA_JSON_YAJL_H
#define SCHEMA_JSON_YAJL_H

/* What the json*.c files share, and nobody else includes. */
#include <yajl/yajl_parse.h>

struct error;

int json_finish_parse(yajl_handle parser, yajl_status status, const int *code, struct error *err);

#endif
