/* SPDX-License-Identifier: MIT */
/*
 * The rules of segments.h.
 */
#include "packetdrill/segments.h"

#include "packetdrill/script.h"

/* FIN stands on the last piece. So does PSH, but Linux also sets it on what it hands down for GSO.
 */
#define LAST_ONLY ((u16)(PD_TCP_FIN | PD_TCP_PSH))

static bool flags_equal(u16 a, u16 b, u16 but)
{
	return !((a ^ b) & (u16)~but);
}

enum pd_segment_result pd_segment_match(struct pd_segment *want, const struct pd_segment *got,
					bool first, bool strict, u32 *taken)
{
	u16 ignore = first ? 0 : PD_TCP_CWR;

	if (want->seq != got->seq)
		return PD_SEGMENT_DIFFERS;
	if (want->len == got->len)
		return flags_equal(want->flags, got->flags, ignore) ? PD_SEGMENT_WHOLE :
								      PD_SEGMENT_DIFFERS;
	if (strict || !want->len || !got->len)
		return PD_SEGMENT_DIFFERS;
	if (got->len < want->len) {
		if ((got->flags & PD_TCP_FIN) ||
		    !flags_equal(want->flags, got->flags, (u16)(ignore | LAST_ONLY)))
			return PD_SEGMENT_DIFFERS;
		want->seq += got->len;
		want->len -= got->len;
		return PD_SEGMENT_PART;
	}
	if ((want->flags & LAST_ONLY) ||
	    !flags_equal(want->flags, got->flags, (u16)(ignore | LAST_ONLY)))
		return PD_SEGMENT_DIFFERS;
	*taken = want->len;
	return PD_SEGMENT_CUT;
}
