-- SPDX-License-Identifier: MIT
-- What RFC 9293 recommends or allows: full segments, IP options that an application may
-- set, reports of errors, windows that open by steps, another congestion control.
local tap = require "tap"
local net = require "net"
local tcp = require "suite.tcp"

tap.test("small writes that wait go out as segments of the largest size", function(t)
  local _, peer, conn = tcp.passive { syn = "mss 1000", rtt = 100 }
  conn:send "x"
  peer:expect "P. 1:2(1) ack 1"
  for _ = 1, 50 do conn:send(("y"):rep(100)) end -- what waits is whole segments soon
  t:shows("RFC1122-4.2.2.2-7", t:shows("RFC9293-SHLD-28",
    t:is(tcp.sent(peer, "90ms"), "2:1002 1002:2002 2002:3002 3002:4002 4002:5002")))
end)

tap.test("a large write is cut into segments of the largest size, and a last one", function(t)
  local _, peer, conn = tcp.passive { syn = "mss 1000" }
  conn:send(("y"):rep(3500))
  t:shows("RFC9293-SHLD-28", t:is(tcp.sent(peer, "1ms"), "1:1001 1001:2001 2001:3001 3001:3501"))
end)

-- IP options -----------------------------------------------------------------------------------------

for name, case in pairs {
  ["Record Route"] = { 7, "\7\15\4" .. ("\0"):rep(12) .. "\0", "RFC9293-MAY-11", "RFC1122-4.2.3.8-3" },
  ["time stamp"] = { 68, "\68\12\5\0" .. ("\0"):rep(8), "RFC9293-MAY-10", "RFC1122-4.2.3.8-2" },
} do
  tap.test(name .. " of the SYN: the host fills it in, and so does every segment back", function(t)
    local _, peer, server = tcp.listen()
    local syn = peer:segment "S 0:0(0) win 65535 <mss 1460>"
    syn.ip.options = case[2]
    peer:send(syn)
    local synack = peer:expect "S. 0:0(0) ack 1"
    t:is(synack.ip.options:byte(1), case[1])
    local pointer = synack.ip.options:byte(3)
    t:ok(pointer > case[2]:byte(3), "the host added itself, and itself again")
    if case[1] == 7 then
      t:is(synack.ip.options:sub(4, 7), "\192\0\2\1")
    end
    peer:send ". 1:1(0) ack 1 win 65535"
    server:accept():send "x"
    local data = peer:expect "P. 1:2(1) ack 1"
    t:shows(case[3], t:shows(case[4], t:is(data.ip.options:byte(1), case[1])))
  end)

  tap.test(name .. " that the application sets is in every segment", function(t)
    local host = net.host { addr = "192.0.2.1/24" }
    local peer = host.wire:peer { addr = "192.0.2.9", port = 4000 }
    host:neigh { addr = peer.addr, mac = peer.mac }
    local client = host:socket("tcp", { nonblock = true })
    client:option("IP_OPTIONS", case[2])
    client:try("connect", "192.0.2.9", 4000)
    t:is(peer:expect("S 0:0(0)").ip.options:byte(1), case[1])
    peer:send "S. 0:0(0) ack 1 win 65535 <mss 1460>"
    peer:expect ". 1:1(0) ack 1"
    client:send(("x"):rep(3000))
    for _, frame in ipairs(peer:collect { during = "1ms" }) do
      t:ok(frame.ip.len <= 1500)
      t:shows(case[3], t:shows(case[4], t:is(frame.ip.options:byte(1), case[1])))
    end
  end)
end

-- Errors -----------------------------------------------------------------------------------------------

for _, asked in ipairs { true, false } do
  tap.test("soft errors are " .. (asked and "" or "not ") .. "reported with IP_RECVERR " .. (asked and 1 or 0),
    function(t)
      local _, peer, conn = tcp.passive()
      conn:option("IP_RECVERR", asked and 1 or 0)
      conn:send "hello"
      local frame = peer:expect "P. 1:6(5) ack 1"
      peer:send(net.icmp { type = "dest-unreach", code = "host" } /
        net.parse(frame:bytes():sub(15, 14 + 28), "ip"))
      net.sleep "1ms"
      local data, err = conn:try("recv", { flags = "dontwait" })
      local reported = t:is({ data, err, conn:info().state },
        { nil, asked and "EHOSTUNREACH" or "EAGAIN", "ESTABLISHED" })
      t:shows("RFC9293-SHLD-20", t:shows("RFC1122-4.2.4.1-2", reported))
      peer:send ". 1:1(0) ack 6 win 65535"
    end)
end

-- Windows ----------------------------------------------------------------------------------------------

-- The peer sends segments of `size` while one fits; the application reads all of it, 100 octets at a
-- time. Returns by how much the right edge of the window moved each time.
local function opening(t, size, buffer)
  local _, peer, conn = tcp.passive { options = { SO_RCVBUF = buffer } }
  local edge, next = 0, 1
  repeat
    peer:send((". %d:%d(%d) ack 1"):format(next, next + size, size))
    next = next + size
    for _, frame in ipairs(peer:collect { during = "300ms" }) do
      edge = frame.tcp.ack - 1000000 + frame.tcp.window
    end
  until edge - next < size
  local left, moves = edge - next, {}
  for _ = 1, conn:pending(), 100 do
    conn:recv { size = 100 }
    for _, frame in ipairs(peer:collect { during = "1ms" }) do
      local now = frame.tcp.ack - 1000000 + frame.tcp.window
      if now ~= edge then moves[#moves + 1] = now - edge end
      edge = now
    end
  end
  t:ok(#moves >= 2, "the window opens")
  return moves, left
end

tap.test("a window that is shut opens by a segment at the least", function(t)
  local moves, left = opening(t, 1460, 9000)
  t:is(left, 0)
  for _, by in ipairs(moves) do t:ok(by >= 1460, "by " .. by) end
end)

-- Linux rounds what it offers down to whole segments: the 300 octets that were left are not added.
tap.test("a window that is nearly shut opens to one segment, by less than one", function(t)
  local moves, left = opening(t, 1000, 8000)
  t:is({ left, moves[1] }, { 300, 700 })
end)

tap.test("the first round trip is that of the SYN: its time-out is that of data", function(t)
  local _, peer, client = tcp.connecting()
  tcp.rest(400)
  peer:send "S. 0:0(0) ack 1 win 65535 <mss 1460>"
  peer:expect ". 1:1(0) ack 1"
  t:is({ client:info().rtt, client:info().rto }, { 400000, 1200000 })
  client:send "x"
  peer:expect "P. 1:2(1) ack 1"
  t:shows("RFC1122-4.2.3.1-4", tcp.expect_after(t, peer, "P. 1:2(1) ack 1", 1200))
end)

tap.test("congestion control is the user's choice among those there are", function(t)
  local _, peer, conn = tcp.passive { syn = "mss 1000", rtt = 100 }
  local beta = {}
  for _, name in ipairs { "reno", "cubic" } do
    conn:option("TCP_CONGESTION", name)
    beta[#beta + 1] = conn:option("TCP_CONGESTION"):match "^%a+"
  end
  conn:send(net.pattern(1, 40000))
  t:is(tcp.sent(peer), tcp.segments(0, 10))
  net.sleep "97ms"
  for _ = 1, 3 do peer:send ". 1:1(0) ack 1" end
  peer:collect { during = "1ms" }
  t:is(beta, { "reno", "cubic" })
  t:shows("RFC9293-MAY-18", t:is(conn:info().snd_ssthresh, 7, "CUBIC's 0.7, not half"))
end)

tap.test("data in flight goes again, though the window was shut behind it", function(t)
  local _, peer, conn = tcp.passive { syn = "mss 1000", rtt = 100 }
  conn:send(net.pattern(1, 1000))
  peer:expect "P. 1:1001(1000) ack 1"
  peer:send ". 1:1(0) ack 1 win 0"
  local again = peer:expect("P. 1:1001(1000) ack 1", { within = "2s" })
  t:shows("RFC9293-MAY-7", t:is(#again.payload, 1000))
  peer:send ". 1:1(0) ack 1001 win 65535"
end)

tap.test("the port of a local service is not chosen for a connection", function(t)
  local host = net.host { addr = "192.0.2.1/24", sysctl = { ["net.ipv4.ip_local_port_range"] = "40000 40001" } }
  local peer = host.wire:peer { addr = "192.0.2.9" }
  host:neigh { addr = peer.addr, mac = peer.mac }
  host:socket "tcp":listen(40000)
  local client = host:socket("tcp", { nonblock = true })
  client:try("connect", peer.addr, 80)
  t:is(peer:expect(net.tcp { dport = 80, flags = "S" }).tcp.sport, 40001)
  local other = host:socket("tcp", { nonblock = true })
  t:shows("RFC6056-3.2-1", t:is(select(2, other:try("bind", "192.0.2.1", 40000)), "EADDRINUSE"))
end)

tap.test("the path MTU is found by what routers say, and where they say nothing by probes", function(t)
  local host, peer, conn = tcp.passive { rtt = 100, sysctl = { ["net.ipv4.tcp_mtu_probing"] = 1,
    ["net.ipv4.tcp_base_mss"] = 512, ["net.ipv4.tcp_retries1"] = 2 } }
  host:ethtool { tso = false }
  conn:send(net.pattern(1, 1460))
  local frame = peer:expect(net.ip { df = true, len = 1500 } / net.tcp {})
  peer:send(net.icmp { type = "dest-unreach", code = "frag-needed", mtu = 1400 } /
    net.parse(frame:bytes():sub(15, 14 + 28), "ip"))
  t:is(tcp.sent(peer), "1:1361 1361:1461")
  local smallest = 1400 -- and now nobody says anything: a black hole
  for _, lost in ipairs(peer:collect { during = "60s" }) do smallest = math.min(smallest, lost.ip.len) end
  t:shows("RFC9293-3.7.2-1", t:ok(smallest <= 552, "segments of " .. smallest))
end)

tap.test("a smaller path MTU: no more segments in flight than before, so fewer octets", function(t)
  local _, peer, conn = tcp.passive { rtt = 100 }
  conn:option("TCP_NODELAY", 1)
  conn:send(net.pattern(1, 40000))
  local frames = peer:collect { during = "1ms" }
  local before = conn:info().snd_cwnd
  t:is(#frames, before)
  peer:send(net.icmp { type = "dest-unreach", code = "frag-needed", mtu = 750 } /
    net.parse(frames[1]:bytes():sub(15, 14 + 28), "ip"))
  peer:collect { during = "1ms" }
  t:is(conn:info().snd_mss, 710)
  t:shows("RFC5681-3.1-5", t:ok(conn:info().snd_cwnd <= before,
    ("%d segments, now %d"):format(before, conn:info().snd_cwnd)))
  peer:send ". 1:1(0) ack 14601"
  peer:collect { during = "1ms" }
end)

-- Linux sends resets of no connection without options.
tap.test("the reset for a segment with a time stamp has none", function(t)
  local _, peer = tcp.state "CLOSED"
  peer:send ". 5:5(0) ack 77 <nop,nop,TS val 100 ecr 200>"
  t:ok(peer:expect "R 77:77(0) <>")
end)

tap.test("profile linux: the range of ephemeral ports", { profile = "linux" }, function(t)
  local host, peer = tcp.state "CLOSED"
  t:is(host:sysctl "net.ipv4.ip_local_port_range", "32768\t60999")
  host:sysctl("net.ipv4.ip_local_port_range", "1024 65535")
  local below = 0
  for port = 1, 40 do -- each destination has a place of its own in the range
    host:socket("tcp", { nonblock = true }):try("connect", peer.addr, port)
    if peer:expect(net.tcp { flags = "S" }, { defaults = false }).tcp.sport < 32768 then below = below + 1 end
  end
  t:ok(below > 5 and below < 35, below .. " of 40 below 32768")
end)
