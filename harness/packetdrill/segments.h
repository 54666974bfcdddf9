/* SPDX-License-Identifier: MIT */
/*
 * Several segments for one script packet, and the reverse. The host may cut what the script writes
 * as one packet (a super-segment that GSO cuts on its way), or send as one what the script writes
 * as several. Pieces of a super-segment carry its flags, but FIN and PSH only the last, CWR only
 * the first (what GSO does): that is the rule by which they are put together and taken apart.
 */
#ifndef TAPLINE_PACKETDRILL_SEGMENTS_H
#define TAPLINE_PACKETDRILL_SEGMENTS_H

#include "stack/types.h"

/* A segment, or what is left of it; numbers in one space. */
struct pd_segment {
	u32 seq, len;
	u16 flags; /* PD_TCP_* */
};

enum pd_segment_result {
	PD_SEGMENT_WHOLE, /* the script packet is complete; the segment is used up */
	PD_SEGMENT_PART, /* the segment is used up, more must come: *want is what is left */
	PD_SEGMENT_CUT, /* the script packet is complete; *taken bytes of the segment are used */
	PD_SEGMENT_DIFFERS, /* not this one */
};

/*
 * Holds a segment against what the script still wants. `first`: nothing of the script packet has
 * come yet. `strict`: only one to one.
 */
enum pd_segment_result pd_segment_match(struct pd_segment *want, const struct pd_segment *got,
					bool first, bool strict, u32 *taken);

#endif
