/* SPDX-License-Identifier: MIT */
/*
 * What signs TCP segments, for scripts that are the peer: MD5 (RFC 2385), HMAC-SHA1 and AES-CMAC
 * (RFC 5926), all nettle's, so that the stack's own are checked against something else.
 */
#include <lauxlib.h>
#include <lua.h>

#include <nettle/cmac.h>
#include <nettle/hmac.h>
#include <nettle/md5.h>

#include "lua/net.h"

/* native.md5(text) */
static int native_md5(lua_State *L)
{
	size_t len;
	const char *text = luaL_checklstring(L, 1, &len);
	struct md5_ctx ctx;
	u8 digest[MD5_DIGEST_SIZE];

	md5_init(&ctx);
	md5_update(&ctx, len, (const u8 *)text);
	md5_digest(&ctx, sizeof(digest), digest);
	lua_pushlstring(L, (const char *)digest, sizeof(digest));
	return 1;
}

/* native.hmac_sha1(key, text) */
static int native_hmac_sha1(lua_State *L)
{
	size_t key_len, len;
	const char *key = luaL_checklstring(L, 1, &key_len), *text = luaL_checklstring(L, 2, &len);
	struct hmac_sha1_ctx ctx;
	u8 mac[SHA1_DIGEST_SIZE];

	hmac_sha1_set_key(&ctx, key_len, (const u8 *)key);
	hmac_sha1_update(&ctx, len, (const u8 *)text);
	hmac_sha1_digest(&ctx, sizeof(mac), mac);
	lua_pushlstring(L, (const char *)mac, sizeof(mac));
	return 1;
}

/* native.aes_cmac(key, text): the key has 16 bytes. */
static int native_aes_cmac(lua_State *L)
{
	size_t key_len, len;
	const char *key = luaL_checklstring(L, 1, &key_len), *text = luaL_checklstring(L, 2, &len);
	struct cmac_aes128_ctx ctx;
	u8 mac[CMAC128_DIGEST_SIZE];

	luaL_argcheck(L, key_len == AES128_KEY_SIZE, 1, "a key of AES-128 has 16 bytes");
	cmac_aes128_set_key(&ctx, (const u8 *)key);
	cmac_aes128_update(&ctx, len, (const u8 *)text);
	cmac_aes128_digest(&ctx, sizeof(mac), mac);
	lua_pushlstring(L, (const char *)mac, sizeof(mac));
	return 1;
}

void net_open_crypto(lua_State *L)
{
	static const luaL_Reg functions[] = { { "md5", native_md5 },
					      { "hmac_sha1", native_hmac_sha1 },
					      { "aes_cmac", native_aes_cmac },
					      { NULL, NULL } };

	luaL_setfuncs(L, functions, 0);
}
