-- SPDX-License-Identifier: MIT
-- RFC 1027: proxy ARP, by a host that forwards and is told to (proxy_arp).
local tap = require "tap"
local net = require "net"
local arp = net.arp

local function router(o)
  local host = net.host { addr = "192.0.2.1/24", sysctl = {
    ["net.ipv4.ip_forward"] = o.forward, ["net.ipv4.conf.all.proxy_arp"] = o.proxy } }
  local second = host:nic { addr = "198.51.100.1/24" }
  local peer = host.wire:peer { addr = "192.0.2.9", arp = false }
  return host, peer, second
end

tap.test("proxy_arp: a request for a host behind the other interface gets the router's address",
  function(t)
    local host, peer = router { forward = 1, proxy = 1 }
    peer:send(arp{ op = "request", tpa = "198.51.100.9" })
    local reply = peer:expect(arp{ op = "reply", spa = "198.51.100.9" }, { within = "1s" })
    t:shows("RFC1027-2.1-1", t:is(reply.arp.sha, host.mac))
  end)

tap.test("without proxy_arp such a request is not answered", function(t)
  local _, peer = router { forward = 1, proxy = 0 }
  peer:send(arp{ op = "request", tpa = "198.51.100.9" })
  t:ok(peer:expect_nothing { during = "10s" })
end)

tap.test("a host that does not forward is no proxy", function(t)
  local _, peer = router { forward = 0, proxy = 1 }
  peer:send(arp{ op = "request", tpa = "198.51.100.9" })
  t:ok(peer:expect_nothing { during = "10s" })
end)

tap.test("no proxy reply for a target on the asker's own wire", function(t)
  local _, peer = router { forward = 1, proxy = 1 }
  peer:send(arp{ op = "request", tpa = "192.0.2.50" })
  t:shows("RFC1027-2.4-1", peer:expect_nothing { during = "10s" })
end)

tap.test("no proxy reply for a broadcast address", function(t)
  local _, peer = router { forward = 1, proxy = 1 }
  peer:send(arp{ op = "request", tpa = "198.51.100.255" })
  peer:send(arp{ op = "request", tpa = "255.255.255.255" })
  t:shows("RFC1027-2.4-1", peer:expect_nothing { during = "10s" })
end)
