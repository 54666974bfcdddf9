/* SPDX-License-Identifier: MIT */
/*
 * Who is who in a capture: the host under test, the stations that the script will play, the UDP
 * ports on which the host had a socket.
 */
#ifndef TAPLINE_CONVERT_SCENE_H
#define TAPLINE_CONVERT_SCENE_H

#include "base/strbuf.h"
#include "packet/packet.h"

#define SCENE_MAX_FRAMES   20000
#define SCENE_MAX_STATIONS 64
#define SCENE_MAX_ROUTES   256

/* What the script does about a frame. */
enum frame_role {
	FRAME_OTHERS, /* between others: the host does not hear it */
	FRAME_TO_HOST,
	FRAME_FROM_HOST,
	FRAME_ASKS, /* the host asks for a station's MAC: the peer answers by itself */
	FRAME_LEFT_OUT, /* why: in `reason` */
};

struct scene_frame {
	u64 number;
	u64 time_ns;
	struct packet *packet;
	u8 role; /* enum frame_role */
	const char *reason;
	int station; /* which sends or gets it; -1: none */
};

struct station {
	u8 mac[6];
	u8 addr[4]; /* that it answers ARP requests for; 0.0.0.0: none */
};

/* An address that is not the station's own one but reached through it. */
struct scene_route {
	u8 addr[4];
	int station;
};

struct scene {
	bool raw; /* no link layer: a tun device */
	u8 addr[4]; /* the host's */
	u8 mac[6];
	bool has_mac;
	struct scene_frame *frames;
	size_t count;
	struct station station[SCENE_MAX_STATIONS];
	size_t stations;
	struct scene_route route[SCENE_MAX_ROUTES];
	size_t routes;
	u8 port[65536 / 8]; /* bit: the host has a socket there */
	bool any; /* there is a frame for the script */
};

/* Works out all but the frames, and each frame's role. False with a message: no host. TCP is not
 * for this script: each conversation is a test of its own (tcp.h). */
bool scene_cast(struct scene *s, const u8 *host, struct strbuf *error);
void scene_free(struct scene *s);

bool scene_has_port(const struct scene *s, u16 port);

/* First layer of that kind outside of quotes, or NULL. */
const struct packet_layer *scene_layer(const struct packet *p, enum packet_proto proto);
/* The address in a field, or NULL. */
const u8 *scene_addr(const struct packet_layer *l, const char *field);
/* Whether it is a piece of a datagram. */
bool scene_is_fragment(const struct packet_layer *ip);

#endif
