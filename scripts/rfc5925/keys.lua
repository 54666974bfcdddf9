-- SPDX-License-Identifier: MIT
-- TCP-AO's master key tuples: set, found, changed while a connection goes on, taken away
-- (TCP_AO_ADD_KEY, TCP_AO_DEL_KEY, TCP_AO_INFO, TCP_AO_GET_KEYS as Linux has them).
local tap = require "tap"
local net = require "net"
local auth = require "suite.auth"

local PEER = "192.0.2.9"

local function try(s, name, value) return select(2, s:try("option", name, value)) end

local function fresh()
  local host = net.host { addr = "192.0.2.1/24" }
  return host, host:socket "tcp"
end

tap.test("every KeyID from 0 to 255 signs and is found", function(t)
  local host, peer, server = auth.listen()
  for id = 0, 255 do
    if id ~= 5 and id ~= 7 then
      server:option("TCP_AO_ADD_KEY", { addr = PEER, key = "key " .. id, sndid = 255 - id, rcvid = id })
    end
    if id > 0 then server:try("option", "TCP_AO_DEL_KEY", { addr = PEER, sndid = 5, rcvid = 7 }) end
    if id == 5 or id == 7 then
      server:option("TCP_AO_ADD_KEY", { addr = PEER, key = "key " .. id, sndid = 255 - id, rcvid = id })
    end
    peer:fresh { port = 5000 + id }
    peer:auth(net.tcp_ao { key = "key " .. id, sndid = id, rcvid = 255 - id })
    peer:send "S 0:0(0) win 65535 <mss 1000>"
    t:shows("RFC5925-3.1-1", t:is({ peer:verify(peer:expect "S. 0:0(0) ack 1") }, { true, 255 - id, id }))
    peer:send "R 1:1(0)"
    server:option("TCP_AO_DEL_KEY", { addr = PEER, sndid = 255 - id, rcvid = id })
  end
  t:is(host:counter "TcpExtTCPAOBad", 0)
end)

tap.test("the key is the one for the peer: others have other keys under the same KeyID", function(t)
  local host, peer, server = auth.listen()
  server:option("TCP_AO_ADD_KEY", { addr = "192.0.2.8", key = "other", sndid = 5, rcvid = 7 })
  server:option("TCP_AO_ADD_KEY", { addr = "198.51.100.0", prefix = 24, key = "net", sndid = 5, rcvid = 7 })
  peer:send "S 0:0(0) win 65535 <mss 1000>"
  t:shows("RFC5925-3.3-1", t:is((peer:verify(peer:expect "S. 0:0(0) ack 1")), true))
  peer:fresh { port = 4001 }
  peer:auth(net.tcp_ao { key = "other", sndid = 7, rcvid = 5 })
  peer:send "S 0:0(0) win 65535 <mss 1000>"
  t:is(peer:collect { during = "10ms" }, {})
  t:is(host:drops "TCP_AOFAILURE", 1)
end)

tap.test("a key for a network, a key for everybody", function(t)
  for _, addr in ipairs { { "192.0.2.0", 24 }, { "192.0.2.8", 29 }, { "0.0.0.0", 0 } } do
    local host, peer = auth.station {}
    local server = host:socket "tcp"
    local key = auth.key(peer)
    key.addr, key.prefix = addr[1], addr[2]
    server:option("TCP_AO_ADD_KEY", key)
    server:listen(80)
    peer:to(80):send "S 0:0(0) win 65535 <mss 1000>"
    t:ok((peer:verify(peer:expect "S. 0:0(0) ack 1")))
  end
end)

tap.test("a connection knows only the keys for its peer", function(t)
  local _, _, conn, server = auth.passive()
  server:option("TCP_AO_ADD_KEY", { addr = "192.0.2.8", key = "other" })
  t:is(#conn:ao_keys(), 1)
  t:is(#server:ao_keys(), 2)
  local host, peer = auth.station {}
  local s = host:socket("tcp", { nonblock = true })
  s:option("TCP_AO_ADD_KEY", { addr = "192.0.2.8", key = "other" })
  s:option("TCP_AO_ADD_KEY", auth.key(peer))
  s:try("connect", PEER, 4000)
  t:ok((peer:verify(peer:expect "S 0:0(0)")))
  t:is(#s:ao_keys(), 1)
end)

-- A connection with a second key, 6 to send and 8 to receive.
local function two_keys()
  local host, peer, conn = auth.passive()
  conn:option("TCP_AO_ADD_KEY", { addr = PEER, key = "second", sndid = 6, rcvid = 8 })
  return host, peer, conn, net.tcp_ao { key = "second", sndid = 8, rcvid = 6 }
end

tap.test("RNextKeyID of the peer: segments are signed with the key that it asks for", function(t)
  local _, peer, conn, second = two_keys()
  t:is({ conn:ao_info().current, conn:ao_info().rnext }, { 5, 7 })
  peer:send(peer:signed("P. 1:2(1) ack 1 win 65535", { rnext = 6 }), { auth = false })
  local ack = peer:expect(". 1:1(0) ack 2", { within = "100ms" })
  t:shows("RFC5925-4-1", t:is({ peer:verify(ack, second) }, { true, 6, 7 }))
  t:is(conn:ao_info().current, 6)
  -- And back; a key that is not there changes nothing.
  peer:send "P. 2:3(1) ack 1 win 65535"
  t:is({ peer:verify(peer:expect(". 1:1(0) ack 3", { within = "100ms" })) }, { true, 5, 7 })
  peer:send(peer:signed("P. 3:4(1) ack 1 win 65535", { rnext = 99 }), { auth = false })
  t:is({ peer:verify(peer:expect(". 1:1(0) ack 4", { within = "100ms" })) }, { true, 5, 7 })
end)

tap.test("a segment that does not validate asks for nothing", function(t)
  local _, peer, conn = two_keys()
  peer:send(peer:signed("P. 1:2(1) ack 1 win 65535", { rnext = 6, sne = 1 }), { auth = false })
  net.sleep "1ms"
  t:is({ conn:ao_info().current, conn:ao_info().pkt_bad }, { 5, 1 })
end)

tap.test("rnext_key: what we ask the peer for; it may sign with any key that it has", function(t)
  local _, peer, conn, second = two_keys()
  conn:option("TCP_AO_INFO", { rnext = 8 })
  conn:send "x"
  t:is({ peer:verify(peer:expect "P. 1:2(1) ack 1") }, { true, 5, 8 })
  peer:auth(second)
  peer:send(peer:signed(". 1:1(0) ack 2 win 65535", { rnext = 5 }), { auth = false })
  net.sleep "1ms"
  t:is(conn:info().unacked, 0)
  local keys = conn:ao_keys { rnext = true }
  t:is({ #keys, keys[1].rcvid, keys[1].pkt_good }, { 1, 8, 1 })
end)

tap.test("current_key is set by the user, with a new key at once or later", function(t)
  local _, peer, conn = auth.passive()
  conn:option("TCP_AO_ADD_KEY", { addr = PEER, key = "second", sndid = 6, rcvid = 8, set_current = true,
    set_rnext = true })
  local second = net.tcp_ao { key = "second", sndid = 8, rcvid = 6 }
  conn:send "x"
  t:is({ peer:verify(peer:expect "P. 1:2(1) ack 1", second) }, { true, 6, 8 })
  peer:send(peer:signed(". 1:1(0) ack 2 win 65535", { rnext = 6 }), { auth = false })
  net.sleep "1ms"
  conn:option("TCP_AO_INFO", { current = 5 })
  conn:send "y"
  t:is({ peer:verify(peer:expect "P. 2:3(1) ack 1") }, { true, 5, 8 })
  t:is(try(conn, "TCP_AO_INFO", { current = 9 }), "ENOENT")
  t:is(try(conn, "TCP_AO_INFO", { rnext = 9 }), "ENOENT")
end)

tap.test("a key in use is not taken away, unless another takes over", function(t)
  local _, peer, conn, second = two_keys()
  t:is(try(conn, "TCP_AO_DEL_KEY", { addr = PEER, sndid = 5, rcvid = 7 }), "EBUSY")
  t:is(try(conn, "TCP_AO_DEL_KEY", { addr = PEER, sndid = 5, rcvid = 7, current = 6 }), "EBUSY")
  conn:option("TCP_AO_DEL_KEY", { addr = PEER, sndid = 5, rcvid = 7, current = 6, rnext = 8 })
  t:is(#conn:ao_keys(), 1)
  conn:send "x"
  t:is({ peer:verify(peer:expect "P. 1:2(1) ack 1", second) }, { true, 6, 8 })
  t:is(try(conn, "TCP_AO_DEL_KEY", { addr = PEER, sndid = 6, rcvid = 8 }), "EBUSY")
end)

tap.test("the listener's key goes while a request waits: nothing more is sent for it", function(t)
  local host, peer, server = auth.listen()
  peer:send "S 0:0(0) win 65535 <mss 1000>"
  peer:expect "S. 0:0(0) ack 1"
  server:option("TCP_AO_DEL_KEY", { addr = PEER, sndid = 5, rcvid = 7 })
  peer:send ". 1:1(0) ack 1 win 65535"
  t:is(peer:collect { during = "10s" }, {})
  t:is(host:drops "TCP_AOKEYNOTFOUND", 1)
  t:is(server:info().unacked, 0)
end)

tap.test("not together with MD5 for a peer", function(t)
  local _, s = fresh()
  s:option("TCP_AO_ADD_KEY", { addr = PEER, key = "k" })
  t:shows("RFC5925-2.2-1", t:is(try(s, "TCP_MD5SIG", { addr = PEER, key = "m" }), "EKEYREJECTED"))
  s:option("TCP_MD5SIG", { addr = "192.0.2.8", key = "m" })
  t:is(try(s, "TCP_AO_ADD_KEY", { addr = "192.0.2.8", key = "k" }), "EKEYREJECTED")
  t:is(try(s, "TCP_AO_INFO", { ao_required = true }), "EKEYREJECTED")
  local _, s2 = fresh()
  s2:option("TCP_AO_INFO", { ao_required = true })
  t:is(try(s2, "TCP_MD5SIG", { addr = "192.0.2.8", key = "m" }), "EKEYREJECTED")
end)

tap.test("a socket with keys of both kinds for different peers uses the one that fits", function(t)
  for _, addr in ipairs { "192.0.2.8", PEER } do
    local host, peer = auth.station {}
    local s = host:socket("tcp", { nonblock = true })
    s:option("TCP_MD5SIG", { addr = addr, key = "m" })
    s:option("TCP_AO_ADD_KEY", { addr = addr == PEER and "192.0.2.8" or PEER, key = "k" })
    s:try("connect", PEER, 4000)
    local frame = peer:expect "S 0:0(0)"
    local with = addr == PEER and net.tcp_md5 "m" or net.tcp_ao { key = "k" }
    t:shows("RFC5925-2.2-1", t:is((peer:verify(frame, with)), true))
    t:is(s:try "ao_info" ~= nil, addr ~= PEER)
  end
end)

tap.test("connect() without a key for the peer: EKEYREJECTED", function(t)
  local host, s = fresh()
  host:neigh { addr = PEER, mac = "02:00:00:00:00:99" }
  s:option("TCP_AO_ADD_KEY", { addr = "192.0.2.8", key = "k" })
  t:is(select(2, s:try("connect", PEER, 80)), "EKEYREJECTED")
  local _, s2 = fresh()
  s2:option("TCP_AO_INFO", {})
  t:is(select(2, s2:try("connect", PEER, 80)), "EKEYREJECTED")
end)

tap.test("a connection that began unsigned stays so: EISCONN", function(t)
  local host, peer = auth.station {}
  local server = host:socket "tcp"
  server:listen(80)
  peer:to(80):send "S 0:0(0) win 65535 <mss 1000>"
  peer:expect "S. 0:0(0) ack 1"
  peer:send ". 1:1(0) ack 1 win 65535"
  local conn = server:accept()
  t:is(try(conn, "TCP_AO_ADD_KEY", { addr = PEER, key = "k" }), "EISCONN")
  t:is(try(conn, "TCP_AO_INFO", {}), "EISCONN")
  t:is(try(conn, "TCP_AO_DEL_KEY", { addr = PEER }), "EISCONN")
  t:is(select(2, conn:try "ao_keys"), "ENOENT")
end)

tap.test("TCP_AO_ADD_KEY: what is refused", function(t)
  local _, s = fresh()
  local function add(o)
    local key = { addr = PEER, key = "k" }
    for name, value in pairs(o) do key[name] = value end
    return try(s, "TCP_AO_ADD_KEY", key)
  end
  t:is(add { alg = "hmac(whirlpool)" }, "ENOENT")
  t:is(add { maclen = 17 }, "EMSGSIZE")
  t:is(add { alg = "cmac(aes128)", maclen = 17 }, "EMSGSIZE")
  t:is(add { keyflags = 4 }, "EINVAL")
  t:is(add { keyflags = 1, ifindex = 2 }, "EINVAL")
  t:is(add { ifindex = 2 }, "EINVAL")
  t:is(add { prefix = 24 }, "EINVAL")
  t:is(add { prefix = 33 }, "EINVAL")
  t:is(add { addr = "0.0.0.0", prefix = 1 }, "EINVAL")
  t:is(add { prefix = 0 }, "EINVAL")
  t:is(add { addr = "2001:db8::9" }, "EINVAL")
  t:is(select(2, s:try "ao_info"), "ENOENT")
  t:is(add { sndid = 1, rcvid = 2 }, nil)
  t:is(add { sndid = 1, rcvid = 3 }, "EEXIST")
  t:is(add { sndid = 3, rcvid = 2 }, "EEXIST")
  t:is(add { addr = "192.0.2.0", prefix = 24, sndid = 1, rcvid = 9 }, "EEXIST")
  t:is(add { addr = "192.0.2.8", sndid = 1, rcvid = 2 }, nil)
  s:listen(80)
  t:is(add { sndid = 4, rcvid = 4, set_current = true }, "EINVAL")
  t:is(add { sndid = 4, rcvid = 4 }, nil)
end)

tap.test("structures that are too short, or longer with something in them", function(t)
  local _, s = fresh()
  local bytes = ("<I2"):pack(net.C.AF_INET) .. "\0\0\192\0\2\9" .. ("\0"):rep(120) .. "hmac(sha1)" .. ("\0"):rep(54)
  local add = bytes .. ("<i4I4I2BBBBBB"):pack(0, 0, 0, 32, 1, 1, 0, 0, 1) .. "k" .. ("\0"):rep(79)
  t:is(try(s, "TCP_AO_ADD_KEY", add:sub(1, 287)), "EINVAL")
  t:is(try(s, "TCP_AO_ADD_KEY", add .. "\0\1"), "E2BIG")
  t:is(try(s, "TCP_AO_ADD_KEY", add:sub(1, 196) .. "\4\0\0\0" .. add:sub(201)), "EINVAL")
  t:is(try(s, "TCP_AO_ADD_KEY", add:sub(1, 200) .. "\1\0" .. add:sub(203)), "EINVAL")
  t:is(try(s, "TCP_AO_ADD_KEY", add:sub(1, 2) .. "\0\80" .. add:sub(5)), "EINVAL")
  t:is(try(s, "TCP_AO_ADD_KEY", add:sub(1, 207) .. "\81" .. add:sub(209)), "EINVAL")
  t:is(try(s, "TCP_AO_ADD_KEY", add .. ("\0"):rep(8)), nil)
  t:is(try(s, "TCP_AO_DEL_KEY", ("\0"):rep(143)), "EINVAL")
  t:is(try(s, "TCP_AO_INFO", ("\0"):rep(47)), "EINVAL")
  t:is(try(s, "TCP_AO_INFO", ("\0"):rep(48) .. "x"), "E2BIG")
  t:is(try(s, "TCP_AO_INFO", "\32" .. ("\0"):rep(47)), "EINVAL")
  t:is(try(s, "TCP_AO_REPAIR", ("\0"):rep(24)), "EPERM")
  t:is(try(s, "TCP_AO_GET_KEYS", ("\0"):rep(304)), "ENOPROTOOPT")
end)

tap.test("TCP_AO_DEL_KEY: what is not there", function(t)
  local _, s = fresh()
  t:is(try(s, "TCP_AO_DEL_KEY", { addr = PEER, sndid = 1, rcvid = 1 }), "ENOENT")
  s:option("TCP_AO_ADD_KEY", { addr = PEER, key = "k", sndid = 1, rcvid = 2 })
  t:is(try(s, "TCP_AO_DEL_KEY", { addr = PEER, sndid = 1, rcvid = 1 }), "ENOENT")
  t:is(try(s, "TCP_AO_DEL_KEY", { addr = "192.0.2.8", sndid = 1, rcvid = 2 }), "ENOENT")
  t:is(try(s, "TCP_AO_DEL_KEY", { addr = PEER, prefix = 31, sndid = 1, rcvid = 2 }), "ENOENT")
  t:is(try(s, "TCP_AO_DEL_KEY", { addr = PEER, sndid = 1, rcvid = 2, current = 7 }), "ENOENT")
  t:is(try(s, "TCP_AO_DEL_KEY", { addr = PEER, sndid = 1, rcvid = 2, async = true }), "EINVAL")
  t:is(try(s, "TCP_AO_DEL_KEY", { addr = PEER, sndid = 1, rcvid = 2 }), nil)
  t:is(s:ao_keys(), {})
end)

tap.test("TCP_AO_GET_KEYS: all, of a peer, those in use", function(t)
  local _, s = fresh()
  s:option("TCP_AO_ADD_KEY", { addr = PEER, key = "one", sndid = 1, rcvid = 2 })
  s:option("TCP_AO_ADD_KEY", { addr = "192.0.2.8", key = "two", sndid = 1, rcvid = 2, alg = "cmac(aes128)", maclen = 8 })
  s:option("TCP_AO_ADD_KEY", { addr = PEER, key = "three", sndid = 3, rcvid = 4, set_current = true })
  local all = s:ao_keys()
  t:is({ #all, all[1].key, all[2].alg, all[3].key }, { 3, "three", "cmac(aes128)", "one" })
  t:is({ all[2].maclen, #all[2].key }, { 8, 16 })
  local one = s:ao_keys { addr = PEER, sndid = 1, rcvid = 2 }
  t:is({ #one, one[1].key, one[1].prefix }, { 1, "one", 32 })
  t:is(#s:ao_keys { current = true }, 1)
  t:is(#s:ao_keys { rnext = true }, 0)
  t:is(select(2, s:try("ao_keys", { addr = PEER, prefix = 24, sndid = 1 })), "EINVAL")
  t:is(select(2, s:try("ao_keys", { current = true, sndid = 1 })), "EINVAL")
  t:is(select(2, s:try("ao_keys", { current = true, addr = PEER })), "EINVAL")
  t:is(select(2, s:try("ao_keys", { sndid = 1 })), "EAFNOSUPPORT")
end)

tap.test("TCP_AO_INFO: counters are set and read", function(t)
  local _, s = fresh()
  s:option("TCP_AO_INFO", { pkt_good = 5, pkt_bad = 6, pkt_key_not_found = 7, pkt_ao_required = 8,
    pkt_dropped_icmp = 1 << 40, accept_icmps = true })
  t:is(s:ao_info(), { pkt_good = 5, pkt_bad = 6, pkt_key_not_found = 7, pkt_ao_required = 8,
    pkt_dropped_icmp = 1 << 40, accept_icmps = true, ao_required = false })
end)
