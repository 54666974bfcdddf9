-- SPDX-License-Identifier: MIT
-- Memory of all TCP sockets together: net.ipv4.tcp_mem, what pressure does to windows, buffers and
-- queues, and the counters that tell of it; the room that a full receive buffer makes first
-- (collapse, prune). A CPU tells of its pages by net.core.mem_pcpu_rsv, 256, so less than a MiB is
-- never seen.
local tap = require "tap"
local net = require "net"
local tcp = require "suite.tcp"

local SACK = "mss 1460,nop,nop,sackOK"

-- A second connection, of the host with itself, that holds a bit more than `bytes` and whose reader
-- reads nothing. Returns the sender; what it holds goes with drop().
local function hog(host, bytes)
  local server, sender = host:socket "tcp", host:socket "tcp"
  server:bind("127.0.0.1", 81)
  server:listen()
  sender:option("SO_SNDBUF", 4000000)
  sender:connect("127.0.0.1", 81)
  local reader = server:accept()
  sender:send(("h"):rep(bytes))
  net.sleep "1ms" -- until its receiver is full
  local function drop()
    for _, s in ipairs { sender, reader } do
      s:option("SO_LINGER", { 1, 0 })
      s:close()
    end
  end
  return sender, drop
end

local function memory(host)
  return tonumber(host:proc("/proc/net/sockstat"):match("TCP:.- mem (%d+)\n"))
end

local function pressure(host)
  return host:proc("/proc/net/protocols"):match("\nTCP +%d+ +%d+ +%d+ +(%a+)")
end

-- How much these counters grew during f().
local function grown_by(host, names, f)
  local before, after = {}, {}
  for i, name in ipairs(names) do before[i] = host:counter(name) end
  f()
  for i, name in ipairs(names) do after[i] = host:counter(name) - before[i] end
  return after
end

local function limits(host, low, middle, high)
  host:sysctl("net.ipv4.tcp_mem", ("%d %d %d"):format(low, middle, high))
end

tap.test("tcp_mem, udp_mem: what they are in a world of 32 GiB", function(t)
  local host = net.host {}
  t:is(host:sysctl "net.ipv4.tcp_mem", "393216\t524288\t786432")
  t:is(host:sysctl "net.ipv4.udp_mem", "786432\t1048576\t1572864")
  t:is(host:sysctl "net.core.mem_pcpu_rsv", "256")
  t:error(function() host:sysctl("net.core.mem_pcpu_rsv", 255) end, "255")
end)

tap.test("sockstat and protocols tell of pages by the 256", function(t)
  local host = tcp.listen()
  t:is({ memory(host), pressure(host) }, { 0, "no" })
  local small, drop = hog(host, 500000)
  t:is(memory(host), 0)
  small:send(("h"):rep(1000000))
  t:ok(memory(host) >= 256 and memory(host) < 2 * 1500000 // 4096)
  drop()
  t:ok(memory(host) < 256)
  t:like(host:proc "/proc/net/protocols", "\nUDP +1344 +%d+ +0   NI ")
end)

tap.test("SO_MEMINFO: what the buffers hold, and the rest of the last page", function(t)
  local _, peer, conn = tcp.passive { options = { SO_RCVBUF = 20000 } }
  local before = conn:meminfo()
  t:is({ before.rmem, before.rcvbuf, before.queued, before.forward }, { 0, 40000, 0, 0 })
  peer:send "P. 1:1001(1000) ack 1"
  peer:expect ". 1:1(0) ack 1001"
  local info = conn:meminfo()
  t:ok(info.rmem > 1000 and info.rmem + info.forward == 4096)
  conn:recv()
  t:is(conn:meminfo().rmem, 0)
end)

tap.test("pressure begins above tcp_mem[1], ends at tcp_mem[0], and its time is counted", function(t)
  local host, peer, conn = tcp.passive()
  local _, drop = hog(host, 1500000)
  limits(host, 100, 200, 100000)
  t:is({ pressure(host), host:counter "TcpExtTCPMemoryPressures" }, { "no", 0 })
  peer:send "P. 1:1001(1000) ack 1" -- the first who asks for a page sees it
  peer:expect ". 1:1(0) ack 1001"
  t:is({ pressure(host), host:counter "TcpExtTCPMemoryPressures" }, { "yes", 1 })
  t:is(#conn:recv(), 1000)
  net.sleep "700ms"
  drop()
  t:is(pressure(host), "no")
  local ms = host:counter "TcpExtTCPMemoryPressuresChrono"
  t:ok(ms >= 690 and ms < 760, ms)
end)

tap.test("under pressure the window is no more than four segments, and does not grow", function(t)
  local host, peer, conn = tcp.passive { syn = "mss 1460,nop,wscale 0" }
  hog(host, 1500000)
  limits(host, 100, 200, 100000)
  local window, next = nil, 1
  for _ = 1, 60 do
    peer:send((". %d:%d(1460) ack 1"):format(next, next + 1460))
    next = next + 1460
    for _, frame in ipairs(peer:collect { during = "50ms" }) do window = frame.tcp.window end
    conn:try("recv", { size = 100000, flags = "dontwait" })
  end
  t:ok(window <= 4 * 1460, window)
  t:is(host:counter "TcpExtTCPMemoryPressures", 1)
end)

tap.test("under pressure the send buffer does not grow with the congestion window", function(t)
  local function grown(squeeze)
    local host, peer, conn = tcp.passive { syn = "mss 1460,nop,wscale 7", win = 60000 }
    hog(host, 1500000)
    if squeeze then limits(host, 100, 200, 100000) end
    net.spawn(function() conn:send(("x"):rep(600000)) end)
    local acked = 1
    for _ = 1, 40 do
      for edge in tcp.sent(peer, "5ms"):gmatch ":(%d+)" do acked = math.max(acked, tonumber(edge)) end
      peer:send((". 1:1(0) ack %d win 60000"):format(acked))
    end
    return conn:meminfo().sndbuf
  end
  local free, squeezed = grown(false), grown(true)
  t:ok(free > squeezed, ("%d, under pressure %d"):format(free, squeezed))
end)

tap.test("above tcp_mem[2] nothing but a first segment is taken, and the window closes: TCPZeroWindowDrop", function(t)
  local host, peer, conn = tcp.passive()
  hog(host, 1500000)
  limits(host, 10, 20, 30)
  peer:send "P. 1:1001(1000) ack 1"
  peer:expect ". 1:1(0) ack 1001 win 0"
  t:is(grown_by(host, { "TcpExtTCPZeroWindowDrop" }, function()
    peer:send "P. 1001:2001(1000) ack 1"
    peer:expect ". 1:1(0) ack 1001"
  end), { 1 })
  -- What did not fit comes again when there is room.
  limits(host, 393216, 524288, 786432)
  t:is(#conn:recv(), 1000)
  peer:collect { during = "10ms" }
  peer:send "P. 1001:2001(1000) ack 1"
  peer:expect ". 1:1(0) ack 2001"
  t:is(#conn:recv(), 1000)
end)

tap.test("TCPRcvQDrop: dropped although the window was open", function(t)
  local host, peer, conn = tcp.passive()
  peer:send "P. 1:1001(1000) ack 1"
  peer:expect ". 1:1(0) ack 1001"
  hog(host, 1500000)
  limits(host, 10, 20, 30)
  t:is(grown_by(host, { "TcpExtTCPRcvQDrop", "TcpExtPruneCalled", "Drop.PROTO_MEM" }, function()
    peer:send "P. 1001:2401(1400) ack 1"
    peer:expect ". 1:1(0) ack 1001 win 0"
  end), { 1, 1, 1 })
  t:is(#conn:recv(), 1000)
  peer:collect { during = "1ms" }
end)

tap.test("above tcp_mem[2] what waits out of order goes, the highest first", function(t)
  local host, peer, conn = tcp.passive { syn = SACK }
  peer:send ". 5841:7301(1460) ack 1"
  peer:collect { during = "10ms" }
  hog(host, 1500000)
  limits(host, 10, 20, 30)
  t:is(grown_by(host, { "TcpExtOfoPruned", "Drop.TCP_OFO_QUEUE_PRUNE", "TcpExtTCPOFODrop" }, function()
    peer:send ". 2921:4381(1460) ack 1"
    peer:collect { during = "10us" }
  end), { 1, 1, 1 })
  t:is(conn:info().state, "ESTABLISHED")
end)

tap.test("a sender without memory waits a while and tries again, woken by nobody", function(t)
  local host, peer, conn = tcp.passive { win = 60000, options = { SO_SNDBUF = 100000 } }
  local _, drop = hog(host, 1500000)
  limits(host, 10, 20, 30)
  conn:option("TCP_NODELAY", 1)
  local taken
  net.spawn(function() taken = conn:send(("x"):rep(20000)) end)
  peer:collect { during = "300ms" }
  t:is(taken, nil)
  local queued = conn:meminfo().queued
  t:is(queued, 4096 + 1280) -- tcp_wmem[0], cut into two segments
  drop()
  -- At most 201 ms later, though nothing that this connection sent was acknowledged.
  net.sleep "202ms"
  t:is(taken, 20000)
end)

tap.test("a sender that may not wait gets EAGAIN, a first segment is always taken", function(t)
  local host, peer, conn = tcp.passive { options = { SO_SNDBUF = 100000 } }
  hog(host, 1500000)
  limits(host, 10, 20, 30)
  conn:nonblock()
  local taken = conn:send(("x"):rep(100000))
  t:is(taken, 4096 - 1280) -- what of tcp_wmem[0] the packet itself leaves
  t:is(select(2, conn:try("send", "more")), "EAGAIN")
  t:is(conn:meminfo().sndbuf, 200000)
  peer:collect { during = "1ms" }
end)

tap.test("above tcp_mem[2] the send buffer shrinks to half of what is queued, if it may", function(t)
  local host, peer, conn = tcp.passive()
  hog(host, 1500000)
  limits(host, 10, 20, 30)
  conn:nonblock()
  t:ok(conn:send(("x"):rep(100000)) < 50000)
  t:ok(conn:meminfo().sndbuf < 30000)
  peer:collect { during = "1ms" }
end)

tap.test("under pressure the FIN rides on the last segment, and goes when that is sent again", function(t)
  local host, peer, conn = tcp.passive { rtt = 50 }
  conn:send "hello"
  peer:expect "P. 1:6(5) ack 1"
  hog(host, 1500000)
  limits(host, 100, 200, 100000)
  peer:send "P. 1:2(1) ack 1"
  peer:collect { during = "1ms" }
  conn:shutdown "wr"
  t:is(conn:info().state, "FIN_WAIT1")
  local frames = peer:collect { during = "150ms" }
  local again = peer:expect("FP. 1:6(5) ack 2", { within = "1s" })
  t:ok(again)
  for _, frame in ipairs(frames) do t:ok(not frame.tcp.flags.fin, "no FIN of its own") end
  peer:send ". 2:2(0) ack 7"
  net.sleep "1ms"
  t:is(conn:info().state, "FIN_WAIT2")
end)

tap.test("an orphan that holds memory when there is none is reset: TCPAbortOnMemory", function(t)
  local host, peer, conn = tcp.passive { win = 0 }
  conn:send(("x"):rep(9000))
  hog(host, 1500000)
  limits(host, 10, 20, 30)
  conn:close()
  peer:expect("R. 1:1(0) ack 1", { at = "+0ms" })
  t:is(host:counter "TcpExtTCPAbortOnMemory", 1)
end)

tap.test("tcp_max_orphans: one too many is reset at once", function(t)
  local host, peer, conn = tcp.passive { sysctl = { ["net.ipv4.tcp_max_orphans"] = 0 } }
  conn:close()
  peer:expect "F. 1:1(0) ack 1"
  peer:expect "R. 2:2(0) ack 1"
  t:is(host:counter "TcpExtTCPAbortOnMemory", 1)
  t:is(#host:sockets(), 1)
end)

tap.test("tcp_max_orphans: an orphan whose peer is silent counts double when it is sent again", function(t)
  local host, peer, conn = tcp.passive { sysctl = { ["net.ipv4.tcp_max_orphans"] = 1 } }
  conn:send "hello"
  peer:expect "P. 1:6(5) ack 1"
  conn:close()
  peer:collect { during = "100ms" }
  t:is(host:counter "TcpExtTCPAbortOnMemory", 0)
  local last
  for _, frame in ipairs(peer:collect { during = "30min" }) do last = frame end
  t:ok(last.tcp.flags.rst or host:counter "TcpExtTCPAbortOnTimeout" == 1)
end)

-- A full buffer ------------------------------------------------------------------------------------

tap.test("small segments that fill the buffer are copied together before anything is dropped", function(t)
  local host, peer, conn = tcp.passive { options = { SO_RCVBUF = 8000 } }
  local sent = net.pattern(1, 4000)
  for first = 1, 3951, 50 do
    peer:send((". %d:%d(50) ack 1"):format(first, first + 50), { data = sent:sub(first, first + 49) })
    peer:collect { during = "50ms" }
  end
  t:ok(host:counter "TcpExtTCPRcvCollapsed" > 10)
  t:ok(host:counter "TcpExtPruneCalled" > 0)
  t:is({ host:counter "TcpExtRcvPruned", host:counter "TcpExtTCPRcvQDrop" }, { 0, 0 })
  t:ok(conn:meminfo().rmem <= 16000 + 4352)
  t:is(conn:pending(), 4000)
  t:is(conn:recv { size = 4000, flags = "waitall" }, sent)
end)

tap.test("segments out of order are copied together too, holes and blocks stay as they were", function(t)
  local host, peer, conn = tcp.passive { syn = SACK, options = { SO_RCVBUF = 8000 } }
  local sent = net.pattern(1, 4000)
  local last
  -- Two runs with a hole between, one before the first.
  for first = 101, 3051, 50 do
    if first < 1501 or first >= 1601 then
      peer:send((". %d:%d(50) ack 1"):format(first, first + 50), { data = sent:sub(first, first + 49) })
      for _, frame in ipairs(peer:collect { during = "50ms" }) do last = frame end
    end
  end
  t:ok(host:counter "TcpExtTCPRcvCollapsed" > 10)
  t:is(host:counter "TcpExtOfoPruned", 0)
  local blocks = last.tcp.options[#last.tcp.options]
  t:is(blocks[1], "sack")
  t:is({ blocks[2] - 1000000, blocks[3] - 1000000, blocks[4] - 1000000, blocks[5] - 1000000 },
    { 1601, 3101, 101, 1501 })
  peer:send((". 1:101(100) ack 1"), { data = sent:sub(1, 100) })
  peer:send((". 1501:1601(100) ack 1"), { data = sent:sub(1501, 1600) })
  t:is(conn:recv { size = 3100, flags = "waitall" }, sent:sub(1, 3100))
  peer:collect { during = "100ms" }
end)

tap.test("a FIN among what is copied together stays what it is", function(t)
  local host, peer, conn = tcp.passive { syn = SACK, options = { SO_RCVBUF = 8000 } }
  local sent = net.pattern(1, 2000)
  peer:send(("F. 1951:2001(50) ack 1"), { data = sent:sub(1951, 2000) })
  for first = 51, 1901, 50 do
    peer:send((". %d:%d(50) ack 1"):format(first, first + 50), { data = sent:sub(first, first + 49) })
    peer:collect { during = "10ms" }
  end
  t:ok(host:counter "TcpExtTCPRcvCollapsed" > 10)
  peer:send((". 1:51(50) ack 1"), { data = sent:sub(1, 50) })
  t:is(conn:recv { size = 2000, flags = "waitall" }, sent)
  t:is(conn:recv(), "")
  peer:collect { during = "100ms" }
end)

-- UDP ----------------------------------------------------------------------------------------------

tap.test("udp_mem: a datagram that the memory of all UDP has no room for is dropped", function(t)
  local host = net.host { addr = "192.0.2.1/24" }
  local peer = host.wire:peer { addr = "192.0.2.9", port = 4000 }
  host:neigh { addr = peer.addr, mac = peer.mac }
  local socket = host:socket "udp"
  socket:option("SO_RCVBUF", 4000000)
  socket:bind(7)
  local function receives(n)
    for i = 1, n do
      peer:send(net.ip { src = peer.addr, dst = host.addr } / net.udp { sport = 5000, dport = 7 } /
        ("%04d"):format(i):rep(300))
      if i % 20 == 0 then net.sleep "1ms" end
    end
    net.sleep "1ms"
  end
  receives(600)
  t:is(host:counter "UdpInDatagrams" + host:counter "UdpInErrors", 0)
  host:sysctl("net.ipv4.udp_mem", "10 20 30")
  receives(20)
  local dropped = host:counter "UdpMemErrors"
  t:ok(dropped > 0 and dropped <= 20, dropped)
  t:is({ host:counter "UdpInErrors", host:drops "PROTO_MEM", host:counter "UdpRcvbufErrors" },
    { dropped, dropped, 0 })
  local n = 0
  while socket:try("recv", { flags = "dontwait" }) do n = n + 1 end
  t:is(n, 620 - dropped)
end)
