/* SPDX-License-Identifier: MIT */
/*
 * What the fuzz targets share: an input is run in a world of its own, which must end without a leak
 * and send only well-formed frames; nothing is carried over to the next input. Booted worlds are
 * kept as snapshots, so that a new one costs a copy.
 *
 * The twin: an input is run again in another arena, in a world that is booted anew, and both runs
 * must give the same digest. Replays do it for every input, fuzzing for one in FUZZ_TWIN_EVERY.
 */
#ifndef TAPLINE_FUZZ_FUZZ_WORLD_H
#define TAPLINE_FUZZ_FUZZ_WORLD_H

#include "repro/repro.h"
#include "stack/op.h"
#include "stack/sys.h"
#include "stack/world.h"

/* The input as a stream of bytes; past its end everything is zero. */
struct fuzz_input {
	const u8 *p;
	size_t len;
};

bool fuzz_more(const struct fuzz_input *in);
u8 fuzz_u8(struct fuzz_input *in);
u16 fuzz_u16(struct fuzz_input *in);
/* At most n bytes, as many as there are; *got of them. */
const u8 *fuzz_bytes(struct fuzz_input *in, size_t n, size_t *got);

/* One host with a NIC on a wire whose other end is the fuzzer's. */
struct fuzz_world {
	struct world *w;
	u32 arena; /* which one it is in */
	bool fresh; /* to be booted, not restored */
	bool lied_to; /* by its card: what it sends is not looked at any more */
	const struct repro_recorder *recorder; /* may be NULL */
	u32 rx_frames, tx_frames; /* given to the host, sent by it */
	u32 sends; /* datagrams that its sockets sent */
	u32 own_frames; /* that it may send besides, of its own (retransmissions and the like) */
	/* Told of each frame that the host sends, after the general checks; may be NULL. */
	void (*on_tx)(struct fuzz_world *f, const u8 *frame, u32 len);
	/* The verdict of hook `id`; NULL: accept. */
	u32 (*on_hook)(struct fuzz_world *f, u32 id, u8 *packet, u32 len);
	void *ctx;
};

#define FUZZ_HOST_ADDR "\xc0\x00\x02\x01" /* 192.0.2.1/24 */
#define FUZZ_PEER_ADDR "\xc0\x00\x02\x09"
#define FUZZ_HOST_MAC  "\x02\x00\x00\x00\x00\x01"
#define FUZZ_PEER_MAC  "\x02\x00\x00\x00\x00\x09"

/*
 * Runs `scenario` on the input and checks all that must hold. The scenario calls fuzz_boot() first.
 * Byte 0 of the input is not used: it is kept for a seed.
 */
void fuzz_run(const u8 *data, size_t size,
	      void (*scenario)(struct fuzz_world *f, struct fuzz_input *in));

/* The digest of the last run: equal in every build, on every machine. */
u64 fuzz_digest(void);

/* From now on the first run of each input is told to the recorder (NULL: no more). */
void fuzz_record(const struct repro_recorder *r);

/* The seed of every world. */
#define FUZZ_SEED 1u

/* Host, NIC, wire, address, and the peer as a permanent neighbour. `cpus` and `queues`: 1 or 2. */
void fuzz_boot(struct fuzz_world *f, u32 cpus, u32 queues);
/* The same on a card of NIC_MODEL_*. */
void fuzz_boot_model(struct fuzz_world *f, u32 cpus, u32 queues, u32 model);

/* A frame for the host, from an exactly sized block of its own so that over-reads show. flags:
 * FRAME_*. */
void fuzz_frame(struct fuzz_world *f, const u8 *frame, u32 len, u32 flags);

/* A setting of the host's card (LINK_PARAM_*), whatever comes of it. */
void fuzz_link_set(struct fuzz_world *f, u32 param, u64 value);

/* Lets time pass: 2^(code mod 32) microseconds, at most an hour. */
void fuzz_advance(struct fuzz_world *f, u8 code);

/* A call that must not block: completed on return, result in op->ret. */
s64 fuzz_call(struct fuzz_world *f, struct sys_op *op);

/* A UDP socket of the host bound to a port; its descriptor. */
s32 fuzz_udp_socket(struct fuzz_world *f, u16 port);

bool fuzz_sysctl(struct fuzz_world *f, const char *name, const char *value);

/* An oracle that did not hold: says what and aborts. */
_Noreturn void fuzz_fail(const char *what);
#define FUZZ_CHECK(cond, what) ((cond) ? (void)0 : fuzz_fail(what))

/* The Internet checksum of a run of bytes on top of a partial sum, as a header carries it. */
u16 fuzz_csum(const u8 *p, size_t len, u32 sum);

#endif
