/* SPDX-License-Identifier: MIT */
/* -j and the options of targets (iptables/extensions/libxt_*.c, libipt_*.c). */
#include "nf/xt_words.h"

#include "lib/str.h"

static const struct xt_name targets[] = {
	{ "ACCEPT", XT_ACCEPT }, { "DROP", XT_DROP }, { "RETURN", XT_RETURN },
	{ "REJECT", XT_REJECT }, { "LOG", XT_LOG },   { "NOTRACK", XT_NOTRACK },
	{ "CT", XT_NOTRACK },	 { "MARK", XT_MARK }, { NULL, 0 },
};

bool xt_parse_target(struct xt_words *w, const char *name)
{
	const struct xt_name *n = xt_name_find(targets, name, str_len(name));
	struct xt_spec *s = &w->c->spec;

	if (str_len(name) >= XT_CHAIN_NAME_MAX)
		return XT_ERROR(w, 2, "Invalid target name `", name, "' (28 chars max)");
	s->target = (u8)(n ? n->value : XT_JUMP);
	if (!n)
		str_copy(s->jump, name, sizeof(s->jump));
	if (s->target == XT_REJECT)
		s->reject =
			w->c->pf == AF_INET ? XT_ICMP_PORT_UNREACHABLE : XT_ICMP6_PORT_UNREACHABLE;
	if (s->target == XT_LOG)
		s->log_level = 4;
	return true;
}

static bool reject_with(struct xt_words *w, const char *text)
{
	const struct xt_name *n =
		xt_name_find(xt_reject_names[w->c->pf == AF_INET6], text, str_len(text));

	if (!n)
		return XT_ERROR(w, 2, "unknown reject type \"", text, "\"");
	w->c->spec.reject = (u8)n->value;
	return true;
}

static bool log_level(struct xt_words *w, const char *text)
{
	static const struct xt_name levels[] = { { "emerg", 0 }, { "alert", 1 },  { "crit", 2 },
						 { "error", 3 }, { "err", 3 },	  { "warning", 4 },
						 { "warn", 4 },	 { "notice", 5 }, { "info", 6 },
						 { "debug", 7 }, { NULL, 0 } };
	const struct xt_name *n = xt_name_find(levels, text, str_len(text));

	if (n) {
		w->c->spec.log_level = n->value;
		return true;
	}
	return xt_parse_u32(w, "--log-level", text, 0, &w->c->spec.log_level);
}

int xt_target_option(struct xt_words *w, const char *o)
{
	struct xt_spec *s = &w->c->spec;
	bool reject = s->target == XT_REJECT && str_eq(o, "--reject-with");
	bool prefix = s->target == XT_LOG && str_eq(o, "--log-prefix");
	bool level = s->target == XT_LOG && str_eq(o, "--log-level");
	bool mark = s->target == XT_MARK && (str_eq(o, "--set-mark") || str_eq(o, "--set-xmark"));
	const char *text;
	bool ok;

	if (s->target == XT_NOTRACK && str_eq(o, "--notrack"))
		return w->invert ? 0 : 1;
	if (!reject && !prefix && !level && !mark)
		return 0;
	if (w->invert)
		return XT_WRONG(w, "unexpected ! flag before ", o);
	text = xt_next(w, o);
	if (!text)
		return -1;
	if (prefix && str_len(text) > 29)
		return XT_WRONG(w, "LOG: --log-prefix may be 29 characters at most");
	if (prefix)
		str_copy(s->text, text, sizeof(s->text));
	ok = reject ? reject_with(w, text) :
	     level  ? log_level(w, text) :
	     mark   ? xt_parse_mark(w, o, text, &s->mark, &s->mark_mask) :
		      true;
	/* --set-mark with a mask clears its bits and the mark's own. */
	if (ok && mark && str_eq(o, "--set-mark"))
		s->mark_mask |= s->mark;
	return ok ? 1 : -1;
}
