// SPDX-License-Identifier: MIT
/*
 * Tables on stdout for people: columns as wide as what is in them, two blanks between.
 */
#include "hook/cli/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schema/error.h"

/* What a cell shows when it is empty, so that columns can be counted. */
#define EMPTY "-"
#define GROW 64

/**
 * table_put() - fill the next cell
 * @table: the table; with an n_columns and all else zero it is an empty one
 * @cell:  its text, which is copied; a control character in it becomes '?'
 *
 * A failure is kept and said by table_print().
 */
void table_put(struct table *table, const char *cell)
{
	char *copy = strdup(*cell ? cell : EMPTY);

	if (table->n_cells % GROW == 0) {
		char **cells = reallocarray(table->cells, table->n_cells + GROW, sizeof(*cells));

		if (!cells) {
			table->failed = true;
			free(copy);
			return;
		}
		table->cells = cells;
	}
	if (!copy) {
		table->failed = true;
		return;
	}
	for (char *c = copy; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	table->cells[table->n_cells++] = copy;
}

static int column_width(const struct table *table, size_t column)
{
	size_t width = 0;

	for (size_t i = column; i < table->n_cells; i += table->n_columns)
		if (strlen(table->cells[i]) > width)
			width = strlen(table->cells[i]);
	return (int)width;
}

/**
 * table_print() - write a table to stdout
 * @table: the table, its last row full
 * @err:   filled on failure
 *
 * Return: 0, -ENOMEM.
 */
int table_print(const struct table *table, struct error *err)
{
	int widths[TABLE_COLUMNS_MAX] = { 0 };

	if (table->failed)
		return error_set(err, -ENOMEM, "out of memory");
	for (size_t column = 0; column + 1 < table->n_columns; column++)
		widths[column] = column_width(table, column);
	for (size_t i = 0; i < table->n_cells; i++) {
		size_t column = i % table->n_columns;
		bool last = column + 1 == table->n_columns;

		printf("%-*s%s", widths[column], table->cells[i], last ? "\n" : "  ");
	}
	return 0;
}

/**
 * table_free() - free a table; a destructor for cleanup()
 * @table: the table; empty afterwards
 */
void table_free(struct table *table)
{
	for (size_t i = 0; i < table->n_cells; i++)
		free(table->cells[i]);
	free((void *)table->cells);
	*table = (struct table){ .n_columns = table->n_columns };
}

/**
 * table_join() - add a word to a comma list
 * @list: the list; "" at first
 * @size: the space it has, in bytes; what does not fit is cut
 * @word: the word
 */
void table_join(char *list, size_t size, const char *word)
{
	size_t used = strlen(list);

	snprintf(list + used, size - used, "%s%s", used ? "," : "", word);
}
