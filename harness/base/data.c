/* SPDX-License-Identifier: MIT */
/*
 * Data files, the requirement catalogue (docs/requirements/README.md tells the columns) and the
 * derivation of test seeds.
 */
#include "base/data.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_FILE (64u << 20)

static bool has_library(const char *dir)
{
	struct strbuf path = { 0 };
	bool found;

	strbuf_printf(&path, "%s/scripts/lib/tap.lua", dir);
	found = access(strbuf_text(&path), R_OK) == 0;
	strbuf_free(&path);
	return found;
}

/* The installed data beside the executable, or an empty text. Found once, kept for ever. */
static const char *installed_data(void)
{
	static char dir[PATH_MAX + sizeof(TAPLINE_DATA_RELATIVE)];
	static bool known;
	ssize_t len;
	char *slash;

	if (known)
		return dir;
	known = true;
	len = readlink("/proc/self/exe", dir, PATH_MAX - 1);
	dir[len > 0 ? len : 0] = 0;
	slash = strrchr(dir, '/');
	if (slash)
		memcpy(slash + 1, TAPLINE_DATA_RELATIVE, sizeof(TAPLINE_DATA_RELATIVE));
	if (!slash || !has_library(dir))
		dir[0] = 0;
	return dir;
}

const char *data_dir(void)
{
	const char *dir = getenv("TAPLINE_DATA");

	if (dir && *dir)
		return dir;
	dir = installed_data();
	if (*dir)
		return dir;
	return has_library(TAPLINE_DATA_DIR) ? TAPLINE_DATA_DIR : TAPLINE_DATA_INSTALLED;
}

int data_read_file(const char *path, struct strbuf *out)
{
	/* Non-blocking: opening a FIFO must not hang. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int error = 0;
	struct stat st;

	if (fd < 0)
		return errno;
	if (fstat(fd, &st) != 0)
		error = errno;
	else if (S_ISDIR(st.st_mode))
		error = EISDIR;
	else if (!S_ISREG(st.st_mode))
		error = EINVAL;
	while (!error) {
		char block[65536];
		ssize_t n = read(fd, block, sizeof(block));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			error = errno;
		if (n <= 0)
			break;
		if (out->len + (size_t)n > MAX_FILE)
			error = EFBIG;
		else
			strbuf_add(out, block, (size_t)n);
	}
	close(fd);
	return error;
}

/* The id behind the first "see " of a note, cut out of it; NULL when there is none. */
static const char *same_as(char *note)
{
	char *id = note ? strstr(note, "see RFC") : NULL;

	if (!id)
		return NULL;
	id += strlen("see ");
	id[strcspn(id, "; ,")] = 0;
	return strchr(id, '-') ? id : NULL;
}

/* Cuts the rows out of one file's text; the first line is the header. */
static void add_rows(struct catalogue *c, char *text)
{
	char *line = strchr(text, '\n');

	while (line && line[1]) {
		char *column[8] = { NULL };
		char *end;
		size_t i;

		line++;
		end = strchr(line, '\n');
		if (end)
			*end = 0;
		column[0] = line;
		for (i = 1; i < 8 && column[i - 1]; i++) {
			column[i] = strchr(column[i - 1], '\t');
			if (column[i])
				*column[i]++ = 0;
		}
		if (*line && column[6]) {
			c->rows = xrealloc(c->rows, (c->count + 1) * sizeof(*c->rows));
			c->rows[c->count++] = (struct requirement){
				.id = line,
				.rfc = column[1],
				.level = column[3],
				.text = column[5],
				.observable = column[6],
				.same_as = same_as(column[7]),
			};
		}
		line = end;
	}
}

static int compare_rows(const void *a, const void *b)
{
	return strcmp(((const struct requirement *)a)->id, ((const struct requirement *)b)->id);
}

static struct requirement *find_row(const struct catalogue *c, const char *id)
{
	const struct requirement key = { .id = id };

	if (!c->count)
		return NULL;
	return bsearch(&key, c->rows, c->count, sizeof(*c->rows), compare_rows);
}

/* not-shown.tsv: an id and a reason in each row; the first line is the header. */
static void add_reasons(struct catalogue *c, char *text)
{
	char *line = strchr(text, '\n');

	while (line && line[1]) {
		char *end = strchr(++line, '\n');
		char *reason = strchr(line, '\t');
		struct requirement *row;

		if (end)
			*end = 0;
		if (reason && (!end || reason < end)) {
			*reason++ = 0;
			row = find_row(c, line);
			if (row)
				row->reason = reason;
		}
		line = end;
	}
}

bool catalogue_load(struct catalogue *c, struct strbuf *error)
{
	struct strbuf path = { 0 };
	size_t reasons = SIZE_MAX;
	struct dirent *entry;
	DIR *dir;

	*c = (struct catalogue){ 0 };
	strbuf_printf(&path, "%s/docs/requirements", data_dir());
	dir = opendir(strbuf_text(&path));
	while (dir && (entry = readdir(dir))) {
		size_t len = strlen(entry->d_name);
		struct strbuf *text;

		if (len < 5 || strcmp(entry->d_name + len - 4, ".tsv") != 0)
			continue;
		strbuf_clear(&path);
		strbuf_printf(&path, "%s/docs/requirements/%s", data_dir(), entry->d_name);
		c->files = xrealloc(c->files, (c->file_count + 1) * sizeof(*c->files));
		text = &c->files[c->file_count++];
		*text = (struct strbuf){ 0 };
		if (data_read_file(strbuf_text(&path), text) != 0 || !text->data)
			continue;
		if (strcmp(entry->d_name, "not-shown.tsv") == 0)
			reasons = c->file_count - 1;
		else
			add_rows(c, text->data);
	}
	if (dir)
		closedir(dir);
	strbuf_free(&path);
	if (!c->count) {
		strbuf_printf(error,
			      "no requirement catalogue in %s/docs/requirements "
			      "(TAPLINE_DATA names the folder above)",
			      data_dir());
		catalogue_free(c);
		return false;
	}
	qsort(c->rows, c->count, sizeof(*c->rows), compare_rows);
	if (reasons != SIZE_MAX)
		add_reasons(c, c->files[reasons].data);
	return true;
}

void catalogue_free(struct catalogue *c)
{
	size_t i;

	for (i = 0; i < c->file_count; i++)
		strbuf_free(&c->files[i]);
	free(c->files);
	free(c->rows);
	*c = (struct catalogue){ 0 };
}

const struct requirement *catalogue_find(const struct catalogue *c, const char *id)
{
	return find_row(c, id);
}

static u64 mix(u64 z)
{
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

/* FNV-1a over the bytes and the zero at the end, so that two strings in a row stay apart. */
static u64 hash_text(u64 h, const char *text)
{
	do
		h = (h ^ (u8)*text) * 0x100000001b3u;
	while (*text++);
	return mix(h);
}

u64 test_seed(u64 run_seed, const char *path, const char *name)
{
	u64 h = mix(run_seed + 0x9e3779b97f4a7c15u) ^ 0xcbf29ce484222325u;

	return hash_text(hash_text(h, path_base(path)), name);
}

const char *path_base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}
