-- SPDX-License-Identifier: MIT
-- RFC 1042: IP over IEEE 802, LLC and SNAP. Linux does not take it on an Ethernet device without
-- a driver for 802.2 (docs/divergences.md); ARP's hardware type 6 it does take.
local tap = require "tap"
local net = require "net"
local station = require("suite.station").pair
local eth, llc, ip, icmp, arp = net.eth, net.llc, net.ip, net.icmp, net.arp

local SNAP = "\xaa\xaa\x03\0\0\0"

-- The frame of IEEE 802.3 with this behind the length field.
local function frame(host, peer, data)
  return (eth{ dst = host.mac, src = peer.mac, type = #data }):bytes() .. data ..
    ("\0"):rep(46 - #data)
end

tap.test("IPv4 in LLC and SNAP has no handler and is not delivered", function(t)
  local host, peer = station()
  local before = host:counters()
  local packet = ip{ src = peer.addr, dst = host.addr } / icmp{ type = "echo", id = 1, seq = 1 }
  peer:send_raw(frame(host, peer, SNAP .. "\x08\x00" .. packet:bytes()))
  peer:expect_nothing { during = "1s" }
  t:is(host:changes(before, "^Ip"), {})
  t:is(host:changes(before, "^Drop"), { ["Drop.LLC"] = 1 })
end)

tap.test("the host sends RFC 894 frames also to a peer that speaks RFC 1042", function(t)
  local host, peer = station()
  peer:send_raw(frame(host, peer, SNAP .. "\x08\x06" ..
    arp{ op = "request", sha = peer.mac, spa = peer.addr, tpa = host.addr }:bytes()))
  peer:expect_nothing { during = "1s" }
  local socket = host:socket "udp"
  socket:sendto("x", peer.addr, 9)
  local sent = peer:expect(net.udp{ dport = 9 })
  t:shows("RFC1122-2.3.3-5", t:is(sent:bytes():sub(13, 14), "\x08\x00"))
end)

tap.test("an ARP request with hardware type 6 (IEEE 802) is answered with type 1", function(t)
  local _, peer = station()
  peer:send(arp{ op = "request", htype = 6 })
  local reply = peer:expect(arp{ op = "reply" })
  t:shows("RFC1122-2.3.3-6", t:is(reply.arp.htype, 1))
end)

tap.test("type field 1535 is a length, 1536 is a type", function(t)
  local host, peer = station()
  net.trace("netif_receive_skb")
  peer:send_raw(eth{ dst = host.mac, src = peer.mac, type = 1535 }:bytes() .. ("\0"):rep(46))
  peer:send_raw(eth{ dst = host.mac, src = peer.mac, type = 1536 }:bytes() .. ("\0"):rep(46))
  peer:expect_nothing { during = "1s" }
  local records = net.traces()
  t:is({ records[1].protocol, records[2].protocol }, { 4, 1536 })
  t:is({ host:drops("LLC"), host:drops("UNHANDLED_PROTO") }, { 1, 1 })
end)
