/* SPDX-License-Identifier: MIT */
/*
 * From a captured frame to the Ethernet frame that goes onto the wire: other link layers get an
 * Ethernet header, cut frames their missing bytes, and what transmit offload left undone is
 * finished when asked for. Pure: no state, the same for every file.
 */
#ifndef TAPLINE_REPLAY_FRAME_H
#define TAPLINE_REPLAY_FRAME_H

#include "capture/capture.h"
#include "replay/options.h"
#include "stack/limits.h"

struct replay_frame {
	u32 len;
	bool cut; /* bytes were missing */
	bool shortened; /* longer than any device takes: its end was cut off */
	bool fixed; /* its IP header was set right */
	bool renamed; /* it had a tag of type 0x9100 */
	bool vouched; /* its L4 checksum is not to be judged */
	u8 bytes[FRAME_LEN_MAX];
};

enum frame_verdict {
	FRAME_INJECT,
	FRAME_LEAVE_OUT, /* cut, and cut frames are to be left out */
};

/* `mac`: the host's address, which frames of links without addresses are sent to. */
enum frame_verdict replay_frame_make(struct replay_frame *out, const struct capture_frame *in,
				     const struct replay_options *o, const u8 *mac);

#endif
