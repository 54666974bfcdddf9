-- SPDX-License-Identifier: MIT
-- IEEE 802.1Q tags at a host without VLAN devices.
local tap = require "tap"
local net = require "net"
local station = require("suite.station").pair
local eth, vlan, ip, icmp, arp = net.eth, net.vlan, net.ip, net.icmp, net.arp

local function echo(tags)
  return eth{} / tags / ip{} / icmp{ type = "echo", id = 1, seq = 1 } / "tagged"
end

tap.test("a priority tag (VLAN 0) counts as no tag, the answer has none", function(t)
  local host, peer = station()
  peer:send(echo(vlan{ id = 0, pcp = 5 }))
  local reply = peer:expect(icmp{ type = "echo-reply", id = 1, seq = 1 } / "tagged")
  t:is(reply.eth.type, 0x0800)
  t:is(host:counter("LinkInVlan"), 1)
end)

for _, id in ipairs { 1, 2, 4094, 4095 } do
  tap.test(("a frame of VLAN %d has no device and is dropped"):format(id), function(t)
    local host, peer = station()
    peer:send(echo(vlan{ id = id }))
    peer:expect_nothing { during = "1s" }
    t:is(host:drops("VLAN_NO_DEVICE"), 1)
    t:is(host:counter("IpInReceives"), 0)
  end)
end

tap.test("two priority tags are both taken off", function(t)
  local host, peer = station()
  peer:send(echo(vlan{ id = 0 } / vlan{ id = 0 }))
  peer:expect(icmp{ type = "echo-reply", id = 1, seq = 1 } / "tagged")
  t:is(host:counter("LinkInQinQ"), 1)
end)

tap.test("a VLAN behind a priority tag has no device either", function(t)
  local host, peer = station()
  peer:send(echo(vlan{ id = 0 } / vlan{ id = 100 }))
  peer:expect_nothing { during = "1s" }
  t:is(host:drops("VLAN_NO_DEVICE"), 1)
end)

tap.test("a tag that the frame's end cuts off is dropped as truncated", function(t)
  local host, peer = station()
  for length = 0, 3 do
    peer:send_raw(eth{ dst = host.mac, src = peer.mac, type = 0x8100 }:bytes() ..
      ("\0"):rep(length))
  end
  peer:expect_nothing { during = "1s" }
  t:is(host:drops("HDR_TRUNC"), 4)
end)

tap.test("a tagged ARP request of another VLAN is not answered and teaches nothing", function(t)
  local host = net.host { addr = "192.0.2.1/24" }
  local peer = host.wire:peer { addr = "192.0.2.9" }
  peer:send(eth{ dst = "ff:ff:ff:ff:ff:ff" } / vlan{ id = 7 } /
    arp{ op = "request", sha = peer.mac, spa = peer.addr, tpa = host.addr })
  peer:expect_nothing { during = "1s" }
  t:is(host:drops("VLAN_NO_DEVICE"), 1)
  t:is(host:counter("ArpInReceives"), 0)
end)
