/* SPDX-License-Identifier: MIT */
/*
 * The world of a running test, as the net library (scripts/lib/net.lua) drives it: one world per
 * test, made at the first use; tasks (coroutines) that wait for frames, for calls and for time; the
 * frames that came out of free wire ends and that nobody has taken yet.
 *
 * Scripts run only between events: the world never calls Lua, except for hooks (net_hook.c), and
 * the clock moves only while every task waits.
 */
#ifndef TAPLINE_LUA_NET_H
#define TAPLINE_LUA_NET_H

#include "lua/test_run.h"
#include "packet/packet.h"
#include "sut/sut.h"

#include <stdio.h>

/* Virtual time that a test may take: a day. */
#define NET_TIME_LIMIT (86400ull * NSEC_PER_SEC)

/* Frames that wait to be taken; more is a test gone wrong. */
#define NET_MAX_FRAMES 100000

/* A frame that left a free end of a wire. */
struct net_frame {
	u32 wire;
	u32 end;
	s32 peer; /* whom its destination address names; -1: anybody on the wire */
	u64 time_ns; /* when it arrived at the free end */
	u8 *bytes;
	u32 len;
};

/* A station that a script plays on a free end. It answers ARP for its address. */
struct net_peer {
	u32 wire;
	u32 end;
	u8 mac[6];
	u8 ip[4];
	bool answers;
};

struct net_wire {
	u64 delay_ns[2]; /* of frames that enter at that end */
	bool attached[2]; /* a host's NIC is there */
	/*
	 * When the hosts on it last had reason to send, as far as the script knows: a frame came
	 * to them, the script did something, or a frame of theirs was expected and came.
	 */
	u64 anchor_ns;
	int capture_interface;
	bool raw; /* a tun device is on it: frames begin with the IP header */
};

struct net_task;

/* A system call under way. */
struct net_call {
	struct sys_op op;
	struct net_task *task;
	struct net_call *next;
	u8 *data;
	u8 *control;
	u32 data_size;
};

struct net_task {
	struct net_task *next; /* in order of making */
	lua_State *co;
	u32 number;
	bool done;
	bool ready; /* may go on */
	bool for_frames; /* waits for a frame (besides the deadline) */
	bool timed_out;
	u64 deadline_ns; /* TIME_NEVER: none */
	u64 order; /* among ready ones: when it became ready */
};

struct capture_writer;

struct net_run {
	struct test_run *test;
	struct sut *sut;
	struct net_frame *frames;
	size_t frame_count, frame_size;
	struct net_peer *peers;
	size_t peer_count;
	struct net_wire *wires;
	size_t wire_count;
	struct net_task *tasks;
	struct net_task *running;
	struct net_call *calls;
	u32 task_count;
	u64 wake_order;
	struct trace_record *traces;
	size_t trace_count, trace_size;
	struct capture_writer *capture;
	struct annotator *annotator; /* of its frames; NULL when the test is through */
	u64 trace_mask; /* what the script wants to see */
	struct strbuf capture_path;
	bool capture_over; /* it could not be made, or the test is through */
	bool capture_kept; /* into memory, to be written only if the test fails */
	bool damaging; /* a script asked for frames to be damaged on the way out (netem) */
	char *capture_bytes;
	size_t capture_len;
	FILE *capture_stream;
	u64 capture_offset_ns; /* added to the times of frames */
	bool in_hook;
};

/* The world of this test; raises while a file is being loaded. */
struct net_run *net_run_of(lua_State *L);

/* Ends the world: checks invariants, leaks and unexpected frames; fills capture and digest. */
void net_run_end(struct test_run *t);

/*
 * Runs the function on top of the main stack as the test's first task, and with it the world, until
 * it returns or fails. False: it ended in an error, which is noted in the test.
 */
bool net_run_tasks(struct test_run *t);

/* Runs without tasks until the clock says so; for what is still on the wires. */
void net_run_settle(struct net_run *n);

/* Fails the test outside of any task. */
void net_fail(struct net_run *n, const char *message);

/* Lets a task go on. */
void net_task_wake(struct net_run *n, struct net_task *task);

/* Raises unless L is a task that may wait. Returns that task. */
struct net_task *net_task_check(lua_State *L);

/* A frame entered a wire at that end: into the capture file. net_capture_end finishes the file. */
void net_capture_add(struct net_run *n, u32 wire, u32 end, const u8 *frame, u32 len);
void net_capture_end(struct net_run *n);

/* Has the world tell what the script and the capture want to know. */
void net_trace_set(struct net_run *n);

/* Link type of the frames on a wire. */
int net_wire_link(const struct net_run *n, size_t wire);

/* Reads the table at index 2 as an op; raises. */
void net_read_op(lua_State *L, const char *name, struct op *op);

/* Keeps what has to be known of an op that was applied. */
void net_note_op(struct net_run *n, const struct op *op);

/* The script did something to the world now: what follows from it is due now. */
void net_touch(struct net_run *n);

/* Callbacks of the world (net_world.c, net_hook.c). */
u32 net_on_hook(void *ctx, struct nf_hook_packet *p);
void net_call_done(struct sys_op *op);
void net_calls_cancel(struct net_run *n);
void net_calls_free(struct net_run *n);

/* Name of an error number: "ECONNREFUSED". */
const char *net_errno_name(int code);

/* Packets as Lua values: pushes one that owns p. */
void net_push_packet(lua_State *L, struct packet *p);
struct packet *net_check_packet(lua_State *L, int index);

/* Each adds its functions to the table on top of the stack. */
void net_open_world(lua_State *L);
void net_open_tasks(lua_State *L);
void net_open_calls(lua_State *L);
void net_open_look(lua_State *L);
/* native.constants(): a table of name -> number (net_constants.c). */
int net_constants(lua_State *L);
void net_open_packets(lua_State *L);
void net_open_hooks(lua_State *L);
void net_open_cases(lua_State *L);
void net_open_oplog(lua_State *L);
void net_open_drill(lua_State *L);
void net_open_tc(lua_State *L);
void net_open_crypto(lua_State *L);
void net_open_sched(lua_State *L);

#endif
