-- SPDX-License-Identifier: MIT
-- The calls of the user (RFC 9293 3.9.1, 3.10.1 to 3.10.5) and what they set of the segments: local
-- address, Diffserv, TTL; options in odd places (3.2); the window as a number (3.1).
local tap = require "tap"
local net = require "net"
local tcp = require "suite.tcp"
local ip = net.ip

-- Opening -----------------------------------------------------------------------------------------

local function two_addresses()
  local host = net.host { addr = { "192.0.2.1/24", "192.0.2.2/24" } }
  local peer = host.wire:peer { addr = "192.0.2.9", port = 4000 }
  host:neigh { addr = peer.addr, mac = peer.mac }
  return host, peer, host:socket("tcp", { nonblock = true })
end

tap.test("an active OPEN from a local address of the user's choice", function(t)
  local _, peer, client = two_addresses()
  client:bind("192.0.2.2", 5555)
  client:try("connect", "192.0.2.9", 4000)
  local syn = peer:expect(ip{ src = "192.0.2.2" } / net.tcp{ flags = "S", sport = 5555, dport = 4000 })
  t:shows("RFC9293-MUST-43", t:is(syn.ip.src, "192.0.2.2"))
end)

tap.test("an active OPEN without one: IP chooses it, and it stays", function(t)
  local _, peer, client = tcp.connecting()
  t:shows("RFC9293-MUST-44", t:is(client:name().addr, "192.0.2.1"))
  peer:send "S. 0:0(0) ack 1 win 65535 <mss 1460>"
  peer:expect ". 1:1(0) ack 1"
  client:send "x"
  t:shows("RFC9293-MUST-45", t:is(peer:expect("P. 1:2(1) ack 1").ip.src, "192.0.2.1"))
end)

tap.test("a passive OPEN leaves the connections of its port as they are", function(t)
  local host, peer, conn, server = tcp.passive { options = { SO_REUSEADDR = 1 } }
  server:close()
  local again = host:socket "tcp"
  again:option("SO_REUSEADDR", 1)
  again:listen(80)
  peer:send "P. 1:6(5) ack 1"
  peer:expect ". 1:1(0) ack 6"
  t:shows("RFC9293-MUST-41", t:is(tcp.got(conn), net.pattern(1, 5)))
  t:is(conn:info().state, "ESTABLISHED")
end)

tap.test("LISTEN on a port while another socket of that port is in SYN-SENT", function(t)
  local host, peer, client = two_addresses()
  client:option("SO_REUSEADDR", 1)
  client:bind(80)
  client:try("connect", "192.0.2.9", 4000)
  peer:to(80):expect "S 0:0(0)"
  local server = host:socket "tcp"
  server:option("SO_REUSEADDR", 1)
  t:is(client:info().state, "SYN_SENT")
  server:listen(80)
  peer:fresh { port = 4001, to = 80 }
  peer:send "S 0:0(0) win 65535 <mss 1460>"
  t:shows("RFC9293-MUST-42", peer:expect "S. 0:0(0) ack 1")
end)

tap.test("an active OPEN without a foreign socket is an error; a second CLOSE too", function(t)
  local host = net.host { addr = "192.0.2.1/24" }
  local client = host:socket "tcp"
  local _, err = client:try("send", "x")
  t:is(err, "EPIPE")
  t:shows("RFC9293-3.10.2-1", t:is(client:info().state, "CLOSE"))
  client:close()
  t:shows("RFC9293-3.9.1.4-1", t:error(function() client:close() end, "."))
end)

tap.test("SEND after one's own FIN: the connection is closing", function(t)
  for _, state in ipairs { "FIN_WAIT1", "FIN_WAIT2", "CLOSING", "LAST_ACK" } do
    local _, _, conn = tcp.state(state)
    local _, err = conn:try("send", "x", { flags = "nosignal" })
    t:shows("RFC9293-3.10.2-3", t:is(err, "EPIPE"))
  end
end)

tap.test("RECEIVE in CLOSE-WAIT: what is there, then the end", function(t)
  local _, peer, conn = tcp.passive()
  peer:send "FP. 1:6(5) ack 1"
  peer:expect(". 1:1(0) ack 7", { within = "50ms" })
  t:is((conn:recv()), net.pattern(1, 5))
  t:shows("RFC9293-3.10.3-1", t:is((conn:recv()), ""))
end)

tap.test("ABORT sends a reset with the next number; in CLOSING and LAST-ACK none", function(t)
  local function abort(state)
    local _, peer, conn = tcp.state(state)
    conn:option("SO_LINGER", { 1, 0 })
    conn:close()
    return peer
  end
  abort("ESTABLISHED"):expect "R. 1:1(0) ack 1"
  abort("FIN_WAIT1"):expect "R. 2:2(0) ack 1"
  t:shows("RFC9293-3.10.5-1", abort("CLOSE_WAIT"):expect "R. 1:1(0) ack 2")
  abort("CLOSING"):expect_nothing { during = "100ms" }
  t:shows("RFC9293-3.10.5-2", abort("LAST_ACK"):expect_nothing { during = "100ms" })
end)

tap.test("a reset empties the queues and tells the pending calls", function(t)
  local _, peer, conn = tcp.passive()
  local waiting = net.spawn(function() return select(2, conn:try "recv") end)
  net.sleep "1ms"
  peer:send "R. 1:1(0) ack 1"
  t:shows("RFC9293-3.10.7.4-9", t:is(waiting:join(), "ECONNRESET"))
  t:is(conn:info().unacked, 0)
end)

tap.test("a reset in CLOSING and LAST-ACK ends it in silence", function(t)
  for _, state in ipairs { "CLOSING", "LAST_ACK" } do
    local host, peer = tcp.state(state)
    peer:send "R. 2:2(0) ack 1"
    t:shows("RFC9293-3.10.7.4-10", peer:expect_nothing { during = "10s" })
    local left = 0
    for _, socket in ipairs(host:sockets()) do left = left + (socket.rport == 4000 and 1 or 0) end
    t:is(left, 0)
  end
end)

-- What the user sets of segments ------------------------------------------------------------------

tap.test("Diffserv: from the SYN,ACK's successors on as the user says, and it may change", function(t)
  local _, peer, conn = tcp.passive()
  conn:option("TCP_NODELAY", 1)
  conn:option("IP_TOS", 0x48)
  conn:send "a"
  t:shows("RFC9293-MUST-48", t:shows("RFC9293-SHLD-22", t:is(peer:expect("P. 1:2(1) ack 1").ip.tos, 0x48)))
  conn:option("IP_TOS", 0x28)
  conn:send "b"
  t:shows("RFC9293-SHLD-21", t:is(peer:expect("P. 2:3(1) ack 1").ip.tos, 0x28))
end)

tap.test("TTL of segments", function(t)
  local _, peer, conn = tcp.passive()
  conn:option("IP_TTL", 7)
  conn:send "a"
  t:shows("RFC9293-MUST-49", t:is(peer:expect("P. 1:2(1) ack 1").ip.ttl, 7))
end)

-- Options -----------------------------------------------------------------------------------------

tap.test("IP options that mean nothing to TCP are ignored", function(t)
  local _, peer, conn = tcp.passive()
  local segment = peer:segment "P. 1:6(5) ack 1"
  segment.ip.options = "\1\30\4\0\0\0\0\0"
  peer:send(segment)
  t:shows("RFC9293-MUST-50", peer:expect ". 1:1(0) ack 6")
  t:is(#tcp.got(conn), 5)
end)

tap.test("options in any segment, at any octet, up to the end of the list", function(t)
  local _, peer = tcp.listen()
  -- NOP; MSS on an odd octet; window scale; the end; and behind it what would be another MSS.
  peer:send "S 0:0(0) win 65535 <nop,mss 700,wscale 3,eol,kind 2 0064>"
  t:shows("RFC9293-MUST-64", t:shows("RFC9293-MUST-4", peer:expect "S. 0:0(0) ack 1 <mss 1460,nop,wscale 10>"))
  peer:send ". 1:1(0) ack 1 win 65535"
end)

tap.test("nothing behind the end of the option list counts", function(t)
  local _, peer, server = tcp.listen()
  peer:send "S 0:0(0) win 65535 <mss 700,eol,kind 2 0064>"
  peer:expect "S. 0:0(0) ack 1"
  peer:send ". 1:1(0) ack 1 win 65535"
  local conn = server:accept()
  conn:option("TCP_NODELAY", 1)
  conn:send(("x"):rep(1400))
  t:shows("RFC9293-3.2-3", t:is(tcp.sent(peer), "1:701 701:1401"))
end)

tap.test("an unknown option in a data segment does no harm", function(t)
  local _, peer, conn = tcp.passive()
  peer:send "P. 1:6(5) ack 1 win 65535 <kind 200 0102,nop,nop>"
  t:shows("RFC9293-MUST-5", t:shows("RFC9293-MUST-68", peer:expect ". 1:1(0) ack 6 <>"))
  t:is(#tcp.got(conn), 5)
end)

tap.test("the MSS option is in SYNs alone, and no more than the MTU less 40", function(t)
  local _, peer, conn = tcp.passive { mtu = 900 }
  conn:send "x"
  t:shows("RFC9293-MUST-65", peer:expect "P. 1:2(1) ack 1 <>")
  peer:send ". 1:1(0) ack 2"
  local _, other = tcp.connecting { mtu = 900 }
  local mss = other:expect("S 0:0(0)", { at = "+1s" }).tcp.options[1]
  t:shows("RFC9293-MUST-67", t:is(mss, { "mss", 860 }))
end)

-- Windows, order ----------------------------------------------------------------------------------

tap.test("a window of 65535 is that, not -1", function(t)
  local _, peer, conn = tcp.passive { syn = "mss 1460", win = 65535 }
  conn:option("SO_SNDBUF", 300000)
  conn:send(("x"):rep(100000))
  local acked = 1
  for _ = 1, 12 do
    for _, frame in ipairs(peer:collect { during = "1ms" }) do
      local stop = (frame.tcp.seq - peer.tcp.host_isn & 0xffffffff) + #(frame.payload or "")
      acked = math.max(acked, stop)
    end
    peer:send((". 1:1(0) ack %d win 65535"):format(acked))
  end
  t:shows("RFC9293-MUST-1", t:ok(acked > 65536))
end)

tap.test("the window is shut while data waits: it is probed as any", function(t)
  local _, peer, conn = tcp.passive { rtt = 100 }
  conn:option("TCP_NODELAY", 1)
  conn:send "hello"
  peer:expect "P. 1:6(5) ack 1"
  peer:send ". 1:1(0) ack 6 win 0"
  net.sleep "1ms"
  conn:send "more"
  t:shows("RFC9293-MUST-35", peer:expect(". 5:5(0) ack 1", { within = "400ms" }))
  peer:send ". 1:1(0) ack 6 win 100"
  peer:expect("P. 6:10(4) ack 1", { data = "more" })
end)

tap.test("a segment for a closed window is answered with the window as it is", function(t)
  local _, peer = tcp.passive { options = { SO_RCVBUF = 4096 } }
  local next = 1
  while true do
    peer:send((". %d:%d(500) ack 1"):format(next, next + 500))
    local frame = peer:expect(net.tcp{ flags = "." }, { within = "100ms" })
    next = frame.tcp.ack - 1000000
    if frame.tcp.window < 500 then break end
  end
  peer:send((". %d:%d(500) ack 1"):format(next + 600, next + 1100))
  local answer = peer:expect((". 1:1(0) ack %d"):format(next))
  t:shows("RFC9293-3.8.6.1-1", t:ok(answer.tcp.window < 500))
end)

tap.test("profile linux: a segment that goes beyond the window is taken whole or not at all", { profile = "linux" }, function(t)
  local _, peer, conn = tcp.passive()
  peer:send ". 1:2(1) ack 1"
  peer:expect ". 1:1(0) ack 2"
  peer:send ". 64001:65001(1000) ack 1" -- the window ends at 64241, and there is data to be read
  peer:expect(". 1:1(0) ack 2", { within = "1ms" })
  t:is(conn:info().rcv_ooopack, 0)
end)

tap.test("a SYN from a broadcast or multicast source is ignored", function(t)
  local host, peer = tcp.listen { sysctl = { ["net.ipv4.conf.all.rp_filter"] = 1 } }
  for _, source in ipairs { "192.0.2.255", "255.255.255.255", "224.0.0.9" } do
    peer:send(ip{ src = source } / net.tcp{ flags = "S", sport = 4000, dport = 80, seq = 1 })
  end
  t:shows("RFC9293-MUST-63", peer:expect_nothing { during = "1s" })
  t:is(host:counter "TcpPassiveOpens", 0)
end)

tap.test("an acknowledgement of a part of a segment leaves it in the queue", function(t)
  local _, peer, conn = tcp.passive { rtt = 100 }
  conn:send(net.pattern(1, 1000))
  peer:expect "P. 1:1001(1000) ack 1"
  peer:send ". 1:1(0) ack 501"
  t:shows("RFC9293-3.8.1-1", peer:expect("P. 501:1001(500) ack 1", { within = "500ms", data = true }))
end)

tap.test("a small write is not held for ever: it goes when the segment before is acknowledged", function(t)
  local _, peer, conn = tcp.passive()
  conn:send "a"
  peer:expect "P. 1:2(1) ack 1"
  conn:send "b"
  conn:send "c"
  peer:expect_nothing { during = "10ms" }
  peer:send ". 1:1(0) ack 2"
  t:shows("RFC9293-MUST-60", t:shows("RFC9293-MAY-16", peer:expect("P. 2:4(2) ack 1", { data = "bc" })))
end)
