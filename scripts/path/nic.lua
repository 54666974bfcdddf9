-- SPDX-License-Identifier: MIT
-- The ring NIC by itself: tags, stamps, pause, loopback, filters, jumbo frames, carrier, rings that
-- change under way, and each of its faults with the counter that tells.
local tap = require "tap"
local net = require "net"
local card = require "suite.card"
local eth, vlan, ip, icmp, udp = net.eth, net.vlan, net.ip, net.icmp, net.udp

local function station(o) return card.station("ring", o) end

local drain = card.drain

-- Tags ----------------------------------------------------------------------------------------------

for rx = 0, 1 do
  for tx = 0, 1 do
    tap.test(("VLAN 5 with rx_vlan_offload %d, tx_vlan_offload %d: the same on the wire and at the socket"):format(rx, tx),
      function(t)
        local host = net.host { model = "ring" }
        local peer = host.wire:peer { addr = "10.5.0.9", port = 5000 }
        local dev = host:link_add { type = "vlan", name = "eth0.5", link = "eth0", id = 5, up = true, addr = "10.5.0.1/24" }
        host:neigh { addr = "10.5.0.9", mac = peer.mac, dev = dev }
        host:ethtool { rx_vlan_offload = rx, tx_vlan_offload = tx, tx_csum = tx }
        local socket = host:socket "udp"
        socket:bind(7)
        for _, size in ipairs { 1, 100, 1472 } do
          peer:send(eth { dst = host.mac, src = peer.mac } / vlan { id = 5, pcp = 3 } /
            ip { src = "10.5.0.9", dst = "10.5.0.1" } / udp { sport = 5000, dport = 7 } / net.pattern(1, size))
          local data, from = socket:recv()
          t:is(data, net.pattern(1, size))
          socket:sendto(net.pattern(7, size), from.addr, from.port)
          local out = peer:expect(eth {} / vlan { id = 5 } / ip { src = "10.5.0.1" } / udp { sport = 7 } /
            net.pattern(7, size), { defaults = false })
          t:is(out.udp.checksum_status, "good")
        end
        t:is(host:counter "eth0.hw_rx_vlan", 3)
        t:is(host:counter "eth0.5.rx_packets", 3)
      end)
  end
end

tap.test("a super-packet on a VLAN: the card cuts it and puts the tag into each frame", function(t)
  local host = net.host { model = "ring" }
  local peer = host.wire:peer { addr = "10.5.0.9", port = 5000 }
  local dev = host:link_add { type = "vlan", name = "eth0.5", link = "eth0", id = 5, up = true, addr = "10.5.0.1/24" }
  host:neigh { addr = "10.5.0.9", mac = peer.mac, dev = dev }
  host:ethtool { tx_vlan_offload = 1, tx_csum = 1, tx_udp_segmentation = 1 }
  local socket = host:socket "udp"
  socket:option("UDP_SEGMENT", 1000)
  socket:sendto(net.pattern(1, 2500), peer.addr, 5000)
  for i = 0, 2 do
    local out = peer:expect(eth {} / vlan { id = 5 } / ip {} / udp {} / net.pattern(1 + 1000 * i, i < 2 and 1000 or 500),
      { defaults = false, within = "1ms" })
    t:is(out.udp.checksum_status, "good")
    t:is(out.ip.checksum_status, "good")
  end
end)

tap.test("a short tagged frame is padded to 60 bytes with its tag", function(t)
  local host = net.host { model = "ring" }
  local peer = host.wire:peer { addr = "10.5.0.9", port = 5000 }
  local dev = host:link_add { type = "vlan", name = "eth0.5", link = "eth0", id = 5, up = true, addr = "10.5.0.1/24" }
  host:neigh { addr = "10.5.0.9", mac = peer.mac, dev = dev }
  for tx = 0, 1 do
    host:ethtool { tx_vlan_offload = tx }
    host:socket "udp":sendto("x", peer.addr, 5000)
    t:is(#peer:collect { during = "1ms" }[1]:bytes(), 60)
  end
end)

-- Stamps --------------------------------------------------------------------------------------------

tap.test("hardware stamps: when the frame arrived, not when the CPU came to it", function(t)
  local C = net.C
  local host, peer, socket = station { ethtool = { rx_timestamp = 1 } }
  socket:option("SO_TIMESTAMPING", C.SOF_TIMESTAMPING_RX_HARDWARE | C.SOF_TIMESTAMPING_RAW_HARDWARE |
    C.SOF_TIMESTAMPING_RX_SOFTWARE | C.SOF_TIMESTAMPING_SOFTWARE)
  host:softirq("tasklet", { cost = "300us" })
  net.sleep "10us"
  local sent = t:now()
  peer:send(udp{} / "x")
  local data, info = socket:recv()
  t:is(data, "x")
  t:is(info.cmsg.SO_TIMESTAMPING_HARDWARE, sent + 1000)
  t:is(info.cmsg.SO_TIMESTAMPING, 300000)
  -- Without the wish, or without the card: none.
  host:ethtool { rx_timestamp = 0 }
  peer:send(udp{} / "y")
  data, info = socket:recv()
  t:is({ data, info.cmsg.SO_TIMESTAMPING_HARDWARE }, { "y" })
end)

tap.test("stamped frames of every size are whole, over one buffer and several", function(t)
  local host, peer, socket = station { mtu = 9000, ethtool = { rx_timestamp = 1, rx_vlan_offload = 1 } }
  for _, size in ipairs { 0, 1, 1470, 1486, 1494, 1495, 1500, 3000, 8972 } do
    peer:send(udp{} / net.pattern(1, size))
    net.sleep "10us"
    t:is((socket:recv()) or "", net.pattern(1, size))
  end
end)

-- Pause ---------------------------------------------------------------------------------------------

local function flood(pause)
  local wire = net.wire { rate = 1000000000 }
  local a = net.host { addr = "192.0.2.1/24", wire = wire, model = "ring" }
  local b = net.host { addr = "192.0.2.2/24", wire = wire, model = "ring", rx_ring = 64 }
  a:ethtool { rx_pause = pause, tx_pause = pause }
  b:ethtool { rx_pause = pause, tx_pause = pause }
  a:neigh { addr = "192.0.2.2", mac = b.mac }
  b:cost { rx_packet = "20us" }
  b:hook("pre_routing", function() return "drop" end)
  local socket = a:socket "udp"
  socket:option("SO_SNDBUF", 200000)
  for i = 1, 500 do socket:sendto(("x"):rep(1000), "192.0.2.2", 9) end
  net.sleep "100ms"
  return a, b
end

tap.test("a slow receiver without pause: what finds its ring full is lost", function(t)
  local a, b = flood(0)
  t:ok(b:counter "eth0.rx_missed_errors" > 100)
  t:is(b:counter "eth0.hw_tx_pause", 0)
end)

tap.test("a slow receiver with pause: the sender is held back in time, nothing is lost", function(t)
  local a, b = flood(1)
  t:is(b:counter "eth0.rx_missed_errors", 0)
  t:is(b:counter "IpInReceives", 500)
  t:ok(b:counter "eth0.hw_tx_pause" >= 2)
  t:is(a:counter "eth0.hw_rx_pause", b:counter "eth0.hw_tx_pause")
end)

local function pause_frame(quanta)
  return "\x01\x80\xc2\0\0\1" .. "\2\0\0\0\0\9" .. "\x88\x08" .. ("\0\1"):sub(1, 2) .. string.pack(">I2", quanta) ..
    ("\0"):rep(42)
end

tap.test("a pause frame holds the card for its quanta of 512 ns, one of 0 ends that at once", function(t)
  local host, peer, socket = station { ethtool = { rx_pause = 1 } }
  peer:send_raw(pause_frame(1000))
  net.sleep "2us"
  socket:send "held"
  peer:expect_nothing { during = "400us" }
  t:is(peer:collect { during = "200us" }[1].payload, "held")
  peer:send_raw(pause_frame(65535))
  net.sleep "2us"
  socket:send "held again"
  peer:expect_nothing { during = "1ms" }
  peer:send_raw(pause_frame(0))
  t:is(peer:collect { during = "3us" }[1].payload, "held again")
  t:is(host:counter "eth0.hw_rx_pause", 3)
  t:is(host:counter "eth0.rx_packets", 0)
end)

tap.test("what a user sees: the net stands still for milliseconds, nothing is dropped; rx_pause tells why", function(t)
  local host, peer, socket = station { ethtool = { rx_pause = 1 } }
  for i = 1, 10 do
    peer:send_raw(pause_frame(65535))
    net.sleep "20ms"
    socket:send(tostring(i))
  end
  peer:send_raw(pause_frame(65535))
  net.sleep "40ms"
  t:is(#peer:collect(), 10)
  t:is(host:counter "eth0.tx_errors", 0)
  t:is(host:counter "eth0.hw_rx_pause", 11)
end)

tap.test("without rx_pause the card does not obey, and the frame still goes no further", function(t)
  local host, peer, socket = station()
  peer:send_raw(pause_frame(65535))
  net.sleep "2us"
  socket:send "x"
  t:is(peer:collect { during = "3us" }[1].payload, "x")
  t:is(host:counter "eth0.rx_packets", 0)
end)

-- Loopback, carrier ---------------------------------------------------------------------------------

tap.test("loopback mode: what is sent comes in again, also with the cable cut", function(t)
  local host, peer, socket = station { ethtool = { loopback = 1 } }
  host:link { carrier = false, promisc = true }
  socket:send "x"
  peer:expect_nothing { during = "1ms" }
  t:is({ host:counter "eth0.hw_tx_frames", host:counter "eth0.hw_rx_frames" }, { 1, 1 })
  host:ethtool { loopback = 0 }
  host:link { carrier = true }
  net.sleep "1ms"
  socket:send "y"
  t:is(peer:collect { during = "1ms" }[1].payload, "y")
end)

tap.test("the cable is cut and good again: carrier events, what is sent meanwhile ends at the device", function(t)
  local host, peer, socket = station()
  host:link { carrier = false }
  net.sleep "1ms"
  t:is({ socket:try("send", "x") }, { 1 })
  peer:expect_nothing { during = "10ms" }
  peer:send(udp{} / "in")
  net.sleep "1ms"
  t:is(drain(socket), {})
  host:link { carrier = true }
  net.sleep "1ms"
  socket:send "y"
  t:is(peer:collect { during = "1ms" }[1].payload, "y")
  t:is(host:drops "DEV_READY", 1)
end)

-- Filters -------------------------------------------------------------------------------------------

local function to_mac(host, peer, mac)
  return eth { dst = mac, src = peer.mac } / ip { src = peer.addr, dst = host.addr } /
    udp { sport = 1, dport = 9 } / "x"
end

tap.test("the address filter: own, broadcast; others with promisc; multicast by hash, or allmulti", function(t)
  local host, peer = station()
  local function seen(mac)
    local before = host:counter "eth0.rx_packets"
    peer:send(to_mac(host, peer, mac))
    net.sleep "10us"
    peer:collect()
    return host:counter "eth0.rx_packets" - before
  end
  t:is(seen(host.mac), 1)
  t:is(seen "ff:ff:ff:ff:ff:ff", 1)
  t:is(seen "02:11:22:33:44:55", 0)
  t:is(seen "01:00:5e:01:02:03", 0)
  t:is(seen "01:00:5e:00:00:01", 1) -- all hosts
  t:is(host:counter "eth0.hw_rx_filtered", 2)
  host:link { allmulti = true }
  t:is({ seen "01:00:5e:01:02:03", seen "02:11:22:33:44:55" }, { 1, 0 })
  host:link { allmulti = false, promisc = true }
  t:is({ seen "01:00:5e:01:02:03", seen "02:11:22:33:44:55" }, { 1, 1 })
  host:link { promisc = false }
  t:is({ seen "01:00:5e:01:02:03", seen "02:11:22:33:44:55" }, { 0, 0 })
end)

tap.test("the hash of 64 bits lets some through that nobody asked for; IP drops them", function(t)
  local host, peer = station()
  local s = host:socket "udp"
  s:option("IP_ADD_MEMBERSHIP", "\xe0\1\2\3\xc0\0\2\1")
  peer:collect { during = "20s" } -- IGMP
  local through = 0
  for i = 0, 999 do
    local before = host:counter "eth0.rx_packets"
    peer:send(to_mac(host, peer, ("01:00:5e:40:%02x:%02x"):format(i >> 8, i & 255)))
    net.sleep "2us"
    through = through + host:counter "eth0.rx_packets" - before
  end
  t:ok(through > 5 and through < 80, ("about 2 or 3 of 64 bits are set: %d of 1000"):format(through))
  t:is(host:counter "UdpInDatagrams", 0)
  peer:collect()
end)

tap.test("frames too short or too long for the MTU are counted and go nowhere; jumbo ones with the MTU raised", function(t)
  local host, peer, socket = station()
  peer:send_raw(("\2"):rep(13))
  peer:send(udp{} / ("x"):rep(2000))
  net.sleep "10us"
  t:is(host:counter "eth0.rx_length_errors", 2)
  host:link { mtu = 9000 }
  peer:send(udp{} / ("x"):rep(8900))
  t:is(#socket:recv(), 8900)
  host:link { mtu = 1500 }
  peer:send(udp{} / ("x"):rep(8900))
  net.sleep "10us"
  t:is(drain(socket), {})
  t:is(host:counter "eth0.rx_length_errors", 3)
end)

-- Rings under way -----------------------------------------------------------------------------------

tap.test("ethtool -G while frames flow: those in the ring are counted as dropped, later ones come", function(t)
  local host, peer, socket = station()
  host:cost { rx_packet = "1ms" }
  for i = 1, 20 do peer:send(udp{} / tostring(i)) end
  net.sleep "5us"
  local before = host:counters()
  host:ethtool { rx_ring = 512 }
  host:cost { rx_packet = 0 }
  net.sleep "50ms"
  local got, dropped = #drain(socket), host:counter "eth0.rx_dropped" - before["eth0.rx_dropped"]
  t:is(got + dropped, 20)
  for i = 1, 400 do peer:send(udp{} / "x") end
  net.sleep "1ms"
  t:is(host:counter "eth0.rx_missed_errors", 0)
end)

tap.test("ring sizes from 8 to 4096, nothing else", function(t)
  local host, peer, socket = station()
  for _, size in ipairs { 8, 9, 100, 4096 } do
    host:ethtool { rx_ring = size, tx_ring = size }
    peer:send(udp{} / "x")
    t:is((socket:recv()), "x")
  end
  t:error(function() host:ethtool { rx_ring = 7 } end, "EINVAL")
  t:error(function() host:ethtool { tx_ring = 4097 } end, "EINVAL")
end)

-- Faults --------------------------------------------------------------------------------------------

tap.test("late interrupts: latency grows by as much, nothing is lost", function(t)
  local host, peer = station { ethtool = { irq_late = "300us" } }
  for seq = 1, 5 do
    local start = t:now()
    peer:send(icmp{ type = "echo", id = 1, seq = seq } / "x")
    local reply = peer:expect(icmp{ type = "echo-reply", seq = seq }, { within = "1ms" })
    t:is(reply.time - start, 302000)
    net.sleep "1ms"
  end
  t:is(host:counter "eth0.rx_missed_errors", 0)
end)

tap.test("what a user sees: late interrupts and a small ring: bursts are missed though the CPU idles", function(t)
  local host, peer, socket = station { rx_ring = 32, ethtool = { irq_late = "1ms" } }
  for i = 1, 100 do
    peer:send(udp{} / "x")
    net.sleep "10us"
  end
  net.sleep "10ms"
  local n = #drain(socket)
  t:is(n + host:counter "eth0.rx_missed_errors", 100)
  t:ok(host:counter "eth0.rx_missed_errors" > 50)
  t:is(host:counter "softnet.0.time_squeeze", 0)
end)

tap.test("stuck DMA: the device counts frames as missed until it is reset", function(t)
  local host, peer, socket = station { ethtool = { rx_stall = 1 } }
  for i = 1, 5 do peer:send(udp{} / "x") end
  net.sleep "1ms"
  t:is(drain(socket), {})
  t:is(host:counter "eth0.rx_missed_errors", 5)
  t:is(host:counter "eth0.queue_0_irqs", 0)
  host:link { up = false }
  host:link { up = true }
  net.sleep "1ms"
  peer:send(udp{} / "y")
  t:is((socket:recv()), "y")
end)

tap.test("bad descriptors: so many frames are lost and counted, the ring goes on", function(t)
  local host, peer, socket = station { ethtool = { rx_bad_desc = 2, tx_bad_desc = 3 } }
  for i = 1, 5 do peer:send(udp{} / tostring(i)) end
  net.sleep "1ms"
  t:is(drain(socket), { "3", "4", "5" })
  for i = 1, 5 do socket:send(tostring(i)) end
  local list = {}
  for i, f in ipairs(peer:collect { during = "1ms" }) do list[i] = f.payload end
  t:is(list, { "4", "5" })
  t:is(host:counter "eth0.hw_rx_bad_descriptor", 2)
  t:is(host:counter "eth0.hw_tx_bad_descriptor", 3)
  t:is({ host:counter "eth0.rx_errors", host:counter "eth0.tx_errors" }, { 2, 3 })
end)

tap.test("what a user sees: a hung transmitter; 5 s of silence, then the watchdog's reset", function(t)
  local host, peer, socket = station { tx_ring = 16 }
  host:ethtool { tx_stall = 1 }
  for i = 1, 40 do socket:try("send", tostring(i), { flags = "dontwait" }) end
  peer:expect_nothing { during = "4s" }
  t:is(host:counter "eth0.queue_0_tx_timeouts", 0)
  net.sleep "10s"
  t:is(host:counter "eth0.queue_0_tx_timeouts", 1)
  -- What was in the ring is gone, what waited in the queue left after the reset.
  local n = #peer:collect { during = "1s" }
  t:is(n + host:drops "DEV_READY", 40)
  t:ok(n > 0)
  socket:send "alive"
  t:is(peer:collect { during = "1s" }[1].payload, "alive")
end)

tap.test("hang after hang: ten resets, nothing leaks", function(t)
  local host, peer, socket = station { tx_ring = 8 }
  for round = 1, 10 do
    host:ethtool { tx_stall = 1 }
    for i = 1, 12 do socket:try("send", "x", { flags = "dontwait" }) end
    net.sleep "12s"
  end
  t:ok(host:counter "eth0.queue_0_tx_timeouts" >= 10)
  peer:collect { during = "1s" }
  socket:send "alive"
  t:is(peer:collect { during = "1s" }[1].payload, "alive")
end)

tap.test("tx_busy of the driver: the queue stops, nothing is lost, nothing changes places", function(t)
  local host, peer, socket = station()
  host:fault("tx_busy", { skip = 2, count = 1 })
  for i = 1, 3 do socket:send(tostring(i)) end
  net.sleep "6s"
  local list = {}
  for i, f in ipairs(peer:collect()) do list[i] = f.payload end
  t:is(list, { "1", "2", "3" })
  t:is(host:counter "eth0.queue_0_tx_busy", 1)
end)

tap.test("a virtio card refuses what it has not", function(t)
  local host = net.host { addr = "192.0.2.1/24", model = "virtio" }
  for _, name in ipairs { "rx_vlan_offload", "tx_vlan_offload", "loopback", "rx_pause", "tx_pause", "rx_timestamp" } do
    t:error(function() host:ethtool { [name] = 1 } end, "EOPNOTSUPP")
  end
end)
