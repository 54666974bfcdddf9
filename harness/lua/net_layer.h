/* SPDX-License-Identifier: MIT */
/*
 * A layer of a packet as a Lua value: its fields read and set by name.
 */
#ifndef TAPLINE_LUA_NET_LAYER_H
#define TAPLINE_LUA_NET_LAYER_H

#include "lua/net.h"

/* Pushes a text and frees it. */
int net_push_text(lua_State *L, char *text);

/* What a parsed packet was is not what it is now: its bytes are to be built anew. */
void net_packet_changed(struct packet *p);

/* Sets a field from the value at index. */
void net_set_field(lua_State *L, struct packet_layer *l, const char *field, int index);

/*
 * Sets fields from the table at index, in the order of the protocol's table: what a field means
 * may hang on those before it (ICMP's type).
 */
void net_set_fields(lua_State *L, struct packet_layer *l, int index);

/* Pushes a layer of the packet value at index 1, which it keeps alive. */
int net_push_layer(lua_State *L, struct packet_layer *l);

void net_open_layers(lua_State *L);

#endif
