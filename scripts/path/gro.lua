-- SPDX-License-Identifier: MIT
-- GRO: what a NAPI poll finds of one flow becomes one packet, when nothing that the stack above would
-- want to see is hidden by it.
local tap = require "tap"
local net = require "net"
local ip, tcp, udp = net.ip, net.tcp, net.udp

-- A connection that the peer opened; segment(i, flags) is the i-th of 100 bytes, with IDs in turn.
local function station(o)
  o = o or {}
  local host = net.host { addr = "192.0.2.1/24", sysctl = o.sysctl }
  local peer = host.wire:peer { addr = "192.0.2.9", port = 4000 }
  host:neigh { addr = peer.addr, mac = peer.mac }
  if o.ethtool then host:ethtool(o.ethtool) end
  local server = host:socket "tcp"
  server:listen(80)
  peer:to(80)
  peer:send(("S 0:0(0) win 65535 <mss 1000%s>"):format(o.syn or ""))
  peer:expect "S. 0:0(0) ack 1"
  peer:send((". 1:1(0) ack 1 win 65535%s"):format(o.third or ""))
  local conn = server:accept()
  local function segment(i, flags, options)
    local p = peer:segment(("%s %d:%d(100) ack 1 win 65535 <%s>")
      :format(flags or ".", 1 + i * 100, 101 + i * 100, options or ""))
    p.ip.df = true
    p.ip.id = 100 + i
    return p
  end
  return host, peer, conn, segment
end

-- Sends them at one instant: how many packets IP saw, and in what the ACKs were.
local function give(host, peer, packets)
  local before = host:counter("IpInReceives")
  for _, p in ipairs(packets) do peer:send(p) end
  local acks = peer:collect { during = "100us" }
  return host:counter("IpInReceives") - before, #acks
end

tap.test("five segments of one flow are one packet, five segments and one ACK", function(t)
  local host, peer, conn, segment = station()
  local list = {}
  for i = 0, 4 do list[#list + 1] = segment(i) end
  local packets, acks = give(host, peer, list)
  t:is(packets, 1)
  t:is(acks, 1)
  t:is(host:counter("eth0.rx_packets"), 7)
  t:is((conn:recv(1000)), net.pattern(1, 500))
  t:is(conn:info().segs_in, 7)
  t:is(conn:info().rcv_mss, 536)
  t:is(host:counter("IpExtInNoECTPkts"), 7)
end)

tap.test("ethtool -K gro off: each is a packet", function(t)
  local host, peer, conn, segment = station { ethtool = { gro = 0 } }
  local packets = give(host, peer, { segment(0), segment(1), segment(2) })
  t:is(packets, 3)
  t:is((conn:recv(1000)), net.pattern(1, 300))
end)

-- Each: what is changed in the second of three, how many packets that makes.
local rules = {
  { "nothing", function() end, 1 },
  { "another acknowledgement", function(p) p.tcp.ack = p.tcp.ack - 1 end, 3 },
  { "another window", function(p) p.tcp.window = 60000 end, 3 },
  { "PSH: the packet ends with it", function(p) p.tcp.flags = "PA" end, 2 },
  { "URG", function(p) p.tcp.flags, p.tcp.urg = "UA", 5 end, 3 },
  { "ECE", function(p) p.tcp.flags = "EA" end, 3 },
  { "another ECN field", function(p) p.ip.ecn = 3 end, 3 },
  { "another DSCP", function(p) p.ip.dscp = 10 end, 3 },
  { "another TTL", function(p) p.ip.ttl = 63 end, 3 },
  { "without DF", function(p) p.ip.df = false end, 3 },
  { "an identification that does not follow on", function(p) p.ip.id = 555 end, 3 },
  { "a wrong checksum: it ends at TCP", function(p) p.tcp.checksum = 0xbad end, 3 },
  { "IP options", function(p) p.ip.options = "\1\1\1\1" end, 3 },
  { "a sequence number that does not follow on", function(p) p.tcp.seq = p.tcp.seq + 50 end, 3 },
}

for _, rule in ipairs(rules) do
  tap.test("three segments, the second has " .. rule[1], function(t)
    local host, peer, conn, segment = station()
    local list = { segment(0), segment(1), segment(2) }
    rule[2](list[2])
    t:is((give(host, peer, list)), rule[3])
    -- Without GRO the socket gets the same bytes.
    local function bytes(gro)
      local h, q, c, s = station { ethtool = { gro = gro } }
      local again = { s(0), s(1), s(2) }
      rule[2](again[2])
      give(h, q, again)
      return (c:recv(1000))
    end
    t:is(bytes(1), bytes(0))
    t:ok(#conn:recv(1000) > 0)
  end)
end

tap.test("one identification for all is as good: atomic datagrams (RFC 6864)", function(t)
  local host, peer, _, segment = station()
  local list = { segment(0), segment(1), segment(2) }
  for _, p in ipairs(list) do p.ip.id = 0 end
  t:is((give(host, peer, list)), 1)
end)

tap.test("a short segment is the last of a packet, a longer one begins a new one", function(t)
  local host, peer, conn = station()
  local function seg(from, len)
    local p = peer:segment((". %d:%d(%d) ack 1 win 65535"):format(from, from + len, len))
    p.ip.df, p.ip.id = true, from
    return p
  end
  local list = { seg(1, 100), seg(101, 100), seg(201, 50), seg(251, 50), seg(301, 100), seg(401, 100) }
  for i, p in ipairs(list) do p.ip.id = i end
  -- 100 100 50 | 50 | 100 100
  t:is((give(host, peer, list)), 3)
  t:is((conn:recv(1000)), net.pattern(1, 500))
end)

tap.test("time stamps: equal ones may be merged, others not", function(t)
  local host, peer, conn, segment = station { syn = ",sackOK,TS val 1000 ecr 0",
    third = " <nop,nop,TS val 1000 ecr 0>" }
  local function ts(i, val) return segment(i, ".", ("nop,nop,TS val %d ecr 0"):format(val)) end
  t:is((give(host, peer, { ts(0, 1001), ts(1, 1001), ts(2, 1002), ts(3, 1002) })), 2)
  t:is((conn:recv(1000)), net.pattern(1, 400))
end)

tap.test("FIN ends a packet, and the connection closes after its bytes", function(t)
  local host, peer, conn, segment = station()
  local fin = segment(2)
  fin.tcp.flags = "FA"
  t:is((give(host, peer, { segment(0), segment(1), fin })), 1)
  t:is((conn:recv(1000)), net.pattern(1, 300))
  t:is((conn:recv(1000)), "")
  t:is(conn:info().state, "CLOSE_WAIT")
end)

tap.test("pure ACKs and what is padded go up as they came", function(t)
  local host, peer, conn, segment = station()
  conn:send(("x"):rep(5000))
  peer:collect { during = "10us" }
  local list = {}
  for i = 1, 5 do
    list[i] = peer:segment((". 1:1(0) ack %d win 65535"):format(1 + i * 1000))
    list[i].ip.df, list[i].ip.id = true, i
  end
  t:is((give(host, peer, list)), 5)
  t:is(conn:info().unacked, 0)
  t:ok(segment(0))
end)

tap.test("two flows that alternate are two packets, in the order of their first frames", function(t)
  local host, peer, conn, segment = station()
  local other = host.wire:peer { addr = "192.0.2.10", port = 4000 }
  host:neigh { addr = other.addr, mac = other.mac }
  local server = host:socket "tcp"
  server:listen(81)
  other:to(81)
  other:send "S 0:0(0) win 65535 <mss 1000>"
  other:expect "S. 0:0(0) ack 1"
  other:send ". 1:1(0) ack 1 win 65535"
  local conn2 = server:accept()
  local before = host:counter("IpInReceives")
  for i = 0, 4 do
    peer:send(segment(i))
    local p = other:segment((". %d:%d(100) ack 1 win 65535"):format(1 + i * 100, 101 + i * 100))
    p.ip.df, p.ip.id = true, i
    other:send(p)
  end
  peer:collect { during = "100us" }
  other:collect()
  t:is(host:counter("IpInReceives") - before, 2)
  t:is((conn:recv(1000)), net.pattern(1, 500))
  t:is((conn2:recv(1000)), net.pattern(1, 500))
end)

tap.test("a bucket holds eight packets: the ninth flow pushes out the oldest", function(t)
  local host = net.host { addr = "192.0.2.1/24" }
  local peer = host.wire:peer { addr = "192.0.2.9" }
  host:neigh { addr = peer.addr, mac = peer.mac }
  local order = {}
  host:hook("pre_routing", function(p)
    order[#order + 1] = ("%d:%d"):format(p.tcp.sport, p.ip.len)
  end)
  local function frame(port, i)
    return ip{ df = true, id = i } / tcp{ sport = port, dport = 9, seq = 1 + i * 10, ack = 1, flags = "A",
      window = 100 } / ("x"):rep(10)
  end
  for port = 1, 9 do peer:send(frame(port, 0)) end
  for port = 9, 1, -1 do peer:send(frame(port, 1)) end
  peer:collect { during = "1ms" }
  -- Flow 1 was pushed out by 9; its second frame pushes out 2.
  t:is(order, { "1:50", "2:60", "3:60", "4:60", "5:60", "6:60", "7:60", "8:60", "9:60", "1:50" })
end)

tap.test("UDP goes up in batches of gro_normal_batch, frame by frame", function(t)
  local host = net.host { addr = "192.0.2.1/24", sysctl = { ["net.core.gro_normal_batch"] = 4 } }
  local peer = host.wire:peer { addr = "192.0.2.9", port = 5000 }:to(7)
  local socket = host:socket "udp"
  socket:bind(7)
  for i = 1, 10 do peer:send(udp{} / tostring(i)) end
  for i = 1, 10 do t:is((socket:recv()), tostring(i)) end
  t:is(host:counter("IpInReceives"), 10)
end)

tap.test("a fragment of a flow is no matter of GRO's", function(t)
  local host, peer, conn, segment = station()
  local whole = segment(1)
  local pieces = net.fragments(ip{ src = "192.0.2.9", dst = "192.0.2.1", id = 7 } /
    tcp{ sport = 4000, dport = 80, seq = whole.tcp.seq, ack = whole.tcp.ack, flags = "A", window = 65535 } /
    whole.payload, { 64 })
  t:is((give(host, peer, { segment(0), pieces[1], pieces[2], segment(2) })), 4)
  t:is((conn:recv(1000)), net.pattern(1, 300))
end)

tap.test("a merged packet grows to 64 KiB and no further", function(t)
  local host = net.host { addr = "192.0.2.1/24", rx_ring = 512 }
  local peer = host.wire:peer { addr = "192.0.2.9" }
  host:neigh { addr = peer.addr, mac = peer.mac }
  host:sysctl("net.core.netdev_budget", 1000)
  local sizes = {}
  host:hook("pre_routing", function(p) sizes[#sizes + 1] = p.ip.len; return "drop" end)
  for i = 0, 63 do
    peer:send(ip{ df = true, id = i } / tcp{ sport = 1, dport = 9, seq = 1 + i * 1400, ack = 1, flags = "A",
      window = 100 } / ("x"):rep(1400))
  end
  net.sleep "1ms"
  t:is(sizes, { 40 + 46 * 1400, 40 + 18 * 1400 })
end)

tap.test("gro_flush_timeout holds packets over polls, napi_defer_hard_irqs polls without interrupts",
  function(t)
    local host, peer, conn, segment = station { ethtool = { gro_flush_timeout = 50000,
      napi_defer_hard_irqs = 2 } }
    net.sleep "1ms"
    local before = host:counters()
    for i = 0, 3 do
      peer:send(segment(i))
      net.sleep "20us"
    end
    net.sleep "1ms"
    local changes = host:changes(before, "^IpInReceives$")
    peer:collect()
    t:is(changes, { IpInReceives = 1 })
    t:is((conn:recv(1000)), net.pattern(1, 400))
    -- One interrupt began it, the rest were polls by the timer; one more tells of the ACK that was
    -- sent meanwhile.
    t:is(host:changes(before, "^eth0.hw_interrupts$"), { ["eth0.hw_interrupts"] = 2 })
  end)

tap.test("without the timeout nothing is held longer than its poll", function(t)
  local host, peer, conn, segment = station()
  local before = host:counter("IpInReceives")
  for i = 0, 3 do
    peer:send(segment(i))
    net.sleep "20us"
  end
  peer:collect()
  t:is(host:counter("IpInReceives") - before, 4)
  t:is((conn:recv(1000)), net.pattern(1, 400))
end)

tap.test("taking the card down drops what is held, and counts it", function(t)
  local host, peer, _, segment = station()
  host:ethtool { gro_flush_timeout = 500000000 }
  peer:send(segment(0))
  net.sleep "10us"
  host:link { up = false }
  t:is(host:drops("DEV_READY"), 1)
end)

tap.test("a router cuts a merged packet again, as it was", function(t)
  local wire = net.wire {}
  local router = net.host { addr = "192.0.2.1/24", sysctl = { ["net.ipv4.ip_forward"] = 1 } }
  local nic = router:nic { addr = "198.51.100.1/24", wire = wire }
  local a = router.wire:peer { addr = "192.0.2.9", port = 1 }
  local b = wire:peer { addr = "198.51.100.9", port = 2 }
  router:neigh { addr = b.addr, mac = b.mac, dev = nic }
  for i = 0, 4 do
    a:send(ip{ src = "192.0.2.9", dst = "198.51.100.9", df = true, id = 70 + i, ttl = 9 } /
      tcp{ sport = 1, dport = 2, seq = 1 + i * 100, ack = 1, flags = i == 4 and "PA" or "A", window = 5 } /
      net.pattern(1 + i * 100, 100))
  end
  for i = 0, 4 do
    local p = b:expect(ip{ src = "192.0.2.9", dst = "198.51.100.9", ttl = 8, id = 70 + i } /
      tcp{ sport = 1, dport = 2, seq = 1 + i * 100, flags = i == 4 and "PA" or "A" } /
      net.pattern(1 + i * 100, 100), { within = "1ms", defaults = false })
    t:is(p.tcp.checksum_status, "good")
  end
  t:is(router:counter("IpForwDatagrams"), 1)
end)

-- Two hosts of ours, 300 kB with loss and reordering: the same bytes whatever the devices do.
local function transfer(gro, tso, faults)
  local wire = net.wire { delay = "1ms", rate = 100000000 }
  local a = net.host { addr = "192.0.2.1/24", wire = wire }
  local b = net.host { addr = "192.0.2.2/24", wire = wire }
  a:ethtool { tx_csum = tso, tso = tso }
  for _, host in ipairs { a, b } do host:ethtool { gro = gro, rx_usecs = 1000 } end
  wire:set(faults)
  local server = b:socket "tcp":listen(80)
  local reader = net.spawn(function()
    local conn, list = server:accept(), {}
    while true do
      local data = conn:recv(65536)
      if data == "" then break end
      list[#list + 1] = data
    end
    conn:close()
    return table.concat(list) == net.pattern(1, 300000)
  end)
  local client = a:socket "tcp"
  client:connect("192.0.2.2", 80)
  client:send(net.pattern(1, 300000))
  client:close()
  local same = reader:join()
  net.sleep "100s"
  return same, b:counter("eth0.rx_packets"), b:counter("IpInReceives")
end

for _, faults in ipairs { {}, { loss = 10000 }, { reorder = 20000, reorder_by = "3ms" },
  { duplicate = 20000, corrupt = 5000 } } do
  tap.test("300 kB, GRO on and off, TSO on and off: the same bytes; " ..
    (next(faults) and tap.repr(faults) or "clean"), function(t)
    for gro = 0, 1 do
      for tso = 0, 1 do
        local same, frames, packets = transfer(gro, tso, faults)
        t:ok(same)
        if gro == 1 then t:ok(packets < frames * 2 // 3) else t:ok(frames - packets < 10) end -- ARP
      end
    end
  end)
end

tap.test("what a user sees: gro_flush_timeout makes a lone request wait for a companion that never comes", function(t)
  for _, timeout in ipairs { 0, 200000 } do
    local host, peer, conn, segment = station { ethtool = { gro_flush_timeout = timeout } }
    net.sleep "1ms"
    peer:send(segment(0))
    net.sleep "150us"
    -- Arrived at the card, polled, and held: the socket does not see it before the timer.
    t:is(conn:pending(), timeout == 0 and 100 or 0)
    t:is(host:counter "eth0.rx_packets", 3)
    net.sleep "100us"
    t:is(conn:pending(), 100)
    peer:collect { during = "100ms" }
  end
end)
