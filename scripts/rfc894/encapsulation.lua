-- SPDX-License-Identifier: MIT
-- RFC 894: IPv4 and ARP in Ethernet II frames.
local tap = require "tap"
local net = require "net"
local station = require("suite.station").pair
local eth, ip, icmp, udp, arp = net.eth, net.ip, net.icmp, net.udp, net.arp

tap.test("IPv4 goes out in an Ethernet II frame of type 0x0800", function(t)
  local host, peer = station()
  peer:send(icmp{ type = "echo", id = 1, seq = 1 } / ("x"):rep(64))
  local reply = peer:expect(eth{ src = host.mac, dst = peer.mac, type = 0x0800 } /
    ip{ proto = 1 } / icmp{ type = "echo-reply", id = 1, seq = 1 })
  t:shows("RFC894-Format-1", t:is(reply:bytes():sub(13, 14), "\x08\x00"))
  t:shows("RFC1122-2.3.3-1", t:is(reply.payload, ("x"):rep(64)))
end)

tap.test("ARP goes out in an Ethernet II frame of type 0x0806", function(t)
  local host, peer = station()
  peer:send(arp{ op = "request" })
  local reply = peer:expect(arp{ op = "reply" })
  t:shows("RFC894-Format-1", t:is(reply.eth.type, 0x0806))
  t:is(reply.eth.src, host.mac)
end)

tap.test("the host pads a short frame to 60 octets with zeros that are no part of the datagram",
  function(t)
    local host, peer = station()
    local socket = host:socket "udp"
    socket:sendto("a", peer.addr, 9)
    local frame = peer:expect(udp{ dport = 9 } / "a")
    local bytes = frame:bytes()
    t:shows("RFC894-Format-2", t:is(#bytes, 60))
    t:is(frame.ip.len, 29)
    t:is(bytes:sub(44), ("\0"):rep(17))
  end)

tap.test("padding of any content behind a received datagram is cut off", function(t)
  local host, peer = station()
  local server = host:socket "udp"
  server:bind(7)
  local packet = eth{ dst = host.mac, src = peer.mac } / ip{ src = peer.addr, dst = host.addr } /
    udp{ sport = 5000, dport = 7 } / "abc"
  peer:send_raw(packet:bytes() .. ("\xee"):rep(15))
  local data = server:recv()
  t:shows("RFC894-Format-2", t:is(data, "abc"))
  t:is(server:try("recv", { flags = "dontwait" }), nil)
end)

tap.test("a frame with 1500 octets of data, the MTU, comes in and goes out", function(t)
  local host, peer = station()
  local data = ("m"):rep(1472)
  peer:send(icmp{ type = "echo", id = 2, seq = 1 } / data)
  local reply = peer:expect(icmp{ type = "echo-reply", id = 2, seq = 1 } / data)
  t:shows("RFC894-Format-3", t:is({ reply.ip.len, #reply:bytes() }, { 1500, 1514 }))
  t:is(host:counter("IpFragCreates"), 0)
end)

tap.test("the card takes 1518 octets, room for a VLAN tag; one more is a length error", function(t)
  local host, peer = station()
  peer:send(icmp{ type = "echo", id = 3, seq = 1 } / ("m"):rep(1476))
  t:is(#peer:collect { during = "1s" }, 2)
  local before = host:counters()
  peer:send(icmp{ type = "echo", id = 3, seq = 2 } / ("m"):rep(1477))
  peer:expect_nothing { during = "1s" }
  t:is(host:changes(before, "^Ip"), {})
  t:is(host:counter("eth0.rx_length_errors"), 1)
end)

tap.test("a datagram to the limited broadcast address goes to the all-ones Ethernet address",
  function(t)
    local host, peer = station()
    local socket = host:socket "udp"
    socket:bind(host.addr, 68)
    socket:option("SO_BROADCAST", 1)
    socket:sendto("all", "255.255.255.255", 67)
    local frame = peer:expect(ip{ src = host.addr, dst = "255.255.255.255" } / udp{ dport = 67 })
    t:shows("RFC894-Mapping-1", t:is(frame.eth.dst, "ff:ff:ff:ff:ff:ff"))
  end)

tap.test("a datagram to the subnet's broadcast address goes to the all-ones Ethernet address",
  function(t)
    local host, peer = station()
    local socket = host:socket "udp"
    socket:option("SO_BROADCAST", 1)
    socket:sendto("all", "192.0.2.255", 9)
    local frame = peer:expect(eth{ dst = "ff:ff:ff:ff:ff:ff" } /
      ip{ src = host.addr, dst = "192.0.2.255" } / udp{ dport = 9 })
    t:shows("RFC894-Mapping-1", t:is(frame.eth.dst, "ff:ff:ff:ff:ff:ff"))
  end)

tap.test("a frame for another station's address does not reach IP", function(t)
  local host, peer = station()
  local before = host:counters()
  peer:send(eth{ dst = "02:00:00:00:99:99" } / ip{} / icmp{ type = "echo", id = 1, seq = 1 })
  peer:expect_nothing { during = "1s" }
  t:is(host:counter("eth0.hw_rx_filtered"), 1)
  t:is(host:changes(before, "^Ip"), {})
end)

tap.test("a promiscuous card takes another station's frame, IP drops it", function(t)
  local host, peer = station()
  host:link { promisc = 1 }
  peer:send(eth{ dst = "02:00:00:00:99:99" } / ip{} / icmp{ type = "echo", id = 1, seq = 1 })
  peer:expect_nothing { during = "1s" }
  t:is(host:counter("IpInReceives"), 0)
  t:is(host:drops("OTHERHOST"), 1)
end)

tap.test("a frame of a type that nobody handles is dropped and counted", function(t)
  local host, peer = station()
  peer:send(eth{ dst = host.mac, src = peer.mac, type = 0x88b5 } / "local experiment")
  peer:expect_nothing { during = "1s" }
  t:is(host:drops("UNHANDLED_PROTO"), 1)
  t:is(host:counter("eth0.rx_dropped"), 1)
end)

tap.test("an unsolicited RARP packet has no effect", function(t)
  local host, peer = station()
  local before = host:counters()
  peer:send_raw(eth{ dst = host.mac, src = peer.mac, type = 0x8035 }:bytes() ..
    arp{ op = 4, sha = peer.mac, spa = peer.addr, tha = host.mac, tpa = "192.0.2.77" }:bytes() ..
    ("\0"):rep(18))
  peer:expect_nothing { during = "1s" }
  t:is(host:counter("LinkInRarp"), 1)
  t:is(host:drops("UNHANDLED_PROTO"), 1)
  t:is(host:changes(before, "^Arp"), {})
end)

tap.test("frames of 13 octets and less are counted by the device, the host lives on", function(t)
  local host, peer = station()
  for length = 1, 13 do peer:send_raw(("\0"):rep(length)) end
  peer:expect_nothing { during = "1s" }
  t:is(host:counter("eth0.rx_length_errors"), 13)
  peer:send(icmp{ type = "echo", id = 1, seq = 1 })
  peer:expect(icmp{ type = "echo-reply", id = 1, seq = 1 })
end)

tap.test("a frame of a header alone is too short for IP", function(t)
  local host, peer = station()
  peer:send_raw(eth{ dst = host.mac, src = peer.mac, type = 0x0800 }:bytes())
  peer:expect_nothing { during = "1s" }
  t:is(host:counter("IpInReceives"), 1)
  t:is(host:counter("IpInHdrErrors"), 1)
  t:is(host:drops("IP_INHDR"), 1)
end)

tap.test("a frame with a wrong check sequence is counted by the device and not delivered",
  function(t)
    local host, peer = station()
    peer:send(icmp{ type = "echo", id = 1, seq = 1 }, { fcs = "bad" })
    peer:expect_nothing { during = "1s" }
    t:is(host:counter("eth0.rx_crc_errors"), 1)
    t:is(host:counter("IpInReceives"), 0)
  end)

tap.test("a frame with the host's own source address is checked as any other", function(t)
  local host, peer = station()
  peer:send(eth{ src = host.mac } / ip{ checksum = 0x1234 } / icmp{ type = "echo", id = 1, seq = 1 })
  peer:expect_nothing { during = "1s" }
  t:is(host:drops("IP_CSUM"), 1)
  peer:send(eth{ src = host.mac } / ip{} / icmp{ type = "echo", id = 1, seq = 1 })
  peer:expect(icmp{ type = "echo-reply", id = 1, seq = 1 })
end)
