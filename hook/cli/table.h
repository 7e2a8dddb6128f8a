/* SPDX-License-Identifier: MIT */
#ifndef HOOK_CLI_TABLE_H
#define HOOK_CLI_TABLE_H

#include <stdbool.h>
#include <stddef.h>

struct error;

#define TABLE_COLUMNS_MAX 9

/* Rows of text, the headings first; filled cell by cell. */
struct table {
	size_t n_columns; /* at most TABLE_COLUMNS_MAX */
	size_t n_cells;
	char **cells;
	bool failed; /* memory was out */
};

void table_put(struct table *table, const char *cell);
int table_print(const struct table *table, struct error *err);
void table_free(struct table *table);

void table_join(char *list, size_t size, const char *word);

#endif
