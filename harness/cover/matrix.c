/* SPDX-License-Identifier: MIT */
/*
 * Counting and writing. A requirement counts when a test can observe it (the catalogue's column),
 * or when one has shown it all the same. Each that counts is in exactly one column: shown by a test
 * that passed, listed in not-shown.tsv with the reason why no test shows it, shown only by tests
 * that failed, not shown. A row that is the same rule as another ("see ID") is shown by what shows
 * that one.
 */
#include "cover/matrix.h"

#include <stdlib.h>
#include <string.h>

static const char *const levels[] = { "MUST", "MUST NOT", "SHOULD", "SHOULD NOT", "MAY" };

enum state { NOT_SHOWN, ONLY_FAILING, SHOWN, LISTED, STATES };

static const char *const state_names[STATES] = { "not shown", "only failing", "shown", "listed" };

struct cell {
	size_t count[STATES];
};

static size_t observable(const struct cell *c)
{
	return c->count[NOT_SHOWN] + c->count[ONLY_FAILING] + c->count[SHOWN] + c->count[LISTED];
}

bool matrix_init(struct matrix *m, struct strbuf *error)
{
	*m = (struct matrix){ 0 };
	if (!catalogue_load(&m->catalogue, error))
		return false;
	m->shown = xrealloc(NULL, m->catalogue.count);
	memset(m->shown, 0, m->catalogue.count);
	return true;
}

void matrix_free(struct matrix *m)
{
	catalogue_free(&m->catalogue);
	free(m->shown);
	*m = (struct matrix){ 0 };
}

void matrix_shown(struct matrix *m, const char *ids, u8 how)
{
	char *copy = xstrdup(ids);
	char *line = copy;

	while (*line) {
		size_t len = strcspn(line, "\n");
		bool more = line[len] == '\n';
		const struct requirement *row;

		line[len] = 0;
		row = catalogue_find(&m->catalogue, line);
		if (row)
			m->shown[row - m->catalogue.rows] |= how;
		line += len + more;
	}
	free(copy);
}

const char *matrix_level(const char *text)
{
	size_t i, k;

	for (i = 0; i < ARRAY_SIZE(levels); i++) {
		for (k = 0; text[k] && levels[i][k]; k++) {
			char c = text[k];

			if (c >= 'a' && c <= 'z')
				c = (char)(c - 'a' + 'A');
			if (c == '-' || c == '_')
				c = ' ';
			if (c != levels[i][k])
				break;
		}
		if (!text[k] && !levels[i][k])
			return levels[i];
	}
	return NULL;
}

const char *matrix_levels(void)
{
	return "MUST, MUST NOT, SHOULD, SHOULD NOT, MAY";
}

bool matrix_has_rfc(const struct matrix *m, const char *rfc)
{
	size_t i;

	for (i = 0; i < m->catalogue.count; i++) {
		if (strcmp(m->catalogue.rows[i].rfc, rfc) == 0)
			return true;
	}
	return false;
}

/* The rule that row i repeats, or i. */
static size_t original(const struct matrix *m, size_t i)
{
	const struct requirement *row = &m->catalogue.rows[i];
	u32 hops;

	for (hops = 0; hops < 4 && row->same_as; hops++) {
		const struct requirement *other = catalogue_find(&m->catalogue, row->same_as);

		if (!other)
			break;
		row = other;
	}
	return (size_t)(row - m->catalogue.rows);
}

static enum state state_of(const struct matrix *m, size_t i)
{
	if (!m->shown[i] && !m->catalogue.rows[i].reason)
		i = original(m, i);
	if (m->shown[i] & SHOWN_PASSING)
		return SHOWN;
	if (m->catalogue.rows[i].reason)
		return LISTED;
	return m->shown[i] & SHOWN_FAILING ? ONLY_FAILING : NOT_SHOWN;
}

static bool counts(const struct matrix *m, size_t i)
{
	const struct requirement *row = &m->catalogue.rows[i];

	return (!m->rfc || strcmp(row->rfc, m->rfc) == 0) &&
	       (!m->level || strcmp(row->level, m->level) == 0) &&
	       (m->shown[i] || strcmp(row->observable, "none") != 0);
}

static struct cell count(const struct matrix *m, const char *rfc, const char *level)
{
	struct cell c = { 0 };
	size_t i;

	for (i = 0; i < m->catalogue.count; i++) {
		const struct requirement *row = &m->catalogue.rows[i];

		if (counts(m, i) && (!rfc || strcmp(row->rfc, rfc) == 0) &&
		    (!level || strcmp(row->level, level) == 0))
			c.count[state_of(m, i)]++;
	}
	return c;
}

static int compare_numbers(const void *a, const void *b)
{
	const char *x = *(const char *const *)a;
	const char *y = *(const char *const *)b;
	size_t i = strlen(x);
	size_t k = strlen(y);

	return i != k ? (i < k ? -1 : 1) : strcmp(x, y);
}

/* The RFCs of the catalogue, by number; the caller frees the list. */
static const char **rfc_list(const struct matrix *m, size_t *number)
{
	const char **list = xrealloc(NULL, m->catalogue.count * sizeof(*list));
	size_t i, n = 0;

	for (i = 0; i < m->catalogue.count; i++)
		list[i] = m->catalogue.rows[i].rfc;
	qsort(list, m->catalogue.count, sizeof(*list), compare_numbers);
	for (i = 0; i < m->catalogue.count; i++) {
		if (!n || strcmp(list[n - 1], list[i]) != 0)
			list[n++] = list[i];
	}
	*number = n;
	return list;
}

static void write_cell(enum cover_format format, const char *rfc, const char *level,
		       const struct cell *c, FILE *to)
{
	size_t shown = c->count[SHOWN];
	size_t failing = c->count[ONLY_FAILING];
	size_t missing = c->count[NOT_SHOWN];
	size_t listed = c->count[LISTED];

	switch (format) {
	case COVER_TEXT:
		fprintf(to, "%-6s %-10s %10zu %8zu %8zu %8zu %8zu\n", rfc, level, observable(c),
			shown, failing, missing, listed);
		break;
	case COVER_TSV:
		fprintf(to, "%s\t%s\t%zu\t%zu\t%zu\t%zu\t%zu\n", rfc, level, observable(c), shown,
			failing, missing, listed);
		break;
	case COVER_JSON:
		fprintf(to,
			"{ \"rfc\": \"%s\", \"level\": \"%s\", \"observable\": %zu, "
			"\"shown\": %zu, \"failing\": %zu, \"missing\": %zu, "
			"\"listed\": %zu }",
			rfc, level, observable(c), shown, failing, missing, listed);
		break;
	}
}

static void write_head(enum cover_format format, FILE *to)
{
	if (format == COVER_TEXT)
		fprintf(to, "%-6s %-10s %10s %8s %8s %8s %8s\n", "RFC", "level", "observable",
			"shown", "failing", "missing", "listed");
	else if (format == COVER_TSV)
		fputs("rfc\tlevel\tobservable\tshown\tfailing\tmissing\tlisted\n", to);
	else
		fputs("{\n  \"rows\": [", to);
}

/* The sums over all RFCs, a row per level and one for all. Not in TSV: a reader can add. */
static void write_sums(const struct matrix *m, enum cover_format format, FILE *to)
{
	struct cell c;
	size_t k;

	if (format == COVER_TSV)
		return;
	fputs(format == COVER_JSON ? "\n  ],\n  \"all\": [" : "\n", to);
	for (k = 0; k <= ARRAY_SIZE(levels); k++) {
		const char *level = k < ARRAY_SIZE(levels) ? levels[k] : NULL;

		c = count(m, NULL, level);
		if (level && !observable(&c))
			continue;
		if (format == COVER_JSON)
			fputs("\n    ", to);
		write_cell(format, "all", level ? level : "all", &c, to);
		if (format == COVER_JSON && level)
			fputc(',', to);
	}
	if (format == COVER_JSON)
		fputs("\n  ]\n}\n", to);
}

void matrix_write(const struct matrix *m, enum cover_format format, FILE *to)
{
	const char *separator = "";
	size_t rfcs, i, k;
	const char **list = rfc_list(m, &rfcs);

	write_head(format, to);
	for (i = 0; i < rfcs; i++) {
		for (k = 0; k < ARRAY_SIZE(levels); k++) {
			struct cell c = count(m, list[i], levels[k]);

			if (!observable(&c))
				continue;
			if (format == COVER_JSON)
				fprintf(to, "%s\n    ", separator);
			separator = ",";
			write_cell(format, list[i], levels[k], &c, to);
		}
	}
	write_sums(m, format, to);
	free(list);
}

/* The catalogue is UTF-8 without control characters but the tab that ends a column. */
static void write_json_text(const char *text, FILE *to)
{
	fputc('"', to);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', to);
		if ((u8)*text < 0x20)
			fprintf(to, "\\u%04x", (u8)*text);
		else
			fputc(*text, to);
	}
	fputc('"', to);
}

static void write_requirement(const struct requirement *row, enum state state,
			      enum cover_format format, FILE *to)
{
	const char *text = state == LISTED ? row->reason : row->text;

	if (format != COVER_JSON) {
		fprintf(to, "%s\t%s\t%s\t%s\n", row->id, row->level, state_names[state], text);
		return;
	}
	fprintf(to,
		"\n    { \"id\": \"%s\", \"rfc\": \"%s\", \"level\": \"%s\", \"state\": \"%s\", ",
		row->id, row->rfc, row->level, state_names[state]);
	fputs(state == LISTED ? "\"reason\": " : "\"requirement\": ", to);
	write_json_text(text, to);
	fputs(" }", to);
}

/* The rows that are in the columns of `states`, one bit each. */
static void write_rows(const struct matrix *m, const char *name, u32 states,
		       enum cover_format format, FILE *to)
{
	const char *separator = "";
	size_t rfcs, i, k;
	const char **list = rfc_list(m, &rfcs);

	if (format == COVER_JSON)
		fprintf(to, "{\n  \"%s\": [", name);
	else if (format == COVER_TSV)
		fprintf(to, "id\tlevel\tstate\t%s\n",
			states == 1u << LISTED ? "reason" : "requirement");
	for (k = 0; k < rfcs; k++) {
		for (i = 0; i < m->catalogue.count; i++) {
			const struct requirement *row = &m->catalogue.rows[i];

			if (strcmp(row->rfc, list[k]) != 0 || !counts(m, i) ||
			    !(states >> state_of(m, i) & 1))
				continue;
			if (format == COVER_JSON)
				fputs(separator, to);
			separator = ",";
			write_requirement(row, state_of(m, i), format, to);
		}
	}
	if (format == COVER_JSON)
		fputs("\n  ]\n}\n", to);
	free(list);
}

void matrix_write_missing(const struct matrix *m, enum cover_format format, FILE *to)
{
	write_rows(m, "missing", 1u << NOT_SHOWN | 1u << ONLY_FAILING, format, to);
}

void matrix_write_listed(const struct matrix *m, enum cover_format format, FILE *to)
{
	write_rows(m, "listed", 1u << LISTED, format, to);
}
