/* SPDX-License-Identifier: MIT */
/*
 * What the target tcp_state_machine knows of its connections: the peer's side, which it plays, and
 * what it has learnt of the host from the segments and calls that it saw. Four files work on it:
 * tcp_peer.c sends, tcp_host.c judges what the host sends, tcp_calls.c makes the socket calls and
 * judges what they give, tcp_keys.c has the keys that both sides sign with.
 *
 * Every payload byte is a function of connection and sequence number (peer) or place in the stream
 * (host), so that a byte says where it belongs.
 */
#ifndef TAPLINE_FUZZ_TCP_SCENARIO_H
#define TAPLINE_FUZZ_TCP_SCENARIO_H

#include "fuzz_world.h"

#define CONNS	    8u
#define SLOTS	    8u
#define ISNS	    8u
#define SENT_MAX    600u
#define DELIVERY_NS 10000u /* there and back */

enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16, URG = 32 };
enum { SIGN_MD5 = 1, SIGN_AO = 2 };

struct range {
	u32 seq, end;
};

struct conn {
	u16 sport, dport; /* the peer's, the host's */
	u32 iss; /* the peer's first sequence number */
	u32 nxt; /* the peer's SND.NXT: behind the last that it sent on purpose */
	/* Learnt from the host. */
	u32 rcv_nxt, snd_nxt, isn, acked, ts_recent, edge;
	bool ts_seen, open; /* open: it has answered with a SYN */
	u8 wscale; /* of the windows that it announces */
	bool edge_known, fin_seen, urgent;
	bool answered; /* the edge is that of a SYN-ACK */
	bool field_full; /* a window has been all that 16 bits say: it may be larger */
	bool reborn; /* may be another connection with the same numbers */
	u32 fin_off;
	u32 peer_edge; /* highest sequence number that the peer has allowed */
	u32 written, limit; /* bytes by the application; with those of a call under way */
	u32 isns[ISNS], isn_count;
	u32 syn[ISNS], syn_count; /* the peer's SYNs, where its stream may begin */
	u32 rsts; /* sent by the host */
	u32 signed_syn; /* the peer's SYN that was signed last */
	struct range sent[SENT_MAX];
	u32 sent_count;
};

struct slot {
	s32 fd; /* -1: free */
	bool listener;
	s32 conn; /* -1: none */
	u32 read, written, candidates;
	bool loose; /* what is read can not be compared */
};

struct scenario {
	struct conn c[CONNS];
	struct slot s[SLOTS];
	u8 topology, host;
	u8 peer_ws;
	bool held; /* frames are under way that were not waited for */
	u8 sign; /* what the peer signs with: 0, SIGN_MD5, SIGN_AO and the key's number */
};

struct segment {
	u32 seq, ack, win, len;
	u8 flags;
	u8 opts[40];
	u32 opts_len;
	bool damaged, held;
};

/* ---- tcp_scenario.c ---- */

u8 peer_byte(u32 conn, u32 seq);
u8 host_byte(u32 conn, u32 off);
u32 get32(const u8 *p);
void put32(u8 *p, u32 v);
void put16(u8 *p, u32 v);
bool seq_le(u32 a, u32 b);
bool has_cookies(const struct scenario *sc);
void may_have_ended(const struct scenario *sc, struct conn *c);
void listener_changed(struct scenario *sc);
/* Lets `ns` pass. */
void run(struct fuzz_world *f, u64 ns);

/* ---- tcp_host.c ---- */

/* Takes and judges a frame of the host's: fuzz_world's on_tx. */
void saw_frame(struct fuzz_world *f, const u8 *frame, u32 len);

/* ---- tcp_peer.c ---- */

/* What a peer of this input's kind puts into a segment; `preset` deviates from it. */
void add_options(struct fuzz_world *f, struct conn *c, struct segment *g, u8 preset,
		 struct fuzz_input *in);
/* Appends an option, if there is room. */
void add_option(struct segment *g, const u8 *bytes, u32 len);
/* The window that a byte of the input stands for. */
u32 window(u8 code);
/* A segment at RCV.NXT that acknowledges all. */
struct segment plain(const struct conn *c, u8 flags);
/* Sends it with `len` bytes of the peer's stream and, unless it is held, waits for the answer. */
void send_segment(struct fuzz_world *f, u32 conn, struct segment *g);
void peer_syn(struct fuzz_world *f, u32 conn, u8 flags, u8 preset, u32 win, struct fuzz_input *in);

/* ---- tcp_keys.c ---- */

/* A socket's keys, or what the peer signs with. */
void do_keys(struct fuzz_world *f, struct slot *s, u8 arg);
/* Bytes that a signature takes in the header, first of the options. */
u32 sign_room(const struct scenario *sc);
/* Fills them in; all else of the segment stands, but for its checksum. */
void sign_segment(const struct scenario *sc, const struct conn *c, u8 *th, u32 len);

/* ---- tcp_calls.c ---- */

void do_listen(struct fuzz_world *f, u32 backlog);
/* `s`: NULL for a new socket. */
void do_connect(struct fuzz_world *f, struct slot *s, u32 conn);
void do_accept(struct fuzz_world *f, struct slot *l);
void do_close(struct fuzz_world *f, struct slot *s);
/* A record CALL. */
void op_call(struct fuzz_world *f, struct fuzz_input *in);

#endif
