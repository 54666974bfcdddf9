/* SPDX-License-Identifier: MIT */
/* -j and the options of targets (iptables/extensions/libxt_*.c, libipt_*.c). */
#include "nf/xt_words.h"

#include "lib/str.h"

static const struct xt_name targets[] = {
	{ "ACCEPT", XT_ACCEPT },
	{ "DROP", XT_DROP },
	{ "RETURN", XT_RETURN },
	{ "REJECT", XT_REJECT },
	{ "LOG", XT_LOG },
	{ "NOTRACK", XT_NOTRACK },
	{ "CT", XT_NOTRACK },
	{ "MARK", XT_MARK },
	{ "CONNMARK", XT_CONNMARK },
	{ "TCPMSS", XT_TCPMSS },
	{ "TTL", XT_TTL },
	{ "HL", XT_TTL },
	{ NULL, 0 },
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
	const struct xt_name *n = xt_name_find(xt_log_level_names, text, str_len(text));
	u64 level = n ? n->value : 0;

	if (!n && !xt_number(text, 7, &level))
		return XT_ERROR(w, 2, "log level \"", text, "\" unknown");
	w->c->spec.log_level = (u32)level;
	return true;
}

/* Options of targets that change the packet or its connection. */
struct change {
	const char *name;
	u8 target, op;
	u8 has; /* what stands behind it */
	u16 pf; /* 0: both */
	u32 max;
};

enum {
	HAS_NOTHING,
	HAS_NUMBER,
	HAS_XMARK, /* "0x1/0xff": the bits of the mask go, those of the mark are turned over */
	HAS_MARK, /* as that, but those of the mark are set */
	HAS_AND,
	HAS_OR,
	HAS_XOR,
	/* Of one that copies, which was said before: of the packet's mark, the connection's, both.
	 */
	HAS_NFMASK,
	HAS_CTMASK,
	HAS_MASKS,
};

static const struct change changes[] = {
	{ "--set-mark", XT_MARK, XT_MARK_SET, HAS_MARK, 0, 0 },
	{ "--set-xmark", XT_MARK, XT_MARK_SET, HAS_XMARK, 0, 0 },
	{ "--and-mark", XT_MARK, XT_MARK_SET, HAS_AND, 0, 0 },
	{ "--or-mark", XT_MARK, XT_MARK_SET, HAS_OR, 0, 0 },
	{ "--xor-mark", XT_MARK, XT_MARK_SET, HAS_XOR, 0, 0 },
	{ "--set-mark", XT_CONNMARK, XT_MARK_SET, HAS_MARK, 0, 0 },
	{ "--set-xmark", XT_CONNMARK, XT_MARK_SET, HAS_XMARK, 0, 0 },
	{ "--and-mark", XT_CONNMARK, XT_MARK_SET, HAS_AND, 0, 0 },
	{ "--or-mark", XT_CONNMARK, XT_MARK_SET, HAS_OR, 0, 0 },
	{ "--xor-mark", XT_CONNMARK, XT_MARK_SET, HAS_XOR, 0, 0 },
	{ "--nfmask", XT_CONNMARK, 0, HAS_NFMASK, 0, 0 },
	{ "--ctmask", XT_CONNMARK, 0, HAS_CTMASK, 0, 0 },
	{ "--mask", XT_CONNMARK, 0, HAS_MASKS, 0, 0 },
	{ "--save-mark", XT_CONNMARK, XT_CONNMARK_SAVE, HAS_NOTHING, 0, 0 },
	{ "--restore-mark", XT_CONNMARK, XT_CONNMARK_RESTORE, HAS_NOTHING, 0, 0 },
	{ "--set-mss", XT_TCPMSS, XT_TCPMSS_SET, HAS_NUMBER, 0, 65535 - 40 },
	{ "--clamp-mss-to-pmtu", XT_TCPMSS, XT_TCPMSS_CLAMP, HAS_NOTHING, 0, 0 },
	{ "--ttl-set", XT_TTL, XT_TTL_SET, HAS_NUMBER, AF_INET, 255 },
	{ "--ttl-dec", XT_TTL, XT_TTL_DEC, HAS_NUMBER, AF_INET, 255 },
	{ "--ttl-inc", XT_TTL, XT_TTL_INC, HAS_NUMBER, AF_INET, 255 },
	{ "--hl-set", XT_TTL, XT_TTL_SET, HAS_NUMBER, AF_INET6, 255 },
	{ "--hl-dec", XT_TTL, XT_TTL_DEC, HAS_NUMBER, AF_INET6, 255 },
	{ "--hl-inc", XT_TTL, XT_TTL_INC, HAS_NUMBER, AF_INET6, 255 },
};

static const struct change *change_find(const struct xt_words *w, const char *o)
{
	for (u32 i = 0; i < ARRAY_SIZE(changes); i++)
		if (changes[i].target == w->c->spec.target && str_eq(changes[i].name, o) &&
		    (!changes[i].pf || changes[i].pf == w->c->pf))
			return &changes[i];
	return NULL;
}

static bool change_mark(struct xt_words *w, const struct change *c, const char *text)
{
	struct xt_spec *s = &w->c->spec;
	u32 mark = 0;

	if (c->has == HAS_XMARK || c->has == HAS_MARK) {
		if (!xt_parse_mark(w, c->name, text, &s->mark, &s->mark_mask))
			return false;
		s->mark_mask |= c->has == HAS_MARK ? s->mark : 0;
		return true;
	}
	if (!xt_parse_u32(w, c->name, text, 0, &mark))
		return false;
	s->mark = c->has == HAS_AND ? 0 : mark;
	s->mark_mask = c->has == HAS_AND ? ~mark : c->has == HAS_OR ? mark : 0;
	return true;
}

/* --nfmask, --ctmask, --mask. */
static bool copy_masks(struct xt_words *w, const struct change *c, const char *text)
{
	struct xt_spec *s = &w->c->spec;
	u32 mask = 0;

	if (s->target_op != XT_CONNMARK_SAVE && s->target_op != XT_CONNMARK_RESTORE)
		return XT_ERROR(
			w, 2, "CONNMARK: option \"", c->name,
			"\" also requires \"--save-mark\" or \"--restore-mark\", before it.");
	if (!xt_parse_u32(w, c->name, text, 0, &mask))
		return false;
	s->mark = c->has == HAS_CTMASK ? s->mark : mask;
	s->mark_mask = c->has == HAS_NFMASK ? s->mark_mask : mask;
	return true;
}

static int change_option(struct xt_words *w, const struct change *c)
{
	struct xt_spec *s = &w->c->spec;
	const char *text = NULL;
	u64 number;

	if (w->invert)
		return XT_WRONG(w, "unexpected ! flag before ", c->name);
	if (s->target_op && c->op)
		return XT_WRONG(w, "only one of its options may be given: `", c->name, "'");
	if (c->has != HAS_NOTHING) {
		text = xt_next(w, c->name);
		if (!text)
			return -1;
	}
	if (c->has >= HAS_NFMASK)
		return copy_masks(w, c, text) ? 1 : -1;
	s->target_op = c->op;
	if (c->has >= HAS_XMARK)
		return change_mark(w, c, text) ? 1 : -1;
	if (c->has == HAS_NOTHING) {
		s->mark = s->mark_mask = c->target == XT_CONNMARK ? UINT32_MAX : 0;
		return 1;
	}
	if (!xt_number(text, c->max, &number))
		return XT_WRONG(w, "bad value for option \"", c->name, "\": `", text, "'");
	s->target_value = (u32)number;
	return 1;
}

int xt_target_option(struct xt_words *w, const char *o)
{
	const struct change *change;
	struct xt_spec *s = &w->c->spec;
	bool reject = s->target == XT_REJECT && str_eq(o, "--reject-with");
	bool prefix = s->target == XT_LOG && str_eq(o, "--log-prefix");
	bool level = s->target == XT_LOG && str_eq(o, "--log-level");
	const char *text;
	bool ok = true;

	if (s->target == XT_NOTRACK && str_eq(o, "--notrack"))
		return w->invert ? 0 : 1;
	change = change_find(w, o);
	if (change)
		return change_option(w, change);
	if (!reject && !prefix && !level)
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
	if (!prefix)
		ok = reject ? reject_with(w, text) : log_level(w, text);
	return ok ? 1 : -1;
}

bool xt_target_complete(struct xt_words *w)
{
	if (w->c->spec.target_op)
		return true;
	switch (w->c->spec.target) {
	case XT_MARK:
		return XT_ERROR(
			w, 2,
			"MARK: One of the --set-xmark, --{and,or,xor,set}-mark options is required");
	case XT_CONNMARK:
		return XT_ERROR(w, 2, "CONNMARK target: No operation specified");
	case XT_TCPMSS:
		return XT_ERROR(w, 2, "TCPMSS target: At least one parameter is required");
	case XT_TTL:
		return XT_ERROR(w, 2, "TTL: You must specify an action");
	default:
		return true;
	}
}
