-- SPDX-License-Identifier: MIT
-- TCP MD5 signatures (RFC 2385; Linux: TCP_MD5SIG, TCP_MD5SIG_EXT). Two hosts, as only who knows the
-- key can sign; the digest itself is checked in the unit tests.
local tap = require "tap"
local net = require "net"

local C = net.C
local PREFIX = 1

-- struct tcp_md5sig: sockaddr_storage, flags, prefix length, key length, ifindex, key.
local function md5sig(addr, key, flags, prefixlen)
  local bytes = addr:gsub("(%d+)%.?", function(n) return string.char(tonumber(n)) end)
  return ("<I2"):pack(C.AF_INET) .. "\0\0" .. bytes .. ("\0"):rep(120) ..
    ("<I1I1I2i4"):pack(flags or 0, prefixlen or 0, #key, 0) .. key .. ("\0"):rep(80 - #key)
end

-- Server and client, each with the key for the other (nil: none); the client's connect under way.
local function pair(server_key, client_key, sysctl)
  local a = net.host { addr = "192.0.2.1/24", sysctl = sysctl }
  local b = net.host { addr = "192.0.2.2/24", wire = a.wire, sysctl = sysctl }
  local server = a:socket "tcp"
  if server_key then server:option("TCP_MD5SIG", md5sig("192.0.2.2", server_key)) end
  server:listen(179)
  local client = b:socket("tcp", { nonblock = true })
  if client_key then client:option("TCP_MD5SIG", md5sig("192.0.2.1", client_key)) end
  client:try("connect", "192.0.2.1", 179)
  net.sleep "100ms"
  return a, b, server, client
end

for _, timestamps in ipairs { 0, 1 } do
  tap.test("the same key: data flows both ways, tcp_timestamps " .. timestamps, function(t)
    local a, b, server, client = pair("secret", "secret", { ["net.ipv4.tcp_timestamps"] = timestamps })
    local conn = server:accept()
    client:send(("x"):rep(10000))
    net.sleep "100ms"
    t:shows("RFC2385-2.0-1", t:is(#conn:recv(), 10000))
    conn:send "answer"
    net.sleep "100ms"
    t:is((client:recv()), "answer")
    t:is(a:counter "TcpExtTCPMD5Failure" + b:counter "TcpExtTCPMD5Failure", 0)
    conn:close()
    client:close()
    net.sleep "1s"
    t:is(a:counter "TcpExtTCPMD5NotFound" + b:counter "TcpExtTCPMD5NotFound", 0)
  end)
end

tap.test("another key: dropped in silence, counted", function(t)
  local a, b, _, client = pair("secret", "other")
  net.sleep "10s"
  t:is(client:info().state, "SYN_SENT")
  t:ok(a:counter "TcpExtTCPMD5Failure" > 1)
  t:shows("RFC2385-2.0-2", t:shows("RFC2385-2.0-3", t:is(b:counter "TcpInSegs", 0)))
end)

tap.test("no signature where one is due: dropped; one where none is: dropped too", function(t)
  local a, b = pair("secret", nil)
  t:ok(a:counter "TcpExtTCPMD5NotFound" > 0)
  t:is(b:counter "TcpInSegs", 0)
  local c, d = pair(nil, "secret")
  t:ok(c:counter "TcpExtTCPMD5Unexpected" > 0)
  t:is(d:counter "TcpInSegs", 0)
end)

tap.test("a signed SYN has MSS, time stamp, scale and SACK; the SYN,ACK no time stamp beside SACK",
  function(t)
    local host = net.host { addr = "192.0.2.1/24" }
    local peer = host.wire:peer { addr = "192.0.2.9", port = 4000 }
    host:neigh { addr = peer.addr, mac = peer.mac }
    local s = host:socket("tcp", { nonblock = true })
    s:option("TCP_MD5SIG", md5sig("192.0.2.9", "secret"))
    s:try("connect", "192.0.2.9", 4000)
    local names = {}
    for i, o in ipairs(peer:expect "S 0:0(0)".tcp.options) do names[i] = o[1] end
    t:shows("RFC2385-3.0-1", t:is(names, { "nop", "nop", "md5", "mss", "sackok", "ts", "nop", "wscale" }))
    peer:send "S. 0:0(0) ack 1 win 65535 <mss 1460>"
    net.sleep "10ms"
    t:shows("RFC2385-2.0-4", t:is(s:info().state, "SYN_SENT"))
    peer:send "R. 0:0(0) ack 1"
    net.sleep "10ms"
    t:shows("RFC2385-4.1-1", t:is(s:info().state, "SYN_SENT"))
  end)

tap.test("the longest prefix wins; keys are changed and taken away", function(t)
  local a = net.host { addr = "192.0.2.1/24" }
  local b = net.host { addr = "192.0.2.2/24", wire = a.wire }
  local server = a:socket "tcp"
  server:option("TCP_MD5SIG_EXT", md5sig("192.0.2.0", "net", PREFIX, 24))
  server:option("TCP_MD5SIG", md5sig("192.0.2.2", "host"))
  server:listen(179)
  local function connects(key)
    local client = b:socket("tcp", { nonblock = true })
    client:option("TCP_MD5SIG", md5sig("192.0.2.1", key))
    client:try("connect", "192.0.2.1", 179)
    net.sleep "100ms"
    return client:info().state == "ESTABLISHED"
  end
  t:is(connects "net", false)
  t:is(connects "host", true)
  server:option("TCP_MD5SIG", md5sig("192.0.2.2", "new"))
  t:is(connects "new", true)
  server:option("TCP_MD5SIG", md5sig("192.0.2.2", ""))
  t:is(connects "net", true)
  t:is(select(2, server:try("option", "TCP_MD5SIG", md5sig("192.0.2.2", ""))), "ENOENT")
end)

tap.test("what is refused", function(t)
  local host = net.host { addr = "192.0.2.1/24" }
  local s = host:socket "tcp"
  local good = md5sig("192.0.2.2", "k")
  t:is(select(2, s:try("option", "TCP_MD5SIG", good:sub(1, 215))), "EINVAL")
  t:is(select(2, s:try("option", "TCP_MD5SIG", ("\10\0") .. good:sub(3))), "EINVAL")
  t:is(select(2, s:try("option", "TCP_MD5SIG_EXT", md5sig("192.0.2.2", "k", PREFIX, 33))), "EINVAL")
  t:is(select(2, s:try("option", "TCP_MD5SIG",
    good:sub(1, 130) .. ("<I2"):pack(81) .. good:sub(133))), "EINVAL")
end)

tap.test("a reset for a connection with a key is signed", function(t)
  local a, b, server, client = pair("secret", "secret")
  local conn = server:accept()
  client:send "unread"
  net.sleep "10ms"
  conn:close()
  net.sleep "10ms"
  t:is(select(2, client:try "recv"), "ECONNRESET")
  t:is(b:counter "TcpExtTCPMD5NotFound", 0)
end)

-- A host in FIN-WAIT-2 or TIME-WAIT of which the peer knows no key: what it answers is signed.
tap.test("what a connection answers that is TIME-WAIT's is signed", function(t)
  local host = net.host { addr = "192.0.2.1/24" }
  local peer = host.wire:peer { addr = "192.0.2.9", port = 4000 }:to(80)
  host:neigh { addr = peer.addr, mac = peer.mac }
  local server = host:socket "tcp"
  server:listen(80)
  peer:send "S 0:0(0) win 65535 <mss 1000>"
  peer:expect "S. 0:0(0) ack 1"
  peer:send ". 1:1(0) ack 1 win 65535"
  local conn = server:accept()
  conn:shutdown "wr"
  peer:expect "F. 1:1(0) ack 1"
  peer:send ". 1:1(0) ack 2 win 65535"
  net.sleep "1ms"
  conn:option("TCP_MD5SIG", md5sig("192.0.2.9", "secret"))
  conn:close()
  peer:send "F. 1:1(0) ack 2 win 65535"
  local ack = peer:collect { during = "1ms" }[1]
  t:is({ ack.tcp.flags, #ack.tcp.options }, { ".", 3 })
  t:is(ack.tcp.options[3][1], "md5")
  peer:send "F. 1:1(0) ack 2 win 65535"
  t:is(peer:collect { during = "1s" }[1].tcp.options[3][1], "md5")
end)
