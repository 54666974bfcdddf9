/* SPDX-License-Identifier: MIT */
/* The parser's parts, among themselves: a file per kind of event. */
#ifndef TAPLINE_PACKETDRILL_PARSE_H
#define TAPLINE_PACKETDRILL_PARSE_H

#include "packetdrill/scan.h"

/* A system call from its name on. */
bool pd_parse_syscall(struct pd_scan *s, struct pd_syscall *call);

/* An expression; `depth` counts the brackets around it. */
bool pd_parse_expr(struct pd_scan *s, int depth, struct pd_expr **out);

/* A packet behind its "<" or ">"; packet->direction is set. */
bool pd_parse_packet(struct pd_scan *s, struct pd_packet *packet);

/* Options behind a "<". */
bool pd_parse_options(struct pd_scan *s, struct pd_tcp *tcp);

/* What stands behind the word icmp or icmpv6. */
bool pd_parse_icmp(struct pd_scan *s, struct pd_icmp *icmp);

/* [marks] or (marks) of an IP header, as many as stand there. */
bool pd_parse_marks(struct pd_scan *s, struct pd_ip_marks *marks);

/* One encapsulation with its ":"; *found says whether one stood there. */
bool pd_parse_layer(struct pd_scan *s, struct pd_packet *packet, bool *found);

/* "first:last(length)". */
bool pd_parse_sequence(struct pd_scan *s, u32 *first, u32 *last, u32 *length);

#endif
