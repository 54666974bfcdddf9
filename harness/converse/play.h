/* SPDX-License-Identifier: MIT */
/*
 * One conversation of a capture, played: one of its sides is the peer, a sender and receiver of
 * segments that says what the capture's side said, in terms of what the host chose (peer.c); the
 * other is a host with the stack under test, whose application writes what the capture's side wrote
 * and reads all there is (app.c). Every conversation has a world of its own (play.c). The policy
 * is docs/replay.md, "Conversations".
 */
#ifndef TAPLINE_CONVERSE_PLAY_H
#define TAPLINE_CONVERSE_PLAY_H

#include <nettle/sha2.h>

#include "converse/conversation.h"
#include "replay/options.h"
#include "sut/sut.h"

#define CV_BUFFER 65536u

/* What one of the two got of the other's stream. */
struct cv_received {
	u64 len;
	struct sha256_ctx sha;
	bool differs; /* from the capture's bytes */
	bool end; /* the end was seen, too */
};

struct cv_peer {
	u32 isn; /* its own: the capture's */
	u32 host_isn;
	bool heard; /* host_isn is known */
	bool connected;
	u32 now; /* index of the next segment of the capture: what was sent is from before */
	/* Of its stream, as offsets. */
	u64 una, nxt; /* acknowledged; behind the furthest byte or FIN sent */
	u64 edge; /* of the host's window */
	u64 resend; /* where the retransmission has come to */
	u64 recover; /* how far it goes */
	u64 timer; /* when it begins: TIME_NEVER when all is acknowledged */
	u32 resends; /* without any progress */
	u8 wscale, host_wscale; /* as negotiated */
	bool ts, sack;
	u32 ts_val, ts_recent;
	/* Of the host's stream. */
	u64 acked; /* told the host */
	u64 said; /* what the capture's side has acknowledged by now */
	u32 win; /* its window, in bytes */
	bool reset; /* the host sent a RST */
	u32 sent; /* segments, against endless talk */
	u32 again; /* of them, those that it had to send again by itself */
	struct cv_received got;
};

struct cv_app {
	s32 listener, fd; /* -1: none */
	bool connected;
	u64 written, target; /* of its stream: taken by the stack, to be written by now */
	bool writing, ending, ended; /* a call is under way; all is written: shut down; done */
	s64 error; /* the first one: -errno */
	struct sys_op open, send, recv; /* accept or connect; and the two others */
	u8 out[CV_BUFFER], in[CV_BUFFER];
	struct cv_received got;
};

struct cv_play {
	const struct conversation *c;
	u32 peer_side; /* CV_CLIENT or CV_SERVER */
	struct sut *sut;
	u32 host, wire;
	u64 offset; /* capture's time minus virtual time */
	struct cv_peer peer;
	struct cv_app app;
	/* -w: told every packet (raw IP) that passes the wire; may be NULL. */
	void (*tap)(void *ctx, u64 time_ns, bool from_host, const u8 *packet, u32 len);
	void *tap_ctx;
};

struct cv_result {
	const char *trouble; /* why it could not be played to its end; NULL: it was */
	s64 error; /* of the application's calls: -errno or 0 */
	u64 received, sent; /* by the application, by the host */
	u32 again; /* segments that the peer sent again besides the capture's */
	u8 received_sha[SHA256_DIGEST_SIZE], sent_sha[SHA256_DIGEST_SIZE];
	u64 digest;
	bool whole; /* both streams came through to their ends, byte by byte */
	bool broken; /* an invariant of the stack: it did not give everything back */
};

/* Plays one. `o` has sysctls, seed, profile. */
void cv_play(const struct conversation *c, u32 peer_side, const struct replay_options *o,
	     void (*tap)(void *, u64, bool, const u8 *, u32), void *tap_ctx, struct cv_result *out);

/* ---- shared by the files of a play ---- */

static inline const struct cv_stream *cv_peer_stream(const struct cv_play *p)
{
	return &p->c->stream[p->peer_side];
}

static inline const struct cv_stream *cv_host_stream(const struct cv_play *p)
{
	return &p->c->stream[!p->peer_side];
}

/* Takes bytes as the next of `s` that arrived. */
void cv_take(struct cv_received *r, const struct cv_stream *s, const u8 *bytes, u32 len);

/* The side whose SYN began the connection. */
u32 cv_opener(const struct conversation *c);

/* peer.c */
void cv_peer_begin(struct cv_play *p);
/* Sends its SYN; the answer to the host's, when it is not the one who opens, goes by itself. */
void cv_peer_open(struct cv_play *p);
/* A segment of the capture's, at its time. */
void cv_peer_segment(struct cv_play *p, const struct cv_segment *g);
/* A packet from the host. */
void cv_peer_receive(struct cv_play *p, const u8 *packet, u32 len);
/* Its timer is due. */
void cv_peer_timer(struct cv_play *p);
/* The capture is at its end: what is left is sent and acknowledged. */
void cv_peer_finish(struct cv_play *p);
/* All is sent, acknowledged and received. */
bool cv_peer_done(const struct cv_play *p);
/* The RST that the capture's side ended with. */
void cv_peer_reset(struct cv_play *p);

/* cv_peer's own: packet.c */
struct cv_out {
	u64 off; /* place in the stream; the SYN: none */
	u32 len;
	u16 flags;
	u16 urg;
	u8 tos;
	const u8 *payload;
	const struct cv_segment *like; /* SACK blocks and SYN options are this one's; may be NULL */
};
void cv_send(struct cv_play *p, const struct cv_out *s);

/* app.c: false with p->app.error set when a call failed. */
bool cv_app_open(struct cv_play *p);
void cv_app_write(struct cv_play *p, u64 target, bool end);
void cv_app_close(struct cv_play *p);
bool cv_app_done(const struct cv_play *p);

#endif
