-- SPDX-License-Identifier: MIT
-- Window scaling (RFC 7323 2) in numbers: every shift, windows that shrink by the grain of the scale,
-- what is honoured as in the window; and time stamps over long times and wraps (RFC 7323 5).
local tap = require "tap"
local net = require "net"
local tcp = require "suite.tcp"

-- Sending -----------------------------------------------------------------------------------------

for shift = 0, 14, 2 do
  tap.test(("the peer's shift is %d: its window of 3 counts so"):format(shift), function(t)
    local _, peer, conn = tcp.passive { syn = ("mss 1460,nop,wscale %d"):format(shift), win = 3 }
    conn:option("TCP_NODELAY", 1)
    local window = 3 << shift
    t:shows("RFC7323-2.3-2", t:is({ conn:info().snd_wscale, conn:info().snd_wnd }, { shift, window }))
    conn:send(("x"):rep(2000))
    local got = 0
    for _, frame in ipairs(peer:collect { during = "600ms" }) do
      got = math.max(got, (frame.tcp.seq - peer.tcp.host_isn & 0xffffffff) + #(frame.payload or "") - 1)
    end
    t:shows("RFC7323-2.4-4", t:ok(got <= window, got .. " octets into a window of " .. window))
  end)
end

for _, buffer in ipairs { 4096, 65535, 200000, 1000000, 6000000 } do
  tap.test(("SO_RCVBUF %d before the SYN: the shift is no more than it takes"):format(buffer), function(t)
    local _, peer = tcp.listen { options = { SO_RCVBUF = buffer },
      sysctl = { ["net.core.rmem_max"] = 10000000 } }
    peer:send "S 0:0(0) win 65535 <mss 1460,nop,wscale 7>"
    local answer = peer:expect "S. 0:0(0) ack 1"
    local shift
    for _, option in ipairs(answer.tcp.options) do if option[1] == "wscale" then shift = option[2] end end
    -- Half of twice what was asked for is window; its highest bit is the sixteenth of the field.
    local bits = 0
    while buffer >> bits + 1 > 0 do bits = bits + 1 end
    t:shows("RFC7323-2.3-1", t:is(shift, math.max(0, bits - 15)))
  end)
end

tap.test("the window shrinks by the grain of the scale: what is out is not lost, nor sent beyond it", function(t)
  local _, peer, conn = tcp.passive { syn = "mss 1000,nop,wscale 10", win = 3, rtt = 100 } -- 3072
  conn:option("TCP_NODELAY", 1)
  conn:send(("x"):rep(5000))
  t:is(tcp.sent(peer, "1us"), "1:1001 1001:2001 2001:3001")
  net.sleep "98ms"
  peer:send ". 1:1(0) ack 1001 win 1" -- ends at 2025: 1047 octets to the left of where it was
  t:shows("RFC7323-2.4-1", t:is(tcp.sent(peer, "50ms"), ""))
  t:is({ conn:info().unacked, conn:info().state }, { 2, "ESTABLISHED" })
  peer:send ". 1:1(0) ack 3001 win 3"
  t:is(tcp.sent(peer), "3001:4001 4001:5001")
end)

tap.test("the first one again goes whatever the window is now", function(t)
  local _, peer, conn = tcp.passive { syn = "mss 1000,nop,wscale 10", win = 3, rtt = 100 }
  conn:option("TCP_NODELAY", 1)
  conn:send(("x"):rep(3000))
  t:is(tcp.sent(peer, "1us"), "1:1001 1001:2001 2001:3001")
  net.sleep "98ms"
  peer:send ". 1:1(0) ack 1 win 1" -- 1024: the first segment is just in it
  t:shows("RFC7323-2.4-5", t:is(tcp.sent(peer, "400ms"), "1:1001"))
  peer:send ". 1:1(0) ack 3001 win 3"
end)

-- Receiving ---------------------------------------------------------------------------------------

tap.test("a segment within any window that was ever offered is in the window", function(t)
  local _, peer, conn = tcp.passive { syn = "mss 1460,nop,wscale 7" }
  -- What is read and not read moves what is left, never the right edge that was told.
  local edge = 0
  for i = 0, 9 do
    peer:send((". %d:%d(1460) ack 1 win 500"):format(1 + i * 1460, 1461 + i * 1460))
    for _, frame in ipairs(peer:collect { during = "50ms" }) do
      edge = math.max(edge, frame.tcp.ack - 1000000 + (frame.tcp.window << 10))
    end
  end
  tcp.got(conn) -- nothing waits: what ends at the edge is taken
  peer:send((". %d:%d(1000) ack 1 win 500"):format(edge - 1000, edge))
  net.sleep "1ms"
  t:shows("RFC7323-2.4-2", t:is(conn:info().rcv_ooopack, 1))
  peer:collect { during = "50ms" }
end)

tap.test("the right edge that was offered most is kept, though the scale cuts", function(t)
  local _, peer, conn = tcp.passive { syn = "mss 1460,nop,wscale 7" }
  local most = 0
  local next = 1
  for i = 1, 60 do
    local len = i % 3 == 0 and 1 or 700
    peer:send((". %d:%d(%d) ack 1 win 500"):format(next, next + len, len))
    next = next + len
    for _, frame in ipairs(peer:collect { during = "50ms" }) do
      local edge = frame.tcp.ack - 1000000 + (frame.tcp.window << 10)
      -- A window field may not say less than a multiple of the grain; at most that much is lost.
      t:ok(edge > most - 1024, ("the edge was %d, is %d"):format(most, edge))
      most = math.max(most, edge)
    end
    if i % 10 == 0 then tcp.got(conn) end
  end
  t:shows("RFC7323-2.4-3", t:ok(most > next))
end)

tap.test("a large window is used: 3 MB in flight to a reader that does not read", function(t)
  local a = net.host { addr = "192.0.2.1/24", sysctl = { ["net.core.rmem_max"] = 8000000,
    ["net.core.wmem_max"] = 8000000 } }
  local b = net.host { addr = "192.0.2.2/24", wire = a.wire, sysctl = { ["net.core.rmem_max"] = 8000000 } }
  a.wire:set { delay = "50ms" }
  local server = b:socket "tcp"
  server:option("SO_RCVBUF", 7000000)
  server:listen(80)
  local client = a:socket "tcp"
  client:option("SO_SNDBUF", 7000000)
  client:connect("192.0.2.2", 80)
  local conn = server:accept()
  local sender = net.spawn(function() for _ = 1, 60 do client:send(("x"):rep(50000)) end end)
  net.sleep "5s"
  t:shows("RFC1122-4.2.2.3-2", t:shows("RFC7323-2.3-2", t:is(conn:pending(), 3000000)))
  sender:join()
end)

tap.test("net.ipv4.tcp_window_scaling = 0: not offered, not taken", function(t)
  local sysctl = { ["net.ipv4.tcp_window_scaling"] = 0, ["net.ipv4.tcp_timestamps"] = 0, ["net.ipv4.tcp_sack"] = 0 }
  local host = net.host { addr = "192.0.2.1/24", sysctl = sysctl }
  local peer = host.wire:peer { addr = "192.0.2.9", port = 4000 }
  host:neigh { addr = peer.addr, mac = peer.mac }
  local client = host:socket("tcp", { nonblock = true })
  client:try("connect", "192.0.2.9", 4000)
  t:ok(peer:expect "S 0:0(0) <mss 1460>")
  peer:send "S. 0:0(0) ack 1 win 1000 <mss 1460,nop,wscale 7>"
  peer:expect ". 1:1(0) ack 1"
  t:shows("RFC7323-2.2-3", t:is({ client:info().snd_wscale, client:info().snd_wnd }, { 0, 1000 }))
end)

-- Time stamps -------------------------------------------------------------------------------------

local TS = "mss 1460,sackOK,TS val 1000 ecr 0"

local function stamped(o)
  o = o or {}
  o.syn, o.third = TS, "nop,nop,TS val 1001 ecr 0"
  return tcp.passive(o)
end

tap.test("TSecr without ACK is not looked at", function(t)
  local _, peer = tcp.listen()
  peer:send "S 0:0(0) win 65535 <mss 1460,sackOK,TS val 1000 ecr 99999>"
  t:shows("RFC7323-3.2-3", peer:expect "S. 0:0(0) ack 1 <mss 1460,sackOK,TS val * ecr 1000>")
end)

tap.test("the SYN,ACK has a time stamp only where the SYN had", function(t)
  local _, peer = tcp.listen()
  peer:send "S 0:0(0) win 65535 <mss 1460,nop,nop,sackOK>"
  t:shows("RFC7323-3.2-4", peer:expect "S. 0:0(0) ack 1 <mss 1460,nop,nop,sackOK>")
  peer:fresh { port = 4001, to = 80 }
  peer:send(("S 0:0(0) win 65535 <%s>"):format(TS))
  t:shows("RFC7323-3.2-4", peer:expect "S. 0:0(0) ack 1 <mss 1460,sackOK,TS val * ecr 1000>")
end)

tap.test("crossing SYNs, both with time stamps: the SYN,ACK has one too", function(t)
  local host = net.host { addr = "192.0.2.1/24" }
  local peer = host.wire:peer { addr = "192.0.2.9", port = 4000 }
  host:neigh { addr = peer.addr, mac = peer.mac }
  local client = host:socket("tcp", { nonblock = true })
  client:try("connect", "192.0.2.9", 4000)
  peer:expect "S 0:0(0) <mss 1460,sackOK,TS val 100 ecr 0,nop,wscale 10>"
  peer:send "S 0:0(0) win 65535 <mss 1460,sackOK,TS val 7 ecr 0,nop,wscale 7>"
  t:shows("RFC7323-3.2-10", peer:expect "S. 0:0(0) ack 1 <mss 1460,sackOK,TS val * ecr 7,nop,wscale 10>")
end)

tap.test("PAWS after 20 hours of nothing: an older time stamp is still refused", function(t)
  local host, peer, conn = stamped()
  net.sleep "20h"
  peer:send "P. 1:6(5) ack 1 win 65535 <nop,nop,TS val 900 ecr 0>"
  t:shows("RFC7323-5.3-2", peer:expect ". 1:1(0) ack 1 <nop,nop,TS val * ecr 1001>")
  t:is({ host:counter "TcpExtPAWSEstab", #tcp.got(conn) }, { 1, 0 })
end)

for _, step in ipairs { 1, 1000, 0x7ffffffe } do
  tap.test(("PAWS: a time stamp that is %d later is newer"):format(step), function(t)
  local _, peer, conn = stamped()
  peer:send(("P. 1:6(5) ack 1 win 65535 <nop,nop,TS val %d ecr 0>"):format(1001 + step & 0xffffffff))
    t:shows("RFC7323-5.2-1", peer:expect((". 1:1(0) ack 6 <nop,nop,TS val * ecr %d>"):format(1001 + step & 0xffffffff)))
    t:is(#tcp.got(conn), 5)
  end)
end

-- Linux lets one tick pass (TCP_PAWS_WINDOW).
for _, step in ipairs { 1, 2, 1000, 0x7fffffff } do
  tap.test(("PAWS: a time stamp that is %d earlier is old"):format(step), { profile = step == 1 and "rfc" or nil }, function(t)
    local host, peer, conn = stamped()
    peer:send(("P. 1:6(5) ack 1 win 65535 <nop,nop,TS val %d ecr 0>"):format(1001 - step & 0xffffffff))
    local old = peer:collect { during = "60ms" }
    t:shows("RFC7323-5.3-2", t:is({ #old, old[1].tcp.ack, host:counter "TcpExtPAWSEstab" }, { 1, 1000001, 1 }))
    t:is(#tcp.got(conn), 0)
  end)
end

tap.test("profile linux: PAWS: a time stamp that is one tick earlier passes", { profile = "linux" }, function(t)
  local host, peer, conn = stamped()
  peer:send "P. 1:6(5) ack 1 win 65535 <nop,nop,TS val 1000 ecr 0>"
  t:ok(peer:expect ". 1:1(0) ack 6 <nop,nop,TS val * ecr 1001>")
  t:is({ host:counter "TcpExtPAWSEstab", #tcp.got(conn) }, { 0, 5 })
end)

tap.test("PAWS does not hold an ACK with the last number that only came late", function(t)
  local host, peer, conn = stamped()
  conn:option("TCP_NODELAY", 1)
  peer:send "P. 1:6(5) ack 1 win 65535 <nop,nop,TS val 1010 ecr 0>"
  peer:collect { during = "60ms" }
  conn:send "hello"
  peer:collect { during = "10us" }
  peer:send ". 6:6(0) ack 6 win 65535 <nop,nop,TS val 1008 ecr 0>"
  net.sleep "1ms"
  t:ok(t:is(conn:info().unacked, 1)) -- dropped as PAWS says
  t:ok(host:counter "TcpExtPAWSEstab" + host:counter "TcpExtPAWSOldAck" >= 1)
  peer:collect { during = "1s" }
end)

tap.test("the clock of time stamps goes 1 ms at a time, for hours: far from 2^31 octets a tick", function(t)
  local _, peer, conn = stamped()
  conn:option("TCP_NODELAY", 1)
  local first, at
  for i = 0, 4 do
    conn:send "x"
    local frame = peer:expect(("P. %d:%d(1) ack 1 <nop,nop,TS val * ecr 1001>"):format(1 + i, 2 + i))
    local val = frame.tcp.options[3][2]
    if first then
      t:shows("RFC7323-5.4-1", t:is((val - first) & 0xffffffff, (frame.sent - at) // 1000000))
    end
    first, at = val, frame.sent
    peer:send((". 1:1(0) ack %d win 65535 <nop,nop,TS val 1001 ecr 0>"):format(2 + i))
    net.sleep(3600 * 1000000000)
  end
  -- 2^32 ms are 49 days: far above an MSL of two minutes.
  t:shows("RFC7323-5.4-3", t:is(#peer:collect { during = "1s" }, 0))
end)

tap.test("net.ipv4.tcp_timestamps = 0: not offered, not answered", function(t)
  local _, peer = tcp.listen { sysctl = { ["net.ipv4.tcp_timestamps"] = 0 } }
  peer:send(("S 0:0(0) win 65535 <%s>"):format(TS))
  t:shows("RFC7323-3.2-4", peer:expect "S. 0:0(0) ack 1 <mss 1460,nop,nop,sackOK>")
end)
