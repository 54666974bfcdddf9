-- SPDX-License-Identifier: MIT
-- Time stamps, PAWS and window scaling (RFC 7323); the peer's time stamps begin at 1000.
local tap = require "tap"
local net = require "net"
local tcp = require "suite.tcp"
local ip = net.ip

local function stamped(o)
  o = o or {}
  o.syn = o.syn or "mss 1460,sackOK,TS val 1000 ecr 0"
  o.third = o.third or "nop,nop,TS val 1000 ecr 0"
  return tcp.passive(o)
end

-- Data of the peer, with a time stamp.
local function data(peer, first, len, val)
  peer:send((". %d:%d(%d) ack 1 <nop,nop,TS val %d ecr 0>"):format(first, first + len, len, val))
end

local function ack(number, ecr, more)
  return (". 1:1(0) ack %d <nop,nop,TS val * ecr %d%s>"):format(number, ecr, more or "")
end

tap.test("the SYN has a time stamp and echoes nothing", function(t)
  local _, peer = tcp.connecting()
  peer:fresh {}
  t:shows("RFC7323-3.2-1", peer:expect("S 0:0(0) <mss 1460,sackOK,TS val 1000 ecr 0,nop,wscale 10>",
    { at = "+1s" }))
end)

tap.test("every segment has one once they are agreed on", function(t)
  local _, peer, conn = stamped()
  conn:send "x"
  peer:expect "P. 1:2(1) ack 1 <nop,nop,TS val * ecr 1000>"
  data(peer, 1, 10, 1001)
  peer:expect ". 2:2(0) ack 11 <nop,nop,TS val * ecr 1001>"
  conn:shutdown "wr"
  t:shows("RFC7323-3.2-5", peer:expect "F. 2:2(0) ack 11 <nop,nop,TS val * ecr 1001>")
end)

tap.test("the reset of an abort has one", function(t)
  local _, peer, conn = stamped()
  conn:option("SO_LINGER", { 1, 0 })
  conn:close()
  t:shows("RFC7323-3.2-6", t:shows("RFC7323-5.2-3",
    peer:expect "R. 1:1(0) ack 1 <nop,nop,TS val * ecr 1000>"))
end)

tap.test("without agreement a time stamp is ignored", function(t)
  local _, peer, conn = tcp.passive()
  data(peer, 1, 10, 5)
  peer:expect ". 1:1(0) ack 11 <>"
  data(peer, 11, 10, 4)
  t:shows("RFC7323-3.2-9", peer:expect ". 1:1(0) ack 21 <>")
  t:is(#tcp.got(conn), 20)
end)

tap.test("profile linux: a segment without the agreed time stamp is taken all the same", { profile = "linux" }, function(t)
  local _, peer, conn = stamped()
  peer:send ". 1:11(10) ack 1"
  peer:expect(ack(11, 1000))
  t:shows("RFC7323-3.2-8", t:is(conn:info().state, "ESTABLISHED"))
  t:is(#tcp.got(conn), 10)
end)

tap.test("a delayed ACK echoes the earliest segment that it is for", function(t)
  local _, peer, conn = stamped()
  conn:option("TCP_QUICKACK", 0)
  data(peer, 1, 10, 1001)
  net.sleep "5ms"
  data(peer, 11, 10, 1006)
  t:shows("RFC7323-4.3-1", peer:expect(ack(21, 1001), { within = "100ms" }))
end)

tap.test("the ACK of a segment out of order echoes the last one in order", function(t)
  local _, peer = stamped()
  data(peer, 1, 10, 1001)
  peer:expect(ack(11, 1001))
  data(peer, 21, 10, 1002)
  t:shows("RFC7323-4.3-2", peer:expect(ack(11, 1001, ",nop,nop,sack 21:31")))
  data(peer, 11, 10, 1003)
  t:shows("RFC7323-4.3-3", peer:expect(ack(31, 1003)))
end)

tap.test("what is old in part and newer in time is echoed, what is all old is not", function(t)
  local _, peer = stamped()
  data(peer, 1, 10, 1001)
  peer:expect(ack(11, 1001))
  data(peer, 11, 10, 1002)
  peer:expect(ack(21, 1002))
  data(peer, 1, 10, 1500) -- out of the window (5.3 R2)
  peer:expect(ack(21, 1002, ",nop,nop,sack 1:11"))
  data(peer, 11, 20, 1501) -- SEG.SEQ <= Last.ACK.sent
  t:shows("RFC7323-4.3-4", peer:expect(ack(31, 1501, ",nop,nop,sack 11:21")))
end)

tap.test("PAWS: an old time stamp is told before the sequence number is looked at", function(t)
  local host, peer, conn = stamped()
  data(peer, 1, 10, 1001)
  peer:expect(ack(11, 1001))
  data(peer, 500001, 10, 900)
  t:shows("RFC7323-5.3-2", peer:expect(ack(11, 1001)))
  t:is(host:counter "TcpExtPAWSEstab", 1)
  t:is(#tcp.got(conn), 10)
end)

tap.test("PAWS: time stamps wrap", function(t)
  local _, peer, conn = stamped { syn = "mss 1460,sackOK,TS val 4294967290 ecr 0",
    third = "nop,nop,TS val 4294967290 ecr 0" }
  data(peer, 1, 10, 4294967295)
  peer:expect(ack(11, 4294967295))
  data(peer, 11, 10, 3)
  t:shows("RFC7323-5.2-1", peer:expect(ack(21, 3)))
  t:is(#tcp.got(conn), 20)
end)

tap.test("PAWS: what waits out of order is not looked at again when it is delivered", function(t)
  local _, peer, conn = stamped()
  data(peer, 11, 10, 1001)
  peer:expect(ack(1, 1000, ",nop,nop,sack 11:21"))
  data(peer, 1, 10, 1100)
  t:shows("RFC7323-5.3-3", peer:expect(ack(21, 1100)))
  t:is(#tcp.got(conn), 20)
end)

tap.test("the clock of time stamps ticks once a ms", function(t)
  local _, peer, conn = stamped()
  conn:option("TCP_NODELAY", 1)
  conn:send "x"
  local first = peer:expect "P. 1:2(1) ack 1 <nop,nop,TS val * ecr *>"
  net.sleep "137ms"
  conn:send "y"
  local second = peer:expect "P. 2:3(1) ack 1 <nop,nop,TS val * ecr *>"
  t:shows("RFC7323-5.4-2", t:is(second.tcp.options[3][2] - first.tcp.options[3][2], 137))
end)

tap.test("its origin is another for every pair of hosts", function(t)
  local function origin(addr)
    local host = net.host { addr = "192.0.2.1/24" }
    local peer = host.wire:peer { addr = addr, port = 4000 }:to(80)
    host:neigh { addr = addr, mac = peer.mac }
    host:socket "tcp":listen(80)
    peer:send "S 0:0(0) win 65535 <mss 1460,sackOK,TS val 1 ecr 0>"
    return peer:expect("S. 0:0(0) ack 1 <mss 1460,sackOK,TS val 0 ecr 1>").tcp.options[3][2]
  end
  t:shows("RFC7323-7.1-1", t:ok(math.abs(origin "192.0.2.9" - origin "192.0.2.10") > 1000000))
end)

-- Window scaling ----------------------------------------------------------------------------------

tap.test("the peer does not scale: nor does the host", function(t)
  local _, peer, server = tcp.listen { sysctl = { ["net.ipv4.tcp_rmem"] = "4096 6291456 6291456" } }
  peer:send "S 0:0(0) win 65535 <mss 1460>"
  t:shows("RFC7323-2.2-3", peer:expect "S. 0:0(0) ack 1 <mss 1460>")
  peer:send ". 1:1(0) ack 1"
  local conn = server:accept()
  conn:send "x"
  t:ok(peer:expect("P. 1:2(1) ack 1").tcp.window > 60000)
end)

tap.test("a shift of 0 is offered too: it says that the host can", function(t)
  local _, peer = tcp.listen { sysctl = { ["net.ipv4.tcp_rmem"] = "4096 16384 32768",
    ["net.core.rmem_max"] = 32768 } }
  peer:send "S 0:0(0) win 65535 <mss 1460,nop,wscale 7>"
  t:shows("RFC7323-2.2-2", t:shows("RFC7323-2.3-1",
    peer:expect "S. 0:0(0) ack 1 <mss 1460,nop,wscale 0>"))
end)

tap.test("window scale in a segment without SYN is ignored", function(t)
  local _, peer, conn = tcp.passive()
  peer:send "P. 1:2(1) ack 1"
  peer:expect ". 1:1(0) ack 2"
  peer:send "P. 2:3(1) ack 1 win 100 <nop,wscale 10>"
  peer:expect ". 1:1(0) ack 3"
  conn:option("TCP_NODELAY", 1)
  conn:send(("x"):rep(1000))
  t:shows("RFC7323-2.2-4", t:is(tcp.sent(peer, "250ms"), "1:101"))
end)

tap.test("the window of SYN and SYN,ACK is as it says, that of others is shifted", function(t)
  local _, peer, server = tcp.listen()
  peer:send "S 0:0(0) win 500 <mss 1460,nop,wscale 4>"
  local window = peer:expect("S. 0:0(0) ack 1 <mss 1460,nop,wscale 10>").tcp.window
  t:shows("RFC7323-2.2-5", t:ok(window > 60000))
  peer:send ". 1:1(0) ack 1 win 365"
  local conn = server:accept()
  conn:option("TCP_NODELAY", 1)
  conn:send(("x"):rep(30000))
  local first = peer:expect(net.tcp{ flags = "." })
  t:shows("RFC7323-2.3-4", t:is(first.tcp.window, (window + 1023) // 1024))
  t:shows("RFC7323-2.3-2", t:is(tcp.sent(peer), "1461:2921 2921:4381 4381:5841"))
end)

tap.test("a segment without the agreed time stamp never aborts the connection", function(t)
  local _, peer, conn = stamped()
  for _, text in ipairs { ". 1:1(0) ack 1", "P. 1:11(10) ack 1", "P.U 1:11(10) ack 1 urg 1" } do
    peer:send(text)
    for _, frame in ipairs(peer:collect { during = "1s" }) do
      t:is(frame.tcp.flags:find "R", nil, text)
    end
    t:is(conn:info().state, "ESTABLISHED", text)
  end
  data(peer, 11, 10, 1005)
  peer:expect(ack(21, 1005), { within = "1s" })
  t:shows("RFC7323-3.2-8", t:is(#tcp.got(conn), 20))
end)

tap.test("PAWS and path MTU discovery go together: DF, and smaller segments when a router says so", function(t)
  local _, peer, conn = stamped()
  data(peer, 1, 10, 1010)
  peer:expect(ack(11, 1010))
  data(peer, 11, 10, 1005) -- PAWS is there
  peer:expect(ack(11, 1010))
  conn:send(("x"):rep(1448))
  local frame = peer:expect(ip { df = true, len = 1500 } / net.tcp {})
  peer:send(net.icmp { type = "dest-unreach", code = "frag-needed", mtu = 1000 } /
    net.parse(frame:bytes():sub(15, 14 + 28), "ip"))
  local sizes = {}
  for _, smaller in ipairs(peer:collect { during = "1ms" }) do
    t:ok(smaller.ip.df)
    sizes[#sizes + 1] = smaller.ip.len
  end
  t:shows("RFC7323-5.7-1", t:is(sizes, { 1000, 552 }))
end)
