/* SPDX-License-Identifier: MIT */
/*
 * A packetdrill script as Lua text, as the parts that write it share it: pkt.c runs the script and
 * holds the whole together, pkt_event.c writes times, packets and commands, pkt_call.c,
 * pkt_data.c and pkt_file.c system calls, pkt_value.c their arguments, pkt_code.c %{ }% blocks.
 */
#ifndef TAPLINE_CONVERT_PKT_WRITE_H
#define TAPLINE_CONVERT_PKT_WRITE_H

#include "base/strbuf.h"
#include "packetdrill/call.h"
#include "packetdrill/front.h"

#define PKT_MAX_FD 1024

/* What a run has told of one event. */
struct pkt_note {
	int info_fd; /* the socket under test; -1: none */
	bool sets, sleeps, reads, other; /* what its commands did */
	struct strbuf lines; /* what they set, as Lua */
	bool has_result;
	s64 result;
};

enum pkt_fd { PKT_FD_NONE, PKT_FD_SOCKET, PKT_FD_EPOLL };

struct pkt_writer {
	struct strbuf *out, *error;
	const char *path;
	const char *text; /* the script's, for its comments */
	const struct pd_script *script;
	const struct pd_settings *settings;
	struct pkt_note *note; /* one for each event */
	const struct pd_event *event;
	const struct pkt_note *here; /* of that event */
	struct pd_run none; /* for functions that want one to complain to */
	const char *indent;
	u8 fd[PKT_MAX_FD]; /* enum pkt_fd: what the script's number is now */
	bool declared[PKT_MAX_FD]; /* there is a local for it */
	s64 epoll_data[PKT_MAX_FD]; /* what the script has a set give for it */
	struct strbuf variables; /* of code blocks: "|name|name|" */
	bool in_block; /* inside of a function: nothing can be declared for later */
	bool waiting; /* a blocking call was begun */
	bool fails; /* the script has to fail at its last event */
};

/* Ends the conversion: "FILE:LINE: 'WORD' WHY". False. */
bool pkt_fail(struct pkt_writer *w, int line, const char *word, const char *why);

/* -- pkt_event.c -- */

bool pkt_event(struct pkt_writer *w, const struct pd_event *e, const struct pkt_note *note);
/* Comments of the script between two lines. */
void pkt_comments(struct pkt_writer *w, int from, int until);
/* Words that -D defines replaced, comments and line breaks gone. */
void pkt_source(const struct pkt_writer *w, const char *text, struct strbuf *out);

/* -- pkt_value.c -- */

/* A number: by its constants where it was written so. */
void pkt_number(const struct pkt_writer *w, const struct pd_expr *x, struct strbuf *out);
/* A list of bits by the library's names ("in out et"); false when one has no name. */
bool pkt_poll_names(u64 events, bool epoll, struct strbuf *out);
/* `{ ["in"] = true }` */
bool pkt_poll_set(u64 events, struct strbuf *out);
/* "ADDR", PORT of argument i, or p.remote_addr, p.connect_port; `local`: the host's side. */
bool pkt_address(struct pkt_writer *w, size_t i, bool local, struct strbuf *out, u16 *family);
/* The variable of the socket in argument i. */
bool pkt_socket(struct pkt_writer *w, size_t i, struct strbuf *out);
void pkt_socket_name(const struct pkt_writer *w, s64 fd, struct strbuf *out);
/* Data of so many bytes: from a string of the script, or any. */
void pkt_data(const struct pd_expr *buffer, u64 len, struct strbuf *out);

/* -- pkt_call.c -- */

bool pkt_call(struct pkt_writer *w);
/*
 * A call whose success is 0, by its result: `SOCKET:NAME(ARGS)`, or the error that it must give.
 */
bool pkt_put_call(struct pkt_writer *w, const char *socket, const char *name, const char *args);
/* An error is expected: writes the call with it. False: none is. */
bool pkt_put_error(struct pkt_writer *w, const char *socket, const char *name, const char *args);
/* The result that must come is any. */
bool pkt_any_result(const struct pkt_writer *w);
s64 pkt_result(const struct pkt_writer *w);

/* `local s4 = `, or `s4 = ` where there is such a local. */
bool pkt_put_fd(struct pkt_writer *w, s64 fd, enum pkt_fd kind);
/* The number that stands for the descriptor that the call gave: the script's, else the host's. */
s64 pkt_given_fd(const struct pkt_writer *w);
/* Argument i; `any`: what "..." stands for. */
bool pkt_number_argument(struct pkt_writer *w, size_t i, s64 any, s64 *out);
/* ", { ..." of argument `at`, which is left open; nothing for 0. */
void pkt_put_flags(struct pkt_writer *w, size_t at, bool sends, struct strbuf *out);
/* A call whose result is a number of bytes. */
void pkt_put_counted(struct pkt_writer *w, const char *socket, const char *name, const char *args);

/* -- pkt_file.c -- */

bool pkt_pipe(struct pkt_writer *w);
bool pkt_splice(struct pkt_writer *w);
bool pkt_sendfile(struct pkt_writer *w);
bool pkt_open(struct pkt_writer *w);

/* -- pkt_data.c -- */

bool pkt_sendmsg(struct pkt_writer *w);
bool pkt_recvmsg(struct pkt_writer *w);
bool pkt_poll(struct pkt_writer *w);
bool pkt_epoll_ctl(struct pkt_writer *w);
bool pkt_epoll_wait(struct pkt_writer *w);
bool pkt_setsockopt(struct pkt_writer *w);
bool pkt_getsockopt(struct pkt_writer *w);

/* -- pkt_code.c -- */

bool pkt_code(struct pkt_writer *w);

#endif
