-- SPDX-License-Identifier: MIT
-- TCP-AO (RFC 5925, RFC 5926; Linux: TCP_AO_ADD_KEY) in the life of a connection. The peer's keys and
-- MACs are the script library's (net.tcp_ao), which shares no code with the stack.
local tap = require "tap"
local net = require "net"
local auth = require "suite.auth"

local expect = auth.expect

for _, alg in ipairs { "hmac(sha1)", "cmac(aes128)" } do
  for _, ipv6 in ipairs { false, true } do
    local what = ("%s, IPv%d"):format(alg, ipv6 and 6 or 4)

    tap.test("passive open, data both ways, FIN: " .. what, function(t)
      local host, peer, server = auth.listen { alg = alg, ipv6 = ipv6 }
      peer:send "S 0:0(0) win 65535 <mss 1000>"
      local frame = peer:expect "S. 0:0(0) ack 1"
      t:is({ peer:verify(frame) }, { true, 5, 7 })
      peer:send ". 1:1(0) ack 1 win 65535"
      net.sleep "1ms"
      local conn = server:accept()
      conn:send "hello"
      expect(t, peer, "P. 1:6(5) ack 1")
      peer:send "P. 1:4(3) ack 6 win 65535"
      expect(t, peer, ". 6:6(0) ack 4", { within = "100ms" })
      t:is(#conn:recv(), 3)
      conn:close()
      expect(t, peer, "F. 6:6(0) ack 4")
      peer:send "F. 4:4(0) ack 7 win 65535"
      expect(t, peer, ". 7:7(0) ack 5")
      t:is(host:counter "TcpExtTCPAOBad", 0)
      t:is(host:counter "TcpExtTCPAOGood", 4)
    end)

    tap.test("active open: " .. what, function(t)
      local _, peer, s = auth.connecting { alg = alg, ipv6 = ipv6 }
      -- RFC 5925 5.2: the SYN's traffic key knows nothing of the peer.
      t:shows("RFC5925-5.2-1", expect(t, peer, "S 0:0(0)"))
      peer:send "S. 0:0(0) ack 1 win 65535 <mss 1000>"
      expect(t, peer, ". 1:1(0) ack 1")
      s:send "hello"
      expect(t, peer, "P. 1:6(5) ack 1")
      t:is(s:info().state, "ESTABLISHED")
    end)
  end
end

tap.test("an IPv6 socket with a key for an IPv4 peer", function(t)
  local host, peer = auth.station {}
  local server = host:socket "tcp6"
  local key = auth.key(peer)
  key.addr = "::ffff:192.0.2.9"
  key.prefix = 32
  server:option("TCP_AO_ADD_KEY", key)
  server:listen(80)
  peer:to(80):send "S 0:0(0) win 65535 <mss 1000>"
  expect(t, peer, "S. 0:0(0) ack 1")
  peer:send ". 1:1(0) ack 1 win 65535"
  net.sleep "1ms"
  server:accept():send "x"
  expect(t, peer, "P. 1:2(1) ack 1")
end)

tap.test("two hosts: 200 kB with time stamps, SACK and a tenth of the frames lost", function(t)
  local a, b, server, client = auth.pair()
  local conn = server:accept()
  a.wire:set { loss = 100000 }
  net.spawn(function() client:option("SO_SNDBUF", 400000) client:send(("x"):rep(200000)) end)
  local got = 0
  for _ = 1, 2000 do
    local data = conn:try("recv", { size = 65536, flags = "dontwait" })
    if data then got = got + #data else net.sleep "100ms" end
    if got == 200000 then break end
  end
  t:is(got, 200000)
  t:is(a:counter "TcpExtTCPAOBad" + b:counter "TcpExtTCPAOBad", 0)
  t:ok(b:counter "TcpRetransSegs" > 0)
end)

for _, mac in ipairs { { 4, 8 }, { 12, 16 }, { 13, 20 }, { 16, 20 } } do
  local maclen, room = table.unpack(mac)
  tap.test(("a MAC of %d bytes takes %d of the header, and of the segments"):format(maclen, room), function(t)
    local _, peer, conn = auth.passive { maclen = maclen }
    conn:send(("x"):rep(1000 - room + 1))
    local frame = expect(t, peer, (". 1:%d(%d) ack 1"):format(1001 - room, 1000 - room))
    expect(t, peer, ("P. %d:%d(1) ack 1"):format(1001 - room, 1002 - room))
    t:is(frame.tcp.doff, (20 + room) // 4)
  end)
end

tap.test("options are left out of the MAC with TCP_AO_KEYF_EXCLUDE_OPT", function(t)
  local _, peer, conn = auth.passive { exclude_options = true, syn = "mss 1000,TS val 1 ecr 0" }
  conn:send "x"
  local frame = peer:expect "P. 1:2(1) ack 1"
  t:is(#frame.tcp.options, 4)
  t:ok((peer:verify(frame)))
  -- Somebody on the way changes the time stamp.
  local options = frame.tcp.options
  for _, o in ipairs(options) do if o[1] == "ts" then o[2] = o[2] + 1 end end
  frame.tcp.options = options
  t:ok((peer:verify(frame)))
end)

tap.test("with options in the MAC (the default) none can be changed on the way", function(t)
  local _, peer, conn = auth.passive { syn = "mss 1000,TS val 1 ecr 0" }
  conn:send "x"
  local frame = expect(t, peer, "P. 1:2(1) ack 1")
  local options = frame.tcp.options
  for _, o in ipairs(options) do if o[1] == "ts" then o[2] = o[2] + 1 end end
  frame.tcp.options = options
  -- RFC 5925 7.4: the MAC is over all that is in the segment in the end.
  t:shows("RFC5925-7.4-1", t:is((peer:verify(frame)), false))
end)

tap.test("options of a signed SYN and SYN,ACK", function(t)
  local function names(frame)
    local list = {}
    for i, o in ipairs(frame.tcp.options) do list[i] = o[1] end
    return table.concat(list, " ")
  end
  local _, peer = auth.connecting()
  t:is(names(peer:expect "S 0:0(0)"), "ao mss sackok ts nop wscale")
  local _, peer2 = auth.listen()
  peer2:send "S 0:0(0) win 65535 <mss 1000,sackOK,TS val 1 ecr 0,nop,wscale 7>"
  -- No SACK block would fit beside time stamps.
  t:is(names(peer2:expect "S. 0:0(0) ack 1"), "ao mss nop nop sackok nop wscale")
end)

tap.test("simultaneous open", function(t)
  local _, peer, s = auth.connecting()
  expect(t, peer, "S 0:0(0)")
  peer:send "S 0:0(0) win 65535 <mss 1000>"
  expect(t, peer, "S. 0:0(0) ack 1")
  peer:send ". 1:1(0) ack 1 win 65535"
  net.sleep "1ms"
  t:is(s:info().state, "ESTABLISHED")
  s:send "x"
  expect(t, peer, "P. 1:2(1) ack 1")
end)

tap.test("simultaneous open, closed before the peer's ACK: the FIN is signed", function(t)
  local _, peer, s = auth.connecting()
  expect(t, peer, "S 0:0(0)")
  peer:send "S 0:0(0) win 65535 <mss 1000>"
  expect(t, peer, "S. 0:0(0) ack 1")
  s:close()
  expect(t, peer, "F. 1:1(0) ack 1")
  peer:send "R. 1:1(0) ack 2"
  net.sleep "1ms"
end)

tap.test("SYN cookies: the ACK brings back that the connection is signed", function(t)
  local host, peer, server = auth.listen { sysctl = { ["net.ipv4.tcp_syncookies"] = 2 } }
  peer:send "S 0:0(0) win 65535 <mss 1000>"
  expect(t, peer, "S. 0:0(0) ack 1")
  peer:send ". 1:1(0) ack 1 win 65535"
  net.sleep "1ms"
  t:is(host:counter "TcpExtSyncookiesRecv", 1)
  server:accept():send "x"
  expect(t, peer, "P. 1:2(1) ack 1")
end)

tap.test("fast open: data in the SYN is signed with it", function(t)
  local sysctl = { ["net.ipv4.tcp_fastopen"] = 0x603 }
  local host, peer = auth.station { sysctl = sysctl }
  local server = host:socket "tcp"
  server:option("TCP_AO_ADD_KEY", auth.key(peer))
  server:option("TCP_FASTOPEN", 5)
  server:listen(80)
  peer:to(80):send "S 0:5(5) win 65535 <mss 1000>"
  expect(t, peer, "S. 0:0(0) ack 6")
  local conn = server:accept()
  t:is(#conn:recv(), 5)
  conn:send "early"
  expect(t, peer, "P. 1:6(5) ack 6")
  peer:send ". 6:6(0) ack 6 win 65535"
  net.sleep "1ms"
  t:is(conn:info().state, "ESTABLISHED")
  t:is(host:counter "TcpExtTCPAOBad", 0)
end)

tap.test("the SYN again, the SYN,ACK again, a segment again: each is signed anew", function(t)
  local _, peer, s = auth.connecting()
  expect(t, peer, "S 0:0(0)")
  expect(t, peer, "S 0:0(0)", { within = "2s" })
  peer:send "S. 0:0(0) ack 1 win 65535 <mss 1000>"
  expect(t, peer, ". 1:1(0) ack 1")
  s:send "x"
  expect(t, peer, "P. 1:2(1) ack 1")
  expect(t, peer, "P. 1:2(1) ack 1", { within = "4s" })
  local _, peer2 = auth.listen()
  peer2:send "S 0:0(0) win 65535 <mss 1000>"
  expect(t, peer2, "S. 0:0(0) ack 1")
  expect(t, peer2, "S. 0:0(0) ack 1", { within = "2s" })
end)

tap.test("keepalive probes and their answers are signed", function(t)
  local _, peer, conn = auth.passive()
  conn:option("SO_KEEPALIVE", true)
  conn:option("TCP_KEEPIDLE", 1)
  expect(t, peer, ". 0:0(0) ack 1", { within = "2s" })
  peer:send ". 1:1(0) ack 1 win 65535"
  peer:send ". 0:0(0) ack 1 win 65535"
  expect(t, peer, ". 1:1(0) ack 1")
end)

-- RFC 5925 6.2: the MAC is over a sequence number of 64 bits.
local function pinned(isn)
  return { ["tapline.tcp.isn_pinned"] = 1, ["tapline.tcp.isn"] = isn < 0x80000000 and isn or isn - 0x100000000 }
end

for _, isn in ipairs { 0xffffff00, 0xffffffff, 0xfffffffe } do
  tap.test(("sequence numbers of both sides wrap behind %#x: what follows is signed as of the next round"):format(isn),
    function(t)
      local host, peer, conn = auth.passive { isn = isn, sysctl = pinned(isn) }
      conn:send(("x"):rep(1500))
      expect(t, peer, ". 1:985(984) ack 1")
      expect(t, peer, "P. 985:1501(516) ack 1")
      peer:send ". 1:601(600) ack 985 win 65535"
      peer:send ". 601:1201(600) ack 1501 win 65535"
      for _, frame in ipairs(peer:collect { during = "1ms" }) do t:ok((peer:verify(frame))) end
      t:is(#conn:recv { size = 4000 }, 1200)
      t:is(conn:info().unacked, 0)
      t:is(host:counter "TcpExtTCPAOBad", 0)
    end)
end

tap.test("sent again from before the wrap: with the number of its round", function(t)
  local _, peer, conn = auth.passive { sysctl = pinned(0xfffffff0) }
  conn:option("TCP_NODELAY", true)
  conn:send(("x"):rep(10))
  expect(t, peer, "P. 1:11(10) ack 1")
  conn:send(("y"):rep(100))
  expect(t, peer, "P. 11:111(100) ack 1")
  -- The tail is asked about first, then all goes again.
  peer:send ". 1:1(0) ack 1 win 65535"
  local again = peer:collect { during = "3s" }
  t:ok(#again >= 2)
  local low = 0
  for _, frame in ipairs(again) do
    t:ok((peer:verify(frame)))
    if frame.tcp.seq > 0xff000000 then low = low + 1 end
  end
  t:ok(low >= 1)
end)

tap.test("a segment that was signed for another round is no good", function(t)
  local host, peer, conn = auth.passive { isn = 0xffffff00 }
  peer:send ". 1:1001(1000) ack 1 win 65535"
  net.sleep "1ms"
  t:is(conn:ao_info().pkt_bad, 0)
  peer:send(peer:signed("P. 1001:1011(10) ack 1 win 65535", { sne = 0 }), { auth = false })
  net.sleep "1ms"
  t:is(conn:ao_info().pkt_bad, 1)
  peer:send "P. 1001:1011(10) ack 1 win 65535"
  for _, frame in ipairs(peer:collect { during = "1ms" }) do t:ok((peer:verify(frame))) end
  t:is(#conn:recv { size = 4000 }, 1010)
  t:is(host:counter "TcpExtTCPAOBad", 1)
end)
