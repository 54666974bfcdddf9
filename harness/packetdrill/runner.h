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
#include "packetdrill/record.h"
#include "packetdrill/script.h"
#include "packetdrill/segments.h"
#include "packetdrill/settings.h"
#include "packetdrill/symbols.h"
#include "stack/socket.h"
#include "sut/sut.h"

#define PD_TUN_IFINDEX	     2
#define PD_WIRE		     0
#define PD_HOST_END	     0
#define PD_SCRIPT_END	     1
#define PD_TIME_LIMIT	     (24ull * 3600 * 1000000000) /* of virtual time, for one script */
#define PD_MAX_FRAMES	     65536
#define PD_FIRST_REMOTE_PORT 32768 /* of the remote side */
#define PD_SHOWN_TRACES	     24

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
	bool unwrapped; /* the script packet's encapsulations are off */
};

/* A system call: its buffers, and what to do when it is done. */
struct pd_call {
	struct sys_op op; /* ctx is the call */
	struct pd_run *run;
	const struct pd_event *event;
	struct pd_call *next;
	bool submitted;
	bool of_nothing; /* it only asks for the descriptor: what it gives counts as 0 */
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
struct pd_watch;

struct pd_run {
	const struct pd_script *script;
	const struct pd_settings *settings;
	const struct pd_watch *watch; /* may be NULL */
	struct pd_recorder *recorder; /* NULL: the script's expectations hold */
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

/* When an event of that time is due, and until when it may be. */
void pd_due(const struct pd_run *r, const struct pd_time *t, u64 *at, u64 *until);
/* Gives back all but the texts of the end. The world is gone by then. */
void pd_run_free(struct pd_run *r);

/* Ends the script: the first message counts. `got` and `expect` may be NULL. Returns false. */
bool pd_fail(struct pd_run *r, const struct pd_event *e, const char *got, const char *expect,
	     const char *format, ...) __attribute__((format(printf, 5, 6)));
/* The script can not be run here; the message says why. Returns false. */
bool pd_skip(struct pd_run *r, const char *text);
/* Takes back a failure at a packet: the run goes on behind it. */
void pd_forgive(struct pd_run *r);
u64 pd_now(const struct pd_run *r); /* script time */
/* Checks when something of an event happened; false: the script failed. */
bool pd_check_time(struct pd_run *r, const struct pd_event *e, u64 want_ns, u64 until_ns,
		   u64 was_ns, const char *what);
/* How far a time of this event may be off. */
u64 pd_tolerance(const struct pd_run *r, const struct pd_event *e, u64 want_ns);
/* Lets the world go on to this script time, or until a call ends; `frame`: or a frame comes out. */
bool pd_advance(struct pd_run *r, u64 until_ns, bool frame);
/* To this script time, whatever ends before. */
bool pd_reach(struct pd_run *r, u64 until_ns);
/* Finishes calls that are done. */
bool pd_finish_calls(struct pd_run *r);

/* -- flow.c -- */

struct pd_flow *pd_flow_add(struct pd_run *r, int protocol);
/* The flow that a script packet is for, made when it is a SYN for a listener; NULL: none. */
struct pd_flow *pd_flow_of_script(struct pd_run *r, const struct pd_packet *p);
/* The flow that a frame of the host belongs to; NULL: none that the script knows. */
struct pd_flow *pd_flow_of_frame(struct pd_run *r, const struct packet *p);
struct pd_flow *pd_flow_of_fd(struct pd_run *r, int script_fd);
/* What calls do to flows: socket(), listen(), accept() and close() that succeeded. */
void pd_flow_socket(struct pd_run *r, int script_fd, int live_fd, int type, int protocol);
void pd_flow_listen(struct pd_run *r, struct pd_flow *f);
void pd_flow_accept(struct pd_run *r, int script_fd, int live_fd, u16 remote_port);
void pd_flow_close(struct pd_flow *f);
/* Before connect(): the first packet is still to come. */
void pd_flow_connect(struct pd_run *r, struct pd_flow *f, const struct sock_addr *a);
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
/*
 * The bytes of an inbound packet, to be freed, and its flow (NULL: raw bytes). False: the script
 * failed. pd_flow_injected() is for when they are on their way.
 */
bool pd_packet_bytes(struct pd_run *r, const struct pd_event *e, u8 **bytes, u32 *len,
		     struct pd_flow **flow);

/* -- expect.c -- */

/* How long after its time a packet is waited for, to tell when it came. */
#define PD_LATE_NS 3000000000ull

/* A script packet that is waited for; times are of the script. */
struct pd_expectation {
	const struct pd_event *event;
	u64 want_ns, until_ns, limit_ns;
	struct pd_flow *flow;
	struct pd_segment rest; /* what has not come yet */
	bool first; /* nothing has come */
};

enum pd_step { PD_STEP_FAILED, PD_STEP_WAIT, PD_STEP_DONE };

bool pd_expect(struct pd_run *r, const struct pd_event *e, u64 want_ns, u64 until_ns);
/*
 * The same in steps, for whoever moves the clock by other means: begin; then take steps, each of
 * which uses up frames, until one does not ask to wait; when limit_ns is over, wait PD_LATE_NS more
 * and fail with what came.
 */
bool pd_expect_begin(struct pd_run *r, const struct pd_event *e, u64 want_ns, u64 until_ns,
		     struct pd_expectation *x);
enum pd_step pd_expect_step(struct pd_run *r, struct pd_expectation *x);
bool pd_expect_missing(struct pd_run *r, const struct pd_expectation *x);

/* Frames of the host that no script packet has matched yet. */
void pd_frame_add(struct pd_run *r, u64 time_ns, const u8 *bytes, u32 len);
void pd_frame_drop(struct pd_run *r);

/* -- show.c -- */

/* A frame in packetdrill's notation, numbers as the script writes them. */
void pd_show_frame(struct pd_run *r, const struct pd_flow *f, const struct packet *p,
		   struct strbuf *out);
/* TCP_INFO of the flow under test, and the last trace records. */
void pd_show_details(struct pd_run *r, struct strbuf *out);
void pd_show_time(struct strbuf *out, u64 ns);
/* A field of TCP_INFO and its like ("tcpi_rtt") of the flow under test. */
bool pd_info_lookup(void *ctx, const char *name, s64 *value);
/* The field that was meant; NULL: none is near. */
const char *pd_info_field_near(const char *name);
/* All of them, of a socket of the host; false: it has none. */
bool pd_info_each(struct pd_run *r, int live_fd, void (*fn)(void *ctx, const char *name, u64 value),
		  void *ctx);

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
/* iptables, ip6tables, conntrack: pd_command_ops.netfilter. */
int pd_host_netfilter(void *ctx, int argc, char *const *argv, struct strbuf *out, int *status,
		      const char **bad);
/* ip link set, ip addr: pd_command_ops.link_set and .addr (host_link.c). */
int pd_host_link_set(void *ctx, const char *dev, const char *key, const char *value);
int pd_host_addr(void *ctx, bool add, const char *address, const char *dev);
/* "192.0.2.0/24", "2001:db8::1": without a length the whole address. False: it is none. */
bool pd_prefix_parse(const char *text, struct pd_address *a, u32 *len);
extern const struct pd_command_ops pd_host_commands;
/* The same, and tells the watch what they do. */
extern const struct pd_command_ops pd_watched_commands;

/* The socket address of a host's side. */
struct sock_addr pd_sock_addr(const struct pd_run *r, const struct pd_address *a, u16 port);

#endif
