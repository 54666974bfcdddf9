-- SPDX-License-Identifier: MIT
-- TCP-AO: what is dropped, in silence (RFC 5925 2.2, 7.3, 7.5), what a connection is spared by it, and
-- how Linux counts it.
local tap = require "tap"
local net = require "net"
local auth = require "suite.auth"

-- A packet whose MAC is not right any more.
local function spoiled(packet)
  local options = packet.tcp.options
  local mac = options[1].data
  options[1].data = mac:sub(1, -2) .. string.char(mac:byte(-1) ~ 1)
  packet.tcp.options = options
  return packet
end

-- Sends it as it is; what the host answered.
local function answer(peer, packet)
  peer:send(packet, { auth = false })
  return peer:collect { during = "10ms" }
end

local function counters(host)
  return { good = host:counter "TcpExtTCPAOGood", bad = host:counter "TcpExtTCPAOBad",
    no_key = host:counter "TcpExtTCPAOKeyNotFound", required = host:counter "TcpExtTCPAORequired" }
end

tap.test("a wrong MAC in a connection: dropped in silence, counted by host, socket and key", function(t)
  local host, peer, conn = auth.passive()
  local before = conn:ao_info()
  t:shows("RFC5925-7.3-1",
    t:is(answer(peer, spoiled(peer:signed "P. 1:11(10) ack 1 win 65535")), {}))
  t:is(select(2, conn:try("recv", { flags = "dontwait" })), "EAGAIN")
  t:is(host:drops "TCP_AOFAILURE", 1)
  local info = conn:ao_info()
  t:is({ info.pkt_bad, info.pkt_good }, { 1, before.pkt_good })
  t:is(conn:ao_keys()[1].pkt_bad, 1)
  t:is(counters(host).bad, 1)
end)

tap.test("a SYN with a wrong MAC makes no request", function(t)
  local host, peer = auth.listen()
  local packet = spoiled(peer:signed "S 0:0(0) win 65535 <mss 1000>")
  t:shows("RFC5925-7.5-1", t:is(answer(peer, packet), {}))
  t:is(host:drops "TCP_AOFAILURE", 1)
  peer:send "S 0:0(0) win 65535 <mss 1000>"
  t:ok((peer:verify(peer:expect "S. 0:0(0) ack 1")))
end)

tap.test("unsigned segments are dropped where there is a key for the peer", function(t)
  local host, peer, server = auth.listen()
  t:is(answer(peer, peer:segment "S 0:0(0) win 65535 <mss 1000>"), {})
  t:is(host:drops "TCP_AONOTFOUND", 1)
  t:is(server:ao_info().pkt_ao_required, 1)
  peer:send "S 0:0(0) win 65535 <mss 1000>"
  peer:expect "S. 0:0(0) ack 1"
  peer:send ". 1:1(0) ack 1 win 65535"
  net.sleep "1ms"
  local conn = server:accept()
  t:is(answer(peer, peer:segment "P. 1:11(10) ack 1 win 65535"), {})
  t:is(select(2, conn:try("recv", { flags = "dontwait" })), "EAGAIN")
  t:is(conn:ao_info().pkt_ao_required, 1)
  t:is(counters(host).required, 2)
end)

tap.test("resets, FINs and SYNs that nobody signed leave a connection as it is", function(t)
  local host, peer, conn = auth.passive()
  for _, text in ipairs { "R 1:1(0)", "R. 1:1(0) ack 1", "F. 1:1(0) ack 1 win 100", "S 1:1(0) win 100" } do
    t:is(answer(peer, peer:segment(text)), {})
    t:is(answer(peer, spoiled(peer:signed(text))), {})
  end
  t:is(conn:info().state, "ESTABLISHED")
  t:is(host:counter "TcpExtTCPChallengeACK", 0)
  peer:send "R. 1:1(0) ack 1"
  net.sleep "1ms"
  t:is(conn:info().state, "CLOSE")
end)

tap.test("a KeyID that there is no key for", function(t)
  local host, peer, conn = auth.passive()
  t:shows("RFC5925-3.3-1", t:is(answer(peer, peer:signed("P. 1:11(10) ack 1 win 65535", { keyid = 8 })), {}))
  t:is(host:drops "TCP_AOKEYNOTFOUND", 1)
  t:is(conn:ao_info().pkt_key_not_found, 1)
  t:is(counters(host).no_key, 1)
  local host2, peer2 = auth.listen()
  t:is(answer(peer2, peer2:signed("S 0:0(0) win 65535", { keyid = 8 })), {})
  t:is(host2:drops "TCP_AOKEYNOTFOUND", 1)
end)

tap.test("a MAC shorter or longer than the key's", function(t)
  local host, peer = auth.passive()
  for i, maclen in ipairs { 4, 11, 16 } do
    peer:auth(net.tcp_ao { key = "secret", sndid = 7, rcvid = 5, maclen = maclen })
    t:is(answer(peer, peer:signed "P. 1:11(10) ack 1 win 65535"), {})
    t:is(host:drops "TCP_AOFAILURE", i)
  end
end)

-- A segment of a signed connection with these options instead of its own.
local function with_options(peer, make)
  local packet = peer:signed "P. 1:11(10) ack 1 win 65535"
  packet.tcp.options = make(packet.tcp.options[1])
  return packet
end

local bad_headers = {
  { "two options of TCP-AO", "RFC5925-2.2-3", function(ao) return { ao, { "ao", data = "\7\5" .. ("x"):rep(12) } } end },
  { "TCP-AO and MD5", "RFC5925-2.2-2", function(ao) return { ao, { "md5", data = ("x"):rep(16) }, "nop", "nop" } end },
  { "MD5 and TCP-AO", "RFC5925-2.2-2", function(ao) return { { "md5", data = ("x"):rep(16) }, "nop", "nop", ao } end },
  { "TCP-AO of length 2", "RFC5925-2.2-4", function() return { { "ao", data = "" }, "nop", "nop", "nop", "nop" } end },
  { "TCP-AO of length 3", "RFC5925-2.2-4", function() return { { "ao", data = "\7" }, "nop", "nop", "nop", "nop", "nop" } end },
  { "TCP-AO of length 4, without a MAC", "RFC5925-2.2-4", function() return { { "ao", data = "\7\5" }, "nop", "nop", "nop", "nop" } end },
  { "TCP-AO of length 0", "RFC5925-2.2-4", function() return { { "ao", data = ("x"):rep(14), length = 0 } } end },
  { "TCP-AO of length 1", "RFC5925-2.2-4", function() return { { "ao", data = ("x"):rep(14), length = 1 } } end },
  { "TCP-AO beyond the header", "RFC5925-2.2-4", function() return { { "ao", data = "\7\5" .. ("x"):rep(12), length = 17 } } end },
  { "another option beyond the header, behind TCP-AO", "RFC5925-2.2-4",
    function(ao) return { ao, { 253, data = "123456", length = 9 } } end },
}

for _, case in ipairs(bad_headers) do
  local name, id, make = table.unpack(case)
  tap.test("dropped in silence: " .. name, function(t)
    local host, peer, conn = auth.passive()
    t:shows(id, t:is(answer(peer, with_options(peer, make)), {}))
    t:is(host:drops "TCP_AUTH_HDR", 1)
    t:is(conn:info().state, "ESTABLISHED")
    t:is(select(2, conn:try("recv", { flags = "dontwait" })), "EAGAIN")
  end)
end

tap.test("a request that began signed takes only signed segments", function(t)
  local host, peer, server = auth.listen()
  peer:send "S 0:0(0) win 65535 <mss 1000>"
  peer:expect "S. 0:0(0) ack 1"
  t:is(answer(peer, peer:segment ". 1:1(0) ack 1 win 65535"), {})
  t:is(host:drops "TCP_AOFAILURE", 1)
  t:is(server:info().unacked, 0) -- nobody waits to be accepted
  peer:send ". 1:1(0) ack 1 win 65535"
  net.sleep "1ms"
  t:ok(server:accept())
end)

tap.test("a request that began unsigned does not become a signed connection", { profile = "linux" }, function(t)
  local host, peer = auth.station {}
  local server = host:socket "tcp"
  server:option("TCP_AO_ADD_KEY", { addr = "192.0.2.77", key = "secret" })
  server:listen(80)
  auth.key(peer)
  peer:to(80):send("S 0:0(0) win 65535 <mss 1000>", { auth = false })
  peer:expect "S. 0:0(0) ack 1"
  t:is(answer(peer, peer:signed ". 1:1(0) ack 1 win 65535"), {})
  t:is(host:drops "TCP_AOFAILURE", 1)
  peer:send(". 1:1(0) ack 1 win 65535", { auth = false })
  net.sleep "1ms"
  local conn = server:accept()
  t:is(select(2, conn:try "ao_info"), "ENOENT")
  conn:send "x"
  t:is(peer:expect "P. 1:2(1) ack 1".tcp.options, {})
end)

-- RFC 5925 7.3: TCP-AO without a matching key.
tap.test("a host that has no key of TCP-AO takes a signed SYN for an unsigned one", function(t)
  local host, peer = auth.station {}
  host:socket "tcp":listen(80)
  auth.key(peer)
  peer:to(80):send "S 0:0(0) win 65535 <mss 1000>"
  t:shows("RFC5925-7.3-2", t:is(#peer:expect "S. 0:0(0) ack 1".tcp.options, 1))
end)

tap.test("a signed SYN for a listener without keys, where others have some: Linux drops it",
  { profile = "linux" }, function(t)
    local host, peer = auth.listen()
    host:socket "tcp":listen(81)
    t:is(answer(peer:to(81), peer:signed "S 0:0(0) win 65535 <mss 1000>"), {})
    t:is(host:drops "TCP_AOUNEXPECTED", 1)
    t:is(counters(host).no_key, 1)
  end)

tap.test("the same by the RFC: it is taken for an unsigned one, unless a key for the peer is there",
  { profile = "rfc" }, function(t)
    local host, peer = auth.listen()
    host:socket "tcp":listen(81)
    peer:to(81):send "S 0:0(0) win 65535 <mss 1000>"
    t:shows("RFC5925-7.3-2", t:is(#peer:expect "S. 0:0(0) ack 1".tcp.options, 1))
    peer:send ". 1:1(0) ack 1 win 65535"
    t:is(peer:collect { during = "1ms" }, {})
    peer:fresh { port = 4001, to = 80 }
    t:is(answer(peer, peer:signed("S 0:0(0) win 65535 <mss 1000>", { keyid = 9 })), {})
    t:is(host:drops "TCP_AOKEYNOTFOUND", 1)
  end)

tap.test("ao_required: unsigned segments are dropped from everybody", function(t)
  local host, peer = auth.station {}
  local server = host:socket "tcp"
  server:option("TCP_AO_INFO", { ao_required = true })
  server:listen(80)
  t:is(answer(peer:to(80), peer:segment "S 0:0(0) win 65535 <mss 1000>"), {})
  t:is(host:drops "TCP_AONOTFOUND", 1)
  server:option("TCP_AO_INFO", {})
  peer:send "S 0:0(0) win 65535 <mss 1000>"
  peer:expect "S. 0:0(0) ack 1"
  t:is(server:ao_info().pkt_ao_required, 1)
end)

-- RFC 5925 7.8: hard ICMP errors about a signed connection are not believed.
local function quote(frame, code, type)
  local inner = net.ip { src = frame.ip.src, dst = frame.ip.dst, proto = "tcp" } /
    net.tcp { sport = frame.tcp.sport, dport = frame.tcp.dport, seq = frame.tcp.seq }
  return net.icmp { type = type or 3, code = code } / inner:bytes():sub(1, 28)
end

tap.test("ICMP: protocol and port unreachable, fragmentation needed end or shrink no signed connection",
  function(t)
    local host, peer, conn = auth.passive()
    conn:option("IP_RECVERR", true)
    conn:send "x"
    local frame = peer:expect "P. 1:2(1) ack 1"
    for i, code in ipairs { 2, 3, 4 } do
      peer:send(quote(frame, code))
      net.sleep "1ms"
      t:is(conn:ao_info().pkt_dropped_icmp, i)
    end
    t:is(host:counter "TcpExtTCPAODroppedIcmps", 3)
    t:is(conn:option "SO_ERROR", 0)
    peer:send(quote(frame, 1)) -- host unreachable: no hard error
    net.sleep "1ms"
    t:is(conn:option "SO_ERROR", 113)
    conn:option("TCP_AO_INFO", { accept_icmps = true })
    peer:send(quote(frame, 3))
    net.sleep "1ms"
    t:is(conn:option "SO_ERROR", 111)
  end)

tap.test("ICMP: a signed opening is given up for it", function(t)
  local _, peer, s = auth.connecting()
  peer:send(quote(peer:expect "S 0:0(0)", 3))
  net.sleep "1ms"
  t:is(s:option "SO_ERROR", 111)
end)
