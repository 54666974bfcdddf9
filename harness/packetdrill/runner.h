/* SPDX-License-Identifier: MIT */
/*
 * One run of a script: the state that the runner's files share. The world with one host on a tun
 * device, the flows (packetdrill's sockets), the frames that came out of the host and wait for a
 * script packet, the calls that still block. runner.c moves the events, flow.c finds flows and
 * rebases numbers, inject.c makes bytes, expect.c compares, call*.c make system calls, host.c gives
 * backtick commands their host, show.c makes texts.
 */
#ifndef TAPLINE_PACKETDRILL_RUNNER_H
#define TAPLINE_PACKETDRILL_RUNNER_H

#include "packet/packet.h"
#include "packetdrill/commands.h"
#include "packetdrill/pycode.h"
#include "packetdrill/script.h"
#include "packetdrill/settings.h"
#include "packetdrill/symbols.h"
#include "repro/repro.h"
#include "stack/socket.h"
#include "sut/sut.h"

#define PD_TUN_IFINDEX	2
#define PD_WIRE		0
#define PD_HOST_END	0
#define PD_SCRIPT_END	1
#define PD_TIME_LIMIT	(24ull * 3600 * 1000000000) /* of virtual time that one script may take */
#define PD_MAX_FRAMES	65536
#define PD_SHOWN_TRACES 24

/* Linux's numbers for packets; the first bits of a byte of the wire. */
enum pd_flow_state {
	PD_FLOW_NEW, /* from socket() */
	PD_FLOW_LISTENING,
	PD_FLOW_SYN_RECEIVED, /* passive: the script's SYN went in */
	PD_FLOW_SYNACK_SENT,
	PD_FLOW_SYNACK_ACKED,
	PD_FLOW_CONNECTING, /* active: connect() was called */
	PD_FLOW_SYN_SENT,
	PD_FLOW_SYN_ACKED,
};

/* Time stamp values of the host: as the script writes them, as they were. */
struct pd_ts {
	u32 script, live;
};

struct pd_flow {
	enum pd_flow_state state;
	int protocol; /* IPPROTO_* */
	int script_fd, live_fd; /* -1: none (yet) */
	u16 local_port, remote_port; /* on the wire; 0: not known yet */
	bool script_ports; /* the script has said: as follows */
	u16 script_local_port, script_remote_port;
	bool local_known; /* live_local_isn is */
	u32 script_local_isn, live_local_isn;
	u32 remote_isn; /* the script's and the wire's */
	struct pd_ts *ts;
	size_t ts_count;
};

struct pd_frame {
	u64 time_ns;
	u8 *bytes;
	u32 len;
	struct packet *packet;
	u32 taken; /* payload bytes that earlier script packets have matched */
};

/* A system call: its buffers, and what to do when it is done. */
struct pd_call {
	struct sys_op op; /* ctx is the call */
	struct pd_run *run;
	const struct pd_event *event;
	struct pd_call *next;
	bool submitted;
	u64 end_ns; /* when a blocking one has to be done, in script time */
	u64 start_ns;
	u64 done_ns; /* when it was, in world time */
	struct pd_flow *flow;
	bool (*finish)(struct pd_run *r, struct pd_call *c); /* false: the script failed */
	u8 *data, *control;
};

struct pd_fd {
	int script, live;
};

struct capture_writer;

struct pd_run {
	const struct pd_script *script;
	const struct pd_settings *settings;
	const struct repro_recorder *recorder; /* may be NULL */
	struct sut *sut;
	u64 start_ns; /* world time of script time 0 */
	u64 last_ns; /* script time of the event before */
	const struct pd_event *event; /* the present one */

	struct pd_flow **flows;
	size_t flow_count;
	struct pd_flow *under_test; /* packets are for it unless they say otherwise */
	u16 next_port; /* of the remote side's next connection */

	struct pd_frame *frames;
	size_t frame_count, frame_size;
	bool stop_on_frame;

	struct pd_call *calls; /* all, the newest first */
	struct pd_fd *fds;
	size_t fd_count;

	struct pd_python *python;
	struct pd_shell *shell;
	struct strbuf printed;

	struct trace_record traces[PD_SHOWN_TRACES];
	size_t trace_count;

	/* The end of it. */
	bool failed, skipped, invariant;
	int fail_line;
	struct strbuf message, got, expect, diff, details;
	struct strbuf classic; /* the failure of a call as packetdrill would tell it */
	struct strbuf misses; /* --tolerance 0 */
	size_t miss_count;
	u64 worst_miss;
	struct capture_writer *capture; /* NULL: none */
};

/* -- runner.c -- */

/* Ends the script: the first message counts. `got` and `expect` may be NULL. Returns false. */
bool pd_fail(struct pd_run *r, const struct pd_event *e, const char *got, const char *expect,
	     const char *format, ...) __attribute__((format(printf, 5, 6)));
/* The script can not be run here; the message says why. Returns false. */
bool pd_skip(struct pd_run *r, const char *text);
u64 pd_now(const struct pd_run *r); /* script time */
/* Checks when something of an event happened; false: the script failed. */
bool pd_check_time(struct pd_run *r, const struct pd_event *e, u64 want_ns, u64 until_ns,
		   u64 was_ns, const char *what);
/* How far a time of this event may be off. */
u64 pd_tolerance(const struct pd_run *r, const struct pd_event *e, u64 want_ns);
/* Lets the world go on to this script time; `frame`: or until a frame comes out. */
bool pd_advance(struct pd_run *r, u64 until_ns, bool frame);
/* Finishes calls that are done. */
bool pd_finish_calls(struct pd_run *r);

/* -- flow.c -- */

struct pd_flow *pd_flow_add(struct pd_run *r, int protocol);
/* The flow that a script packet is for, made when it is a SYN for a listener; NULL: none. */
struct pd_flow *pd_flow_of_script(struct pd_run *r, const struct pd_packet *p);
/* The flow that a frame of the host belongs to; NULL: none that the script knows. */
struct pd_flow *pd_flow_of_frame(struct pd_run *r, const struct packet *p);
struct pd_flow *pd_flow_of_fd(struct pd_run *r, int script_fd);
/* After an inbound packet. */
void pd_flow_injected(struct pd_flow *f, const struct pd_packet *p);
/* From the script's numbers to the wire's. */
u32 pd_local_to_live(const struct pd_flow *f, u32 script, bool syn);
u32 pd_local_to_script(const struct pd_flow *f, u32 live, bool syn);
u32 pd_remote_to_live(const struct pd_flow *f, u32 script, bool syn);
u32 pd_remote_to_script(const struct pd_flow *f, u32 live, bool syn);
void pd_ts_learn(struct pd_flow *f, u32 script, u32 live);
u32 pd_ts_to_live(const struct pd_run *r, const struct pd_flow *f, u32 script);
bool pd_ts_to_script(const struct pd_flow *f, u32 live, u32 *script);

/* -- inject.c -- */

bool pd_inject(struct pd_run *r, const struct pd_event *e, u64 at_ns);

/* -- expect.c -- */

bool pd_expect(struct pd_run *r, const struct pd_event *e, u64 want_ns, u64 until_ns);

/* -- show.c -- */

/* A frame in packetdrill's notation, numbers as the script writes them. */
void pd_show_frame(struct pd_run *r, const struct pd_flow *f, const struct packet *p,
		   struct strbuf *out);
/* TCP_INFO of the flow under test, and the last trace records. */
void pd_show_details(struct pd_run *r, struct strbuf *out);
void pd_show_time(struct strbuf *out, u64 ns);
/* A field of TCP_INFO and its like ("tcpi_rtt") of the flow under test. */
bool pd_info_lookup(void *ctx, const char *name, s64 *value);

/* -- call.c -- */

bool pd_call_run(struct pd_run *r, const struct pd_event *e, u64 at_ns);
int pd_fd_live(const struct pd_run *r, int script);
/* Makes a call at once, outside of the script (getsockopt for TCP_INFO). */
s64 pd_call_now(struct pd_run *r, struct sys_op *op);
/* All calls that block end before the next one begins; false: one failed. */
bool pd_calls_wait(struct pd_run *r);
void pd_calls_free(struct pd_run *r);

/* -- host.c -- */

bool pd_host_make(struct pd_run *r);
s64 pd_host_sysctl(struct pd_run *r, const char *name, const char *value);
extern const struct pd_command_ops pd_host_commands;

/* The socket address of a host's side. */
struct sock_addr pd_sock_addr(const struct pd_run *r, const struct pd_address *a, u16 port);

#endif
