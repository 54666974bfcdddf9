-- SPDX-License-Identifier: MIT
-- LRO (ethtool -K lro): the card merges segments while their interrupt is held back. The socket must not
-- see it; a router and a bridge must not have it.
local tap = require "tap"
local net = require "net"
local tcp = net.tcp

-- A connection that the peer opened. What comes now starts the moderation's time: what follows within
-- it may be merged. segment(i, flags, options): 100 bytes.
local function station(o)
  o = o or {}
  local host = net.host { addr = o.addr or "192.0.2.1/24", sysctl = o.sysctl, model = "ring", rx_ring = o.rx_ring, mtu = o.mtu }
  local peer = host.wire:peer { addr = "192.0.2.9", port = 4000 }
  host:neigh { addr = peer.addr, mac = peer.mac }
  local server = host:socket "tcp"
  server:listen(80)
  peer:to(80)
  peer:send(("S 0:0(0) win 65535 <mss 1000%s>"):format(o.syn or ""))
  peer:expect "S. 0:0(0) ack 1"
  peer:send((". 1:1(0) ack 1 win 65535%s"):format(o.third or ""))
  local conn = server:accept()
  net.sleep "10ms"
  host:ethtool { rx_csum = 1, lro = 1, gro = o.gro or 0, rx_usecs = 200, rx_timestamp = o.stamps }
  local size = o.size or 100
  local function segment(i, flags, options)
    local p = peer:segment(("%s %d:%d(%d) ack 1 win 65535 <%s>")
      :format(flags or ".", 1 + i * size, 1 + (i + 1) * size, size, options or ""))
    p.ip.df, p.ip.id = true, 100 + i
    return p
  end
  -- How many packets IP saw, how many frames were put into others, how many such there were.
  local function give(packets)
    local names, before = { "IpInReceives", "eth0.hw_rx_lro_merged", "eth0.hw_rx_lro_flushed" }, {}
    for i, name in ipairs(names) do before[i] = host:counter(name) end
    for _, p in ipairs(packets) do peer:send(p) end
    peer:collect { during = "300us" }
    for i, name in ipairs(names) do before[i] = host:counter(name) - before[i] end
    return table.unpack(before)
  end
  return host, peer, conn, segment, give
end

local function list(segment, n)
  local packets = {}
  for i = 0, n - 1 do packets[#packets + 1] = segment(i) end
  return packets
end

tap.test("the first frame interrupts at once; those that come until the next interrupt are one", function(t)
  local host, peer, conn, segment, give = station()
  t:is({ give(list(segment, 6)) }, { 2, 4, 1 })
  t:is((conn:recv(1000)), net.pattern(1, 600))
  t:is(host:counter "eth0.queue_0_rx_lro_packets", 1)
  t:is(host:counter "eth0.queue_0_rx_lro_bytes", 54 + 500)
  t:is(host:counter "eth0.rx_packets", host:counter "eth0.hw_rx_frames", "frames off the wire are counted, not packets")
  t:is(conn:info().segs_in, 8)
end)

tap.test("lro off, and without moderation: each frame is a packet", function(t)
  for _, o in ipairs { { lro = 0 }, { rx_usecs = 0 }, { rx_csum = 0 } } do
    local host, peer, conn, segment, give = station()
    host:ethtool(o)
    t:is({ give(list(segment, 4)) }, { 4, 0, 0 })
    t:is((conn:recv(1000)), net.pattern(1, 400))
  end
end)

local cases = {
  { "PSH ends it, with it", { 2, 1, 1 }, function(s) return { s(0), s(1), s(2, "P.") } end, 300 },
  { "a segment that does not follow on", { 3, 0, 0 }, function(s) return { s(0), s(1), s(3) } end, 200 },
  { "one that came twice", { 3, 0, 0 }, function(s) return { s(0), s(1), s(1) } end, 200 },
  { "SYN", { 3, 0, 0 }, function(s) return { s(0), s(1), s(2, "S") } end, 200 },
  { "URG (its octet is read out of band)", { 3, 0, 0 }, function(s) return { s(0), s(1), s(2, "U.") } end, 200 },
  { "CWR", { 3, 0, 0 }, function(s) return { s(0), s(1), s(2, "W.") } end, 300 },
  { "a longer one", { 3, 0, 0 }, function(s, peer)
      return { s(0), s(1), peer:segment ". 201:302(101) ack 1 win 65535" } end, 301 },
  { "a shorter one is the last", { 3, 1, 1 }, function(s, peer)
      return { s(0), s(1), peer:segment ". 201:251(50) ack 1 win 65535", peer:segment ". 251:351(100) ack 1 win 65535" } end, 350 },
  { "another TOS", { 3, 0, 0 }, function(s) local p = s(2); p.ip.tos = 0x10; return { s(0), s(1), p } end, 300 },
  { "a CE mark", { 3, 0, 0 }, function(s) local p = s(2); p.ip.tos = 3; return { s(0), s(1), p } end, 300 },
  { "another time to live", { 3, 0, 0 }, function(s) local p = s(2); p.ip.ttl = 9; return { s(0), s(1), p } end, 300 },
  { "a wrong checksum", { 3, 0, 0 }, function(s) local p = s(2); p.tcp.checksum = 1; return { s(0), s(1), p } end, 200 },
  { "SACK blocks", { 3, 0, 0 }, function(s) return { s(0), s(1), s(2, ".", "sack 1:2") } end, 300 },
  { "an acknowledgement alone", { 3, 0, 0 }, function(s, peer) return { s(0), s(1), peer:segment ". 201:201(0) ack 1 win 65535" } end, 200 },
  { "identifications do not matter", { 2, 1, 1 }, function(s) local p = s(2); p.ip.id = 9; return { s(0), s(1), p } end, 300 },
  { "a window that grows is that of the last", { 2, 1, 1 }, function(s) local p = s(2); p.tcp.window = 9999; return { s(0), s(1), p } end, 300 },
}
for _, c in ipairs(cases) do
  tap.test("what is merged: " .. c[1], function(t)
    local host, peer, conn, segment, give = station()
    t:is({ give(c[3](segment, peer)) }, c[2])
    t:is(#(conn:recv(1000)), c[4])
  end)
end

tap.test("time stamps go on in a merged frame, and are those of the last segment", function(t)
  local host, peer, conn, segment, give = station { syn = ",sackOK,TS val 100 ecr 0", third = " <nop,nop,TS val 100 ecr 0>" }
  local packets = {}
  for i = 0, 3 do packets[#packets + 1] = segment(i, ".", ("nop,nop,TS val %d ecr 0"):format(110 + i)) end
  t:is({ give(packets) }, { 2, 2, 1 })
  t:is((conn:recv(1000)), net.pattern(1, 400))
  conn:send "x"
  peer:expect "P. 1:2(1) ack 401 <nop,nop,TS val * ecr 113>"
end)

tap.test("64 kB come in frames of 16 descriptors at the most, over several buffers each", function(t)
  local host, peer, conn, segment, give = station { size = 1000 }
  local receives, merged, flushed = give(list(segment, 60))
  t:is({ receives, merged + receives }, { 4, 60 })
  t:is((conn:recv(65536)), net.pattern(1, 60000))
  peer:collect { during = "1ms" }
  t:is(host:counter "eth0.rx_missed_errors", 0)
end)

tap.test("hardware stamps: that of the first frame", function(t)
  local host, peer, conn, segment, give = station { stamps = 1, size = 1000 }
  t:is({ give(list(segment, 5)) }, { 2, 3, 1 })
  t:is((conn:recv(65536)), net.pattern(1, 5000))
end)

tap.test("several connections are merged side by side, a ninth takes the place of the oldest", function(t)
  local host = net.host { addr = "192.0.2.1/24", model = "ring" }
  local peer = host.wire:peer { addr = "192.0.2.9" }
  host:neigh { addr = peer.addr, mac = peer.mac }
  host:ethtool { rx_csum = 1, lro = 1, gro = 0, rx_usecs = 200 }
  for _, n in ipairs { 8, 9 } do
    net.sleep "10ms"
    local merged, flushed, received = host:counter "eth0.hw_rx_lro_merged", host:counter "eth0.hw_rx_lro_flushed", host:counter "IpInReceives"
    -- Three rounds; the very first frame interrupts.
    for round = 0, 2 do
      for i = 1, n do
        peer:send(tcp{ sport = 1000 + i, dport = 80, flags = "A", seq = 1 + 100 * round, ack = 1 } / net.pattern(1, 100))
      end
    end
    peer:collect { during = "1ms" }
    merged, flushed = host:counter "eth0.hw_rx_lro_merged" - merged, host:counter "eth0.hw_rx_lro_flushed" - flushed
    if n == 8 then
      t:is({ merged, flushed, host:counter "IpInReceives" - received }, { 15, 8, 9 })
    else
      t:is(merged, 14, "two push each other out")
    end
  end
end)

tap.test("a lost first segment: LRO keeps the order of what came, TCP puts it right", function(t)
  local host, peer, conn, segment, give = station()
  give { segment(1), segment(2), segment(3), segment(4) }
  t:is(conn:try("recv", { flags = "dontwait" }), nil)
  give { segment(0) }
  t:is((conn:recv(1000)), net.pattern(1, 500))
end)

tap.test("down, ring sizes and reset with frames on the board: they are lost and counted", function(t)
  local host, peer, conn, segment, give = station()
  for i = 0, 4 do peer:send(segment(i)) end
  net.sleep "10us"
  host:ethtool { rx_ring = 64 }
  t:is(host:counter "eth0.rx_missed_errors", 4)
  t:is({ give(list(segment, 5)) }, { 2, 3, 1 }, "on still")
  for i = 5, 9 do peer:send(segment(i)) end
  host:link { up = false }
  host:link { up = true }
end)

tap.test("switched off with frames on the board: the host gets them", function(t)
  local host, peer, conn, segment, give = station()
  for i = 0, 4 do peer:send(segment(i)) end
  net.sleep "10us"
  host:ethtool { lro = 0 }
  peer:collect { during = "1ms" }
  t:is((conn:recv(1000)), net.pattern(1, 500))
end)

tap.test("memory that is refused: lro stays off, frames of several buffers are dropped and counted", function(t)
  local host, peer, conn, segment, give = station { size = 1000 }
  host:ethtool { lro = 0 }
  host:fault("alloc", { skip = 0, count = 1 })
  local ok, err = pcall(host.ethtool, host, { rx_csum = 1, lro = 1 })
  t:ok(not ok and tostring(err):find "ENOMEM", tostring(err))
  t:like(host:ethtool "-k eth0", "large%-receive%-offload: off")
end)

tap.test("any allocation that fails: no wrong byte, no frame that is not accounted for", function(t)
  for skip = 0, 12 do
    local host, peer, conn, segment, give = station { size = 1000 }
    for _, p in ipairs(list(segment, 12)) do peer:send(p) end
    host:fault("alloc", { skip = skip, count = 2 })
    peer:collect { during = "1ms" }
    host:fault("alloc", { skip = 1 << 40 })
    give(list(segment, 12))
    t:is((conn:recv(65536)), net.pattern(1, 12000))
    peer:collect { during = "1ms" }
  end
end)

-- Who may not have it ----------------------------------------------------------------------------------

local function lro(host, dev) return host:ethtool("-k " .. (dev or "eth0")):match "large%-receive%-offload: (%a+)" end

tap.test("forwarding switches it off: ip_forward, the device's own, what is made later", function(t)
  local host = net.host { addr = "192.0.2.1/24", model = "ring" }
  t:is(lro(host), "off")
  host:ethtool { rx_csum = 1, lro = 1 }
  t:is(lro(host), "on")
  host:sysctl("net.ipv4.conf.eth0.forwarding", 1)
  t:is(lro(host), "off")
  host:sysctl("net.ipv4.conf.eth0.forwarding", 0)
  t:is(lro(host), "off", "it does not come back by itself")
  host:ethtool { rx_csum = 1, lro = 1 }
  host:sysctl("net.ipv4.ip_forward", 1)
  t:is(lro(host), "off")
end)

tap.test("a bridge switches it off on its ports, a port that is a VLAN on the card", function(t)
  local host = net.host { model = "ring" }
  host:ethtool { rx_csum = 1, lro = 1 }
  host:link_add { type = "bridge", name = "br0", up = true }
  host:link { dev = "eth0", master = "br0" }
  t:is(lro(host), "off")
  local other = net.host { model = "ring" }
  other:ethtool { rx_csum = 1, lro = 1 }
  other:link_add { type = "vlan", name = "eth0.5", link = "eth0", id = 5, up = true }
  t:is(lro(other), "on")
  other:link_add { type = "bridge", name = "br0", up = true }
  other:link { dev = "eth0.5", master = "br0" }
  t:is(lro(other), "off")
end)

tap.test("what a user sees when it goes wrong: lro on a router loses what was merged, and only that", function(t)
  local router = net.host { addr = "192.0.2.1/24", model = "ring", sysctl = { ["net.ipv4.ip_forward"] = 1 } }
  local inner = router:nic { addr = "198.51.100.1/24" }
  local peer = router.wire:peer { addr = "192.0.2.9" }
  local far = inner.wire:peer { addr = "198.51.100.9" }
  router:neigh { addr = peer.addr, mac = peer.mac }
  router:neigh { addr = far.addr, mac = far.mac, dev = "eth1" }
  local function send(n)
    for i = 0, n - 1 do
      local p = tcp{ sport = 5, dport = 80, flags = "A", seq = 1 + 1000 * i, ack = 1 } / net.pattern(1, 1000)
      peer:send(net.ip{ dst = "198.51.100.9" } / p)
    end
    return #far:collect { during = "1ms" }
  end
  t:is(send(6), 6)
  router:ethtool { rx_csum = 1, lro = 1, gro = 0, rx_usecs = 200 }
  net.sleep "1ms"
  t:is(send(6), 1, "the first interrupted, the others came as one")
  t:is(router:counter "Drop.LRO_FORWARDING", 1)
  t:is(router:counter "eth0.hw_rx_lro_merged", 4)
  t:is(router:counter "eth0.rx_packets", 12)
  t:is(router:counter "IpForwDatagrams", 7)
  router:ethtool { lro = 0 }
  t:is(send(6), 6)
end)
