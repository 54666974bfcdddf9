-- SPDX-License-Identifier: MIT
-- UDP super-packets: UDP_SEGMENT cuts one write into many datagrams, UDP_GRO gives many datagrams in
-- one read, and a router may merge what passes through.
local tap = require "tap"
local net = require "net"
local ip, udp = net.ip, net.udp

local function station(o)
  o = o or {}
  local host = net.host { addr = "192.0.2.1/24", mtu = o.mtu, sysctl = o.sysctl }
  local peer = host.wire:peer { addr = "192.0.2.9", port = 5000 }:to(7)
  host:neigh { addr = peer.addr, mac = peer.mac }
  if o.ethtool then host:ethtool(o.ethtool) end
  local socket = host:socket "udp"
  socket:bind(7)
  if o.connect ~= false then socket:connect(peer.addr, 5000) end
  return host, peer, socket
end

local function payloads(frames)
  local list = {}
  for i, f in ipairs(frames) do list[i] = f.payload end
  return list
end

-- Out ---------------------------------------------------------------------------------------------

local devices = {
  { "software, no checksum in the card", {} },
  { "software, checksum in the card", { tx_csum = 1 } },
  { "the card cuts (tx-udp-segmentation)", { tx_csum = 1, tx_udp_segmentation = 1 } },
}

for _, device in ipairs(devices) do
  tap.test("UDP_SEGMENT: one write, datagrams of that size, the last what is left; " .. device[1], function(t)
    local host, peer, socket = station { ethtool = device[2] }
    socket:option("UDP_SEGMENT", 1000)
    t:is(socket:option "UDP_SEGMENT", 1000)
    local data = net.pattern(1, 3500)
    t:is(socket:send(data), 3500)
    local frames = peer:collect { during = "1ms" }
    t:is(#frames, 4)
    t:is(table.concat(payloads(frames)), data)
    for i, f in ipairs(frames) do
      t:is(f.udp.len, i < 4 and 1008 or 508)
      t:is(f.udp.checksum_status, "good")
      t:is(f.ip.checksum_status, "good")
      t:is(f.ip.id, (frames[1].ip.id + i - 1) & 0xffff)
    end
    t:is(host:counter "UdpOutDatagrams", 1)
    t:is(host:counter "IpOutRequests", 1)
    t:is(host:counter "eth0.tx_packets", 4)
    t:is(host:counter "eth0.hw_tx_tso", device[2].tx_udp_segmentation or 0)
  end)
end

tap.test("UDP_SEGMENT as control message: for this call only, and over the socket's own", function(t)
  local host, peer, socket = station()
  socket:option("UDP_SEGMENT", 700)
  socket:send(("x"):rep(1400), { control = { UDP_SEGMENT = 400 } })
  t:is(#peer:collect { during = "1ms" }, 4)
  socket:send(("x"):rep(1400))
  t:is(#peer:collect { during = "1ms" }, 2)
  socket:option("UDP_SEGMENT", 0)
  socket:send(("x"):rep(1400))
  t:is(#peer:collect { during = "1ms" }, 1)
end)

tap.test("a write not longer than a segment is one plain datagram", function(t)
  local host, peer, socket = station()
  socket:option("UDP_SEGMENT", 1000)
  socket:send(("x"):rep(1000))
  socket:send("")
  local frames = peer:collect { during = "1ms" }
  t:is({ frames[1].udp.len, frames[2].udp.len, frames[3] }, { 1008, 8 })
end)

tap.test("UDP_SEGMENT's limits: the MTU, 128 segments, no checksums switched off, 16 bits", function(t)
  local host, peer, socket = station()
  socket:option("UDP_SEGMENT", 1472)
  t:is(socket:send(("x"):rep(2944)), 2944)
  t:is(#peer:collect { during = "1ms" }, 2)
  socket:option("UDP_SEGMENT", 1473)
  t:is({ socket:try("send", ("x"):rep(2944)) }, { nil, "EMSGSIZE" })
  socket:option("UDP_SEGMENT", 10)
  t:is(socket:send(("x"):rep(1280)), 1280)
  t:is(#peer:collect { during = "1ms" }, 128)
  t:is({ socket:try("send", ("x"):rep(1281)) }, { nil, "EINVAL" })
  socket:option("SO_NO_CHECK", 1)
  t:is({ socket:try("send", ("x"):rep(100)) }, { nil, "EINVAL" })
  t:is({ socket:try("option", "UDP_SEGMENT", 65536) }, { nil, "EINVAL" })
  t:is({ socket:try("option", "UDP_SEGMENT", -1) }, { nil, "EINVAL" })
  t:is(#peer:collect { during = "1ms" }, 0)
end)

tap.test("UDP_CORK gathers writes, UDP_SEGMENT cuts the sum", function(t)
  local host, peer, socket = station()
  socket:option("UDP_SEGMENT", 300)
  socket:option("UDP_CORK", 1)
  for i = 1, 5 do socket:send(net.pattern(1 + 200 * (i - 1), 200)) end
  peer:expect_nothing { during = "1ms" }
  socket:option("UDP_CORK", 0)
  local list = payloads(peer:collect { during = "1ms" })
  t:is(#list, 4)
  t:is(table.concat(list), net.pattern(1, 1000))
end)

tap.test("send buffer: a super-packet is charged until its last segment has left", function(t)
  local host, peer, socket = station()
  host.wire:set { rate = 1000000, from = "host" }
  socket:option("UDP_SEGMENT", 1000)
  socket:option("SO_SNDBUF", 5000)
  socket:send(("x"):rep(10000))
  t:is({ socket:try("send", ("x"):rep(10000), { flags = "dontwait" }) }, { nil, "EAGAIN" })
  t:is(#peer:collect { during = "1s" }, 10)
  t:is(socket:try("send", ("x"):rep(10000), { flags = "dontwait" }), 10000)
  t:is(#peer:collect { during = "1s" }, 10)
end)

tap.test("loopback: a super-packet crosses whole; a plain reader gets the datagrams, one with UDP_GRO all at once",
  function(t)
    local host = station()
    local plain, merged, sender = host:socket "udp", host:socket "udp", host:socket "udp"
    plain:bind("127.0.0.1", 100)
    merged:bind("127.0.0.1", 101)
    merged:option("UDP_GRO", 1)
    sender:option("UDP_SEGMENT", 100)
    local data = net.pattern(1, 450)
    sender:sendto(data, "127.0.0.1", 100)
    sender:sendto(data, "127.0.0.1", 101)
    t:is(host:counter "lo.rx_packets", 2)
    local got = {}
    for i = 1, 5 do
      got[i] = plain:recv()
      t:is(#got[i], i < 5 and 100 or 50)
    end
    t:is(table.concat(got), data)
    local all, info = merged:recv()
    t:is(all, data)
    t:is(info.cmsg.UDP_GRO, 100)
    t:is({ plain:try("recv", { flags = "dontwait" }) }, { nil, "EAGAIN" })
  end)

tap.test("a path that becomes narrower: segments too long for it go in fragments", function(t)
  local host, peer, socket = station()
  socket:option("IP_MTU_DISCOVER", 0) -- IP_PMTUDISC_DONT
  socket:option("UDP_SEGMENT", 1400)
  host:link { mtu = 1000 }
  t:is({ socket:try("send", ("x"):rep(2800)) }, { nil, "EMSGSIZE" })
  t:is(#peer:collect { during = "1ms" }, 0)
end)

-- In ----------------------------------------------------------------------------------------------

local function give(peer, list)
  for i, p in ipairs(list) do peer:send(p) end
  net.sleep "100us"
end

local function datagram(i, size, o)
  o = o or {}
  return ip{ id = o.id or 100 + i, df = true, ttl = o.ttl, tos = o.tos } /
    udp{ sport = o.sport, dport = o.dport, checksum = o.checksum } / net.pattern(1 + 10000 * i, size)
end

local function reads(socket)
  local list = {}
  while true do
    local data, info = socket:try("recv", { flags = "dontwait" })
    if not data then return list end
    list[#list + 1] = { #data, info.cmsg.UDP_GRO }
  end
end

tap.test("UDP_GRO: datagrams of one flow and length come in one read, with their size", function(t)
  local host, peer, socket = station()
  socket:option("UDP_GRO", 1)
  t:is(socket:option "UDP_GRO", 1)
  give(peer, { datagram(0, 100), datagram(1, 100), datagram(2, 100), datagram(3, 40) })
  local data, info = socket:recv()
  t:is(data, net.pattern(1, 100) .. net.pattern(10001, 100) .. net.pattern(20001, 100) ..
    net.pattern(30001, 40))
  t:is(info.cmsg.UDP_GRO, 100)
  t:is(host:counter "IpInReceives", 1)
  t:is(host:counter "UdpInDatagrams", 1)
  t:is(host:counter "eth0.rx_packets", 4)
  t:is(host:counter "IpExtInNoECTPkts", 4)
end)

tap.test("without UDP_GRO each is a packet and a read, also next to a socket that has it", function(t)
  local host, peer, socket = station()
  local other = host:socket "udp"
  other:bind(8)
  other:option("UDP_GRO", 1)
  give(peer, { datagram(0, 100), datagram(1, 100), datagram(2, 100) })
  t:is(reads(socket), { { 100 }, { 100 }, { 100 } })
  give(peer, { datagram(0, 100, { dport = 8 }), datagram(1, 100, { dport = 8 }) })
  t:is(reads(other), { { 200, 100 } })
  other:option("UDP_GRO", 0)
  give(peer, { datagram(0, 100, { dport = 8 }), datagram(1, 100, { dport = 8 }) })
  t:is(reads(other), { { 100 }, { 100 } })
end)

-- What is changed in the second of three, and the reads that makes: { bytes, UDP_GRO }.
local rules = {
  { "nothing", {}, { { 300, 100 } } },
  { "another source port", { sport = 77 }, { { 200, 100 }, { 100 } }, 101 },
  { "another TTL", { ttl = 9 }, { { 100 }, { 100 }, { 100 } } },
  { "another TOS", { tos = 16 }, { { 100 }, { 100 }, { 100 } } },
  { "an identification that does not follow on", { id = 555 }, { { 100 }, { 100 }, { 100 } } },
  { "no checksum", { checksum = 0 }, { { 100 }, { 100 }, { 100 } } },
  { "a shorter payload: it is the last of its packet", { size = 60 }, { { 160, 100 }, { 100 } } },
  { "a longer payload: it begins a packet", { size = 120 }, { { 100 }, { 220, 120 } } },
}
for _, rule in ipairs(rules) do
  tap.test("UDP_GRO, three datagrams, the second has " .. rule[1], function(t)
    local host, peer, socket = station { connect = false }
    socket:option("UDP_GRO", 1)
    give(peer, { datagram(0, 100), datagram(1, rule[2].size or 100, rule[2]), datagram(2, 100, { id = rule[4] }) })
    local got = reads(socket)
    table.sort(got, function(a, b) return (a[2] or 0) > (b[2] or 0) end)
    local want = rule[3]
    table.sort(want, function(a, b) return (a[2] or 0) > (b[2] or 0) end)
    t:is(got, want)
  end)
end

tap.test("UDP_GRO: a wrong checksum is not merged, and is dropped as ever", function(t)
  local host, peer, socket = station()
  socket:option("UDP_GRO", 1)
  give(peer, { datagram(0, 100), datagram(1, 100, { checksum = 0xbad }), datagram(2, 100) })
  t:is(reads(socket), { { 100 }, { 100 } })
  t:is(host:counter "UdpInCsumErrors", 1)
end)

tap.test("UDP_GRO: 64 datagrams are the most, and 64 KiB", function(t)
  local host, peer, socket = station { sysctl = { ["net.core.netdev_budget"] = 1000 } }
  host:ethtool { gro_flush_timeout = 1000000 }
  socket:option("UDP_GRO", 1)
  socket:option("SO_RCVBUF", 1000000)
  local list = {}
  for i = 0, 99 do list[i + 1] = datagram(i, 20) end
  give(peer, list)
  net.sleep "2ms"
  t:is(reads(socket), { { 1280, 20 }, { 720, 20 } })
  list = {}
  for i = 0, 59 do list[i + 1] = datagram(i, 1400) end
  give(peer, list)
  net.sleep "2ms"
  t:is(reads(socket), { { 46 * 1400, 1400 }, { 14 * 1400, 1400 } })
end)

tap.test("a read shorter than a super-packet loses the rest: a full one's worth of datagrams at once", function(t)
  local host, peer, socket = station()
  socket:option("UDP_GRO", 1)
  give(peer, { datagram(0, 100), datagram(1, 100), datagram(2, 100) })
  local data, info = socket:recv { size = 150 }
  t:is(#data, 150)
  t:ok(info.flags & net.C.MSG_TRUNC ~= 0)
  t:is(reads(socket), {})
end)

tap.test("UDP_SEGMENT on one host, UDP_GRO on the other: the same bytes in every mix", function(t)
  for tx = 0, 3 do
    for rx = 0, 3 do
      local wire = net.wire { delay = "10us" }
      local a = net.host { addr = "192.0.2.1/24", wire = wire }
      local b = net.host { addr = "192.0.2.2/24", wire = wire }
      a:ethtool { tx_csum = tx & 1, tx_udp_segmentation = tx >> 1 }
      b:ethtool { gro = rx >> 1, rx_csum = rx & 1 }
      local sender, reader = a:socket "udp", b:socket "udp"
      reader:bind(7)
      reader:option("UDP_GRO", 1)
      reader:option("SO_RCVBUF", 1000000)
      sender:option("UDP_SEGMENT", 500)
      local parts = {}
      for i = 1, 5 do
        sender:sendto(net.pattern(10000 * i, 4750), "192.0.2.2", 7)
        net.sleep "1ms"
        local bytes = {}
        while true do
          local data = reader:try("recv", { flags = "dontwait" })
          if not data then break end
          bytes[#bytes + 1] = data
        end
        parts[#parts + 1] = #bytes
        t:is(table.concat(bytes), net.pattern(10000 * i, 4750))
      end
      if rx >> 1 == 0 then t:is(parts[2], 10) end
      if rx >> 1 == 1 then t:is(parts[2], 1) end
    end
  end
end)

-- Through -----------------------------------------------------------------------------------------

local function router(ethtool)
  local wire = net.wire {}
  local host = net.host { addr = "192.0.2.1/24", sysctl = { ["net.ipv4.ip_forward"] = 1 } }
  local nic = host:nic { addr = "198.51.100.1/24", wire = wire }
  local a = host.wire:peer { addr = "192.0.2.9", port = 1 }
  local b = wire:peer { addr = "198.51.100.9", port = 2 }
  host:neigh { addr = b.addr, mac = b.mac, dev = nic }
  host:ethtool(ethtool)
  return host, a, b, nic
end

for _, way in ipairs { { "rx-udp-gro-forwarding", { rx_udp_gro_forwarding = 1 }, 1 },
  { "rx-gro-list", { rx_gro_list = 1 }, 1 }, { "neither", {}, 5 } } do
  for _, card in ipairs { {}, { tx_csum = 1, tx_udp_segmentation = 1 } } do
    tap.test("a router with " .. way[1] .. ": datagrams leave as they came" .. (card.tx_csum and ", cut by the card" or ""),
      function(t)
        local host, a, b, nic = router(way[2])
        card.dev = nic
        host:ethtool(card)
        for i = 0, 4 do
          a:send(ip{ src = "192.0.2.9", dst = "198.51.100.9", df = true, id = 70 + i, ttl = 9 } /
            udp{ sport = 1, dport = 2 } / net.pattern(1 + i * 100, i < 4 and 100 or 30))
        end
        for i = 0, 4 do
          local p = b:expect(ip{ src = "192.0.2.9", dst = "198.51.100.9", ttl = 8, id = 70 + i, df = true } /
            udp{ sport = 1, dport = 2 } / net.pattern(1 + i * 100, i < 4 and 100 or 30),
            { within = "1ms", defaults = false })
          t:is(p.udp.checksum_status, "good")
        end
        t:is(host:counter "IpForwDatagrams", way[3])
      end)
  end
end

tap.test("rx-gro-list without any socket that asked: the reader still gets each datagram by itself", function(t)
  for _, ethtool in ipairs { { rx_gro_list = 1 }, { rx_udp_gro_forwarding = 1 } } do
    local host, peer, socket = station { ethtool = ethtool }
    give(peer, { datagram(0, 100), datagram(1, 100), datagram(2, 40) })
    t:is(host:counter "IpInReceives", 1)
    t:is(reads(socket), { { 100 }, { 100 }, { 40 } })
  end
end)

tap.test("what a user sees: one read gives several datagrams glued together, for nobody looked at UDP_GRO's message",
  function(t)
    local host, peer, socket = station()
    socket:option("UDP_GRO", 1)
    give(peer, { datagram(0, 100), datagram(1, 100) })
    local data, info = socket:recv { control_size = 0 }
    t:is(#data, 200)
    t:ok(info.flags & net.C.MSG_CTRUNC ~= 0)
    -- Two frames at the card, one packet at IP: that is where they were merged.
    t:is({ host:counter "eth0.rx_packets", host:counter "IpInReceives", host:counter "UdpInDatagrams" }, { 2, 1, 1 })
  end)
