/* SPDX-License-Identifier: MIT */
/*
 * See pysequence.h. Invariant: values are never changed, a method gives a new one; items of a slice
 * are those of the sequence it is cut from.
 */
#include "packetdrill/pysequence.h"

#include <ctype.h>
#include <string.h>

#define NO_MEMORY    "MemoryError: a value is too large"
#define BAD_ARGUMENT "TypeError: not the arguments that this method takes"

static bool is_sequence(const struct py_value *v)
{
	return v->kind == PY_STRING || v->kind == PY_TUPLE;
}

static size_t length_of(const struct py_value *v)
{
	return v->kind == PY_STRING ? v->s.len : v->count;
}

static struct py_value new_string(struct pd_arena *arena, const char *p, size_t len)
{
	return (struct py_value){ .kind = PY_STRING, .s = pd_arena_text(arena, p, len) };
}

/* ---- elements and slices ---- */

const char *py_element(const struct py_value *v, const struct py_value *index,
		       struct pd_arena *arena, struct py_value *out)
{
	s64 i = index->i;

	if (!is_sequence(v))
		return "TypeError: this has no elements";
	if (index->kind != PY_INT)
		return "TypeError: an index is a whole number";
	if (i < 0)
		i += (s64)length_of(v);
	if (i < 0 || (u64)i >= length_of(v))
		return "IndexError: index out of range";
	*out = v->kind == PY_STRING ? new_string(arena, v->s.p + i, 1) : v->item[i];
	return NULL;
}

/* Where a slice begins or ends: within the sequence, whatever was written. */
static size_t bound(const struct py_value *v, const struct py_value *at, size_t absent)
{
	s64 len = (s64)length_of(v), i;

	if (!at || at->kind == PY_NONE)
		return absent;
	i = at->i < 0 ? at->i + len : at->i;
	return i < 0 ? 0 : i > len ? (size_t)len : (size_t)i;
}

const char *py_slice(const struct py_value *v, const struct py_value *from,
		     const struct py_value *to, struct pd_arena *arena, struct py_value *out)
{
	size_t begin, end;

	if (!is_sequence(v))
		return "TypeError: this has no elements";
	if ((from && from->kind != PY_INT && from->kind != PY_NONE) ||
	    (to && to->kind != PY_INT && to->kind != PY_NONE))
		return "TypeError: an index is a whole number";
	begin = bound(v, from, 0);
	end = bound(v, to, length_of(v));
	if (end < begin)
		end = begin;
	if (v->kind == PY_STRING) {
		*out = new_string(arena, v->s.p + begin, end - begin);
		return NULL;
	}
	*out = *v;
	out->count = end - begin;
	out->item = out->count ? v->item + begin : NULL;
	return NULL;
}

/* Where `part` begins in `text`, -1: it is not there. */
static s64 find_text(const struct pd_text *text, const struct pd_text *part, size_t from)
{
	size_t i;

	for (i = from; i + part->len <= text->len; i++) {
		if (memcmp(text->p + i, part->p, part->len) == 0)
			return (s64)i;
	}
	return -1;
}

const char *py_contains(const struct py_value *v, const struct py_value *item, bool *out)
{
	size_t i;

	*out = false;
	if (v->kind == PY_STRING && item->kind == PY_STRING) {
		*out = find_text(&v->s, &item->s, 0) >= 0;
		return NULL;
	}
	if (v->kind != PY_TUPLE)
		return "TypeError: 'in' needs a sequence";
	for (i = 0; i < v->count && !*out; i++)
		py_compare("==", &v->item[i], item, out);
	return NULL;
}

/* ---- functions of sequences ---- */

static const char *sum_of(const struct py_value *v, struct pd_arena *arena, struct py_value *out)
{
	const char *error = NULL;
	size_t i;

	*out = py_int(0);
	for (i = 0; i < v->count && !error; i++) {
		struct py_value left = *out;

		error = py_binary("+", &left, &v->item[i], arena, out);
	}
	return error;
}

static const char *sort(const struct py_value *v, struct pd_arena *arena, struct py_value *out)
{
	struct py_value *item = pd_arena_alloc(arena, (v->count + 1) * sizeof(*item));
	const char *error = NULL;
	size_t i, k;
	bool less;

	for (i = 0; i < v->count && !error; i++) {
		for (k = i; k > 0; k--) {
			error = py_compare("<", &v->item[i], &item[k - 1], &less);
			if (error || !less)
				break;
			item[k] = item[k - 1];
		}
		item[k] = v->item[i];
	}
	*out = (struct py_value){
		.kind = PY_TUPLE, .is_list = true, .item = item, .count = v->count
	};
	return error;
}

const char *py_call_sequence(const char *name, const struct py_value *v, struct pd_arena *arena,
			     struct py_value *out, bool *known)
{
	static const char *const names[] = { "sum", "any", "all", "sorted", "tuple", "list" };
	bool any = false, all = true;
	size_t i;

	*known = false;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		*known |= strcmp(name, names[i]) == 0;
	if (!*known)
		return NULL;
	if (v->kind != PY_TUPLE)
		return "TypeError: a tuple or list is expected";
	if (strcmp(name, "sum") == 0)
		return sum_of(v, arena, out);
	if (strcmp(name, "sorted") == 0)
		return sort(v, arena, out);
	*out = *v;
	out->is_list = name[0] == 'l';
	for (i = 0; i < v->count; i++) {
		any |= py_true(&v->item[i]);
		all &= py_true(&v->item[i]);
	}
	if (name[0] == 'a')
		*out = py_bool(name[1] == 'n' ? any : all);
	return NULL;
}

/* ---- {fields} ---- */

const char *py_format_field(const struct py_value *v, struct pd_text spec, struct pd_arena *arena,
			    struct strbuf *out)
{
	struct py_value format, text, one = { .kind = PY_TUPLE, .item = v, .count = 1 };
	struct strbuf percent = { 0 };
	const char *error;
	size_t i = 0;

	if (spec.len == 0) {
		py_print(v, out);
		return NULL;
	}
	strbuf_putc(&percent, '%');
	/* ">" and "<" say on which side the value stands, "%" has "-" for the second. */
	if (spec.p[0] == '<' || (v->kind == PY_STRING && spec.p[0] != '>'))
		strbuf_putc(&percent, '-');
	if (spec.p[0] == '<' || spec.p[0] == '>')
		i = 1;
	strbuf_add(&percent, spec.p + i, spec.len - i);
	if (!isalpha((unsigned char)spec.p[spec.len - 1]))
		strbuf_putc(&percent,
			    v->kind == PY_FLOAT && memchr(spec.p, '.', spec.len) ? 'g' : 's');
	format = new_string(arena, percent.data, percent.len);
	strbuf_free(&percent);
	error = py_binary("%", &format, &one, arena, &text);
	if (!error)
		strbuf_add(out, text.s.p, text.s.len);
	return error;
}

/* "{}", "{0}", "{:x}", "{1:5.2f}" behind the brace: *at moves behind the closing one. */
static const char *format_one(const struct pd_text *format, size_t *at, const struct py_value *arg,
			      size_t count, size_t *next, struct pd_arena *arena,
			      struct strbuf *out)
{
	size_t which = *next, end;
	struct pd_text spec = { format->p, 0 };

	if (*at < format->len && isdigit((unsigned char)format->p[*at])) {
		which = 0;
		while (*at < format->len && isdigit((unsigned char)format->p[*at]) && which < 1000)
			which = which * 10 + (size_t)(format->p[(*at)++] - '0');
	} else {
		(*next)++;
	}
	for (end = *at; end < format->len && format->p[end] != '}'; end++)
		;
	if (end == format->len)
		return "ValueError: expected '}' before end of string";
	if (format->p[*at] == ':')
		spec = (struct pd_text){ format->p + *at + 1, end - *at - 1 };
	else if (*at != end)
		return "ValueError: only numbers and :formats are known in {}";
	*at = end + 1;
	if (which >= count)
		return "IndexError: not enough arguments for format()";
	return py_format_field(&arg[which], spec, arena, out);
}

static const char *format_method(const struct pd_text *format, const struct py_value *arg,
				 size_t count, struct pd_arena *arena, struct py_value *out)
{
	struct strbuf text = { 0 };
	const char *error = NULL;
	size_t at = 0, next = 0;

	while (at < format->len && !error) {
		char c = format->p[at++];
		bool twice = at < format->len && format->p[at] == c;

		if ((c == '{' || c == '}') && twice) {
			strbuf_putc(&text, c);
			at++;
		} else if (c == '{') {
			error = format_one(format, &at, arg, count, &next, arena, &text);
		} else {
			strbuf_putc(&text, c);
		}
		if (text.len > PY_MAX_STRING)
			error = NO_MEMORY;
	}
	if (!error)
		*out = new_string(arena, strbuf_text(&text), text.len);
	strbuf_free(&text);
	return error;
}

/* ---- methods ---- */

static const char *change_case(const struct pd_text *s, bool upper, struct pd_arena *arena,
			       struct py_value *out)
{
	char *bytes = pd_arena_alloc(arena, s->len + 1);
	size_t i;

	for (i = 0; i < s->len; i++) {
		unsigned char c = (unsigned char)s->p[i];

		bytes[i] = (char)(upper ? toupper(c) : tolower(c));
	}
	*out = (struct py_value){ .kind = PY_STRING, .s = { bytes, s->len } };
	return NULL;
}

static const char *strip(const struct pd_text *s, struct pd_arena *arena, struct py_value *out)
{
	size_t begin = 0, end = s->len;

	while (begin < end && isspace((unsigned char)s->p[begin]))
		begin++;
	while (end > begin && isspace((unsigned char)s->p[end - 1]))
		end--;
	*out = new_string(arena, s->p + begin, end - begin);
	return NULL;
}

/* At every `by`; NULL: at runs of spaces, which may stand around it, too. */
static const char *split(const struct pd_text *s, const struct pd_text *by, struct pd_arena *arena,
			 struct py_value *out)
{
	struct py_value *item = NULL;
	size_t count = 0, at = 0;

	if (by && by->len == 0)
		return "ValueError: empty separator";
	for (;;) {
		s64 end = by ? find_text(s, by, at) : -1;
		size_t stop = s->len;

		while (!by && at < s->len && isspace((unsigned char)s->p[at]))
			at++;
		if (!by && at == s->len)
			break;
		if (end >= 0)
			stop = (size_t)end;
		for (size_t i = at; !by && i < stop; i++)
			stop = isspace((unsigned char)s->p[i]) ? i : stop;
		if (count == PY_MAX_ITEMS)
			return NO_MEMORY;
		item = pd_arena_grow(arena, item, count, sizeof(*item));
		item[count++] = new_string(arena, s->p + at, stop - at);
		if (stop == s->len && end < 0)
			break;
		at = stop + (by ? by->len : 0);
	}
	*out = (struct py_value){ .kind = PY_TUPLE, .is_list = true, .item = item, .count = count };
	return NULL;
}

static const char *join(const struct pd_text *by, const struct py_value *list,
			struct pd_arena *arena, struct py_value *out)
{
	struct strbuf text = { 0 };
	const char *error = NULL;
	size_t i;

	for (i = 0; i < list->count && !error; i++) {
		if (list->item[i].kind != PY_STRING)
			error = "TypeError: join() takes strings";
		else if (text.len + by->len + list->item[i].s.len > PY_MAX_STRING)
			error = NO_MEMORY;
		if (error)
			break;
		strbuf_add(&text, by->p, i ? by->len : 0);
		strbuf_add(&text, list->item[i].s.p, list->item[i].s.len);
	}
	*out = new_string(arena, strbuf_text(&text), text.len);
	strbuf_free(&text);
	return error;
}

static const char *replace(const struct pd_text *s, const struct pd_text *old,
			   const struct pd_text *new, struct pd_arena *arena, struct py_value *out)
{
	struct py_value parts;
	const char *error = split(s, old, arena, &parts);

	return error ? error : join(new, &parts, arena, out);
}

/* Methods that take one string, or none. */
static const char *method_of_one(const char *name, const struct pd_text *s,
				 const struct py_value *arg, struct pd_arena *arena,
				 struct py_value *out, bool *known)
{
	const struct pd_text *part = arg ? &arg->s : NULL;
	bool fits = part && part->len <= s->len;

	if (strcmp(name, "upper") == 0 || strcmp(name, "lower") == 0)
		return change_case(s, name[0] == 'u', arena, out);
	if (strcmp(name, "strip") == 0)
		return part ? BAD_ARGUMENT : strip(s, arena, out);
	if (strcmp(name, "split") == 0)
		return split(s, part, arena, out);
	*known = part && (strcmp(name, "startswith") == 0 || strcmp(name, "endswith") == 0 ||
			  strcmp(name, "find") == 0);
	if (*known && name[0] == 'f')
		*out = py_int(find_text(s, part, 0));
	else if (*known)
		*out = py_bool(fits && memcmp(name[0] == 's' ? s->p : s->p + s->len - part->len,
					      part->p, part->len) == 0);
	return NULL;
}

const char *py_method(const char *name, const struct py_value *self, const struct py_value *arg,
		      size_t count, struct pd_arena *arena, struct py_value *out, bool *known)
{
	size_t i;

	*known = self->kind == PY_STRING;
	if (!*known)
		return NULL;
	if (strcmp(name, "format") == 0)
		return format_method(&self->s, arg, count, arena, out);
	if (strcmp(name, "join") == 0)
		return count == 1 && arg->kind == PY_TUPLE ? join(&self->s, arg, arena, out) :
							     BAD_ARGUMENT;
	for (i = 0; i < count; i++) {
		if (arg[i].kind != PY_STRING)
			return BAD_ARGUMENT;
	}
	if (strcmp(name, "replace") == 0)
		return count == 2 ? replace(&self->s, &arg[0].s, &arg[1].s, arena, out) :
				    BAD_ARGUMENT;
	if (count > 1)
		return BAD_ARGUMENT;
	return method_of_one(name, &self->s, count ? arg : NULL, arena, out, known);
}
