/* SPDX-License-Identifier: MIT */
/*
 * Packets as Lua values: layers made from tables, joined by '/', reached by name (net_layer.c has
 * their fields), the packet that an ICMP error quotes reached by `inner`.
 *
 * A packet value owns its packet, or is a view (of a deeper quote) that keeps the owner alive, as
 * layer values do. The bytes behind them count against the test's memory by an estimate.
 */
#include "lua/net_layer.h"

#include <stdlib.h>
#include <string.h>

#define PACKET_META "packet"

/* What a packet takes outside of Lua's heap, about. */
#define PACKET_COST 4096

struct packet_box {
	struct packet *p;
	bool owns;
	u8 depth;
};

/* -- Values -- */

static void charge(lua_State *L)
{
	struct sandbox *sb = sandbox_of(L);

	if (sb->memory_limit - sb->memory_used < PACKET_COST)
		lua_gc(L, LUA_GCCOLLECT);
	if (sb->memory_limit - sb->memory_used < PACKET_COST)
		script_error(L, "memory limit: too many packets are kept");
	sb->memory_used += PACKET_COST;
	if (sb->collecting)
		lua_gc(L, LUA_GCSTEP, 4);
}

static struct packet_box *new_box(lua_State *L)
{
	struct packet_box *box = lua_newuserdatauv(L, sizeof(*box), 1);

	*box = (struct packet_box){ 0 };
	luaL_setmetatable(L, PACKET_META);
	return box;
}

void net_push_packet(lua_State *L, struct packet *p)
{
	struct packet_box *box = new_box(L);

	box->p = p;
	box->owns = true;
	charge(L);
}

static struct packet_box *check_box(lua_State *L, int index)
{
	return luaL_checkudata(L, index, PACKET_META);
}

struct packet *net_check_packet(lua_State *L, int index)
{
	return check_box(L, index)->p;
}

static int packet_gc(lua_State *L)
{
	struct packet_box *box = check_box(L, 1);

	if (box->owns && box->p) {
		packet_free(box->p);
		sandbox_of(L)->memory_used -= PACKET_COST;
	}
	box->p = NULL;
	return 0;
}

/* native.packet(proto, fields): a packet of one layer. */
static int native_packet(lua_State *L)
{
	const char *name = luaL_checkstring(L, 1);
	int proto = packet_proto_by_name(name);
	struct packet *p;

	if (proto < 0)
		return script_error(L, "there is no protocol '%s'", name);
	lua_settop(L, 2);
	p = packet_new();
	net_push_packet(L, p);
	packet_add(p, (enum packet_proto)proto);
	if (!lua_isnil(L, 2)) {
		luaL_checktype(L, 2, LUA_TTABLE);
		net_set_fields(L, p->layer[0], 2);
	}
	return 1;
}

/* -- Joining -- */

static void join(lua_State *L, struct packet *p, int index)
{
	bool ok;

	if (lua_type(L, index) == LUA_TSTRING) {
		size_t len;
		const char *bytes = lua_tolstring(L, index, &len);

		ok = packet_add_payload(p, bytes, len) != NULL;
	} else if (luaL_testudata(L, index, PACKET_META)) {
		ok = packet_join(p, check_box(L, index)->p);
	} else {
		script_error(L, "a %s can not be part of a packet", luaL_typename(L, index));
		return;
	}
	if (!ok)
		script_error(L, "a packet has %d layers at the most", PACKET_MAX_LAYERS);
}

static int packet_div(lua_State *L)
{
	struct packet *p = packet_new();

	net_push_packet(L, p);
	join(L, p, 1);
	join(L, p, 2);
	return 1;
}

/* -- Reading -- */

static int push_inner(lua_State *L, const struct packet_box *box)
{
	struct packet_box *inner;

	if (packet_inner(box->p, box->depth + 1u) < 0)
		return 0;
	inner = new_box(L);
	inner->p = box->p;
	inner->depth = (u8)(box->depth + 1);
	lua_pushvalue(L, 1);
	lua_setiuservalue(L, -2, 1);
	return 1;
}

static int push_payload(lua_State *L, const struct packet_box *box)
{
	int i = packet_find(box->p, PACKET_PAYLOAD, 0, box->depth);
	const struct packet_value *v = i < 0 ? NULL : packet_get(box->p->layer[i], "data");

	if (!v)
		return 0;
	lua_pushlstring(L, (const char *)v->bytes, v->len);
	return 1;
}

/* Upvalue 1: the methods. */
static int packet_index(lua_State *L)
{
	struct packet_box *box = check_box(L, 1);
	const char *name = luaL_checkstring(L, 2);
	int proto, i;

	lua_pushvalue(L, 2);
	if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL)
		return 1;
	if (strcmp(name, "inner") == 0)
		return push_inner(L, box);
	if (strcmp(name, "payload") == 0)
		return push_payload(L, box);
	proto = packet_proto_by_name(name);
	if (proto >= 0) {
		i = packet_find(box->p, (enum packet_proto)proto, 0, box->depth);
		return i < 0 ? 0 : net_push_layer(L, box->p->layer[i]);
	}
	/* time and sent, which the library sets */
	if (lua_getiuservalue(L, 1, 1) == LUA_TTABLE && lua_getfield(L, -1, name) != LUA_TNIL)
		return 1;
	return script_error(L, "a packet has no '%s'", name);
}

static int packet_tostring(lua_State *L)
{
	return net_push_text(L, packet_line(check_box(L, 1)->p));
}

/* -- Methods -- */

static int method_bytes(lua_State *L)
{
	const struct packet *p = check_box(L, 1)->p;
	char error[PACKET_ERROR_SIZE] = "";
	size_t len = 0;
	u8 *bytes;

	if (p->bytes) {
		lua_pushlstring(L, (const char *)p->bytes, p->len);
		return 1;
	}
	bytes = packet_build(p, &len, error);
	if (!bytes)
		return script_error(L, "this packet can not be: %s", error);
	lua_pushlstring(L, (const char *)bytes, len);
	free(bytes);
	return 1;
}

static int method_text(lua_State *L)
{
	return net_push_text(L, packet_text(check_box(L, 1)->p));
}

static int method_clone(lua_State *L)
{
	net_push_packet(L, packet_clone(check_box(L, 1)->p));
	return 1;
}

/* native.first(p): name of the first layer. */
static int native_first(lua_State *L)
{
	const struct packet *p = net_check_packet(L, 1);

	if (!p->count)
		return 0;
	lua_pushstring(L, packet_proto_name((enum packet_proto)p->layer[0]->proto));
	return 1;
}

/* native.prepend(p, proto): puts an empty layer in front. */
static int native_prepend(lua_State *L)
{
	struct packet *p = net_check_packet(L, 1);
	int proto = packet_proto_by_name(luaL_checkstring(L, 2));

	luaL_argcheck(L, proto >= 0, 2, "no such protocol");
	if (!packet_insert(p, 0, (enum packet_proto)proto))
		return script_error(L, "a packet has %d layers at the most", PACKET_MAX_LAYERS);
	net_packet_changed(p);
	return 0;
}

/* native.default(p, proto, field, value): sets it where the layer is there and the field is not. */
static int native_default(lua_State *L)
{
	struct packet *p = net_check_packet(L, 1);
	int proto = packet_proto_by_name(luaL_checkstring(L, 2));
	const char *field = luaL_checkstring(L, 3);
	int i;

	luaL_argcheck(L, proto >= 0, 2, "no such protocol");
	i = packet_find(p, (enum packet_proto)proto, 0, 0);
	if (i >= 0 && !packet_get(p->layer[i], field) && !lua_isnil(L, 4))
		net_set_field(L, p->layer[i], field, 4);
	return 0;
}

/* native.parse(bytes, link, extra): extra is a table of what else is known of the packet. */
static int native_parse(lua_State *L)
{
	size_t len;
	const char *bytes = luaL_checklstring(L, 1, &len);
	lua_Integer link = luaL_optinteger(L, 2, PACKET_LINK_ETHERNET);

	lua_settop(L, 3);
	net_push_packet(L, packet_parse((int)link, bytes, len, len));
	if (lua_istable(L, 3)) {
		lua_pushvalue(L, 3);
		lua_setiuservalue(L, -2, 1);
	}
	return 1;
}

/* native.match(template, packet): true, or false and where they differ. */
static int native_match(lua_State *L)
{
	struct packet_diff diff;

	if (packet_match(net_check_packet(L, 1), net_check_packet(L, 2), &diff)) {
		lua_pushboolean(L, true);
		return 1;
	}
	lua_pushboolean(L, false);
	lua_pushstring(L, diff.text);
	return 2;
}

/* native.address(text): the bytes of a MAC, IPv4 or IPv6 address; nil when it is none. */
static int native_address(lua_State *L)
{
	static const struct {
		enum packet_proto proto;
		size_t len;
	} kinds[] = { { PACKET_IP, 4 }, { PACKET_ETH, 6 }, { PACKET_IP6, 16 } };
	size_t len;
	const char *text = luaL_checklstring(L, 1, &len);
	struct packet *p = packet_new();
	bool found = false;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(kinds) && !found; i++) {
		struct packet_layer *l = packet_add(p, kinds[i].proto);

		if (!packet_set_text(l, "src", text, len, NULL))
			continue;
		found = true;
		lua_pushlstring(L, (const char *)packet_get(l, "src")->addr, kinds[i].len);
	}
	packet_free(p);
	return found;
}

/* native.address_text(bytes): 4, 6 or 16 of them. */
static int native_address_text(lua_State *L)
{
	size_t len;
	const char *bytes = luaL_checklstring(L, 1, &len);
	enum packet_proto proto = len == 4 ? PACKET_IP : len == 6 ? PACKET_ETH : PACKET_IP6;
	struct packet *p = packet_new();
	struct packet_layer *l = packet_add(p, proto);
	char *text = NULL;

	if (packet_set_bytes(l, "src", bytes, len, NULL))
		text = packet_value_text(l, &packet_fields(proto)[packet_field_index(proto, "src")],
					 packet_get(l, "src"));
	packet_free(p);
	return text ? net_push_text(L, text) : 0;
}

static void make_metatable(lua_State *L)
{
	static const luaL_Reg methods[] = {
		{ "bytes", method_bytes },
		{ "text", method_text },
		{ "clone", method_clone },
		{ NULL, NULL },
	};
	static const luaL_Reg packet_meta[] = {
		{ "__gc", packet_gc },
		{ "__div", packet_div },
		{ "__tostring", packet_tostring },
		{ NULL, NULL },
	};

	luaL_newmetatable(L, PACKET_META);
	luaL_setfuncs(L, packet_meta, 0);
	luaL_newlib(L, methods);
	lua_pushcclosure(L, packet_index, 1);
	lua_setfield(L, -2, "__index");
	lua_pushboolean(L, 0);
	lua_setfield(L, -2, "__metatable");
	lua_pop(L, 1);
}

void net_open_packets(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{ "packet", native_packet },
		{ "parse", native_parse },
		{ "match", native_match },
		{ "first", native_first },
		{ "prepend", native_prepend },
		{ "default", native_default },
		{ "address", native_address },
		{ "address_text", native_address_text },
		{ NULL, NULL },
	};

	net_open_layers(L);
	make_metatable(L);
	luaL_setfuncs(L, functions, 0);
}
