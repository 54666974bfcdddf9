-- SPDX-License-Identifier: MIT
-- RFC 792 "Timestamp or Timestamp Reply Message", RFC 1122 3.2.2.8.
local tap = require "tap"
local net = require "net"
local stations = require "suite.station"
local message = require "_message"
local ip, icmp = net.ip, net.icmp

local DAY_MS = 86400000

local function station(addr) return stations.pair { addr = addr } end

tap.test("a timestamp reply repeats the originate time and says when it was received and sent",
  function(t)
    local host, peer = station()
    peer:send(icmp{ type = "timestamp", id = 0x1234, seq = 2, originate = 0x80123456 })
    local first = peer:expect(ip{ src = host.addr, len = 40 } /
      icmp{ type = "timestamp-reply", code = 0, id = 0x1234, seq = 2, originate = 0x80123456 })
    t:shows("RFC1122-3.2.2.8-1", t:is(first.icmp.originate, 0x80123456))
    net.sleep("1500ms")
    peer:send(icmp{ type = "timestamp", id = 1, seq = 3, originate = 0 })
    local second = peer:expect(icmp{ type = "timestamp-reply", seq = 3, originate = 0 })
    -- Milliseconds since midnight UT, advancing with the clock: the "standard value".
    t:ok(second.icmp.receive < DAY_MS, "since midnight, the high-order bit clear")
    t:shows("RFC1122-3.2.2.8-8", t:is((second.icmp.receive - first.icmp.receive) % DAY_MS, 1500))
    t:shows("RFC792-Timestamp-1", t:is(second.icmp.transmit, second.icmp.receive))
    t:is(host:counter("IcmpInTimestamps"), 2)
    t:is(host:counter("IcmpOutTimestampReps"), 2)
  end)

tap.test("a timestamp reply comes from the address that was asked", function(t)
  local _, peer = station { "192.0.2.1/24", "192.0.2.3/24" }
  peer:send(ip{ dst = "192.0.2.3" } / icmp{ type = "timestamp", id = 1, seq = 1 })
  t:shows("RFC1122-3.2.2.8-5",
    peer:expect(ip{ src = "192.0.2.3" } / icmp{ type = "timestamp-reply" }))
end)

tap.test("a timestamp request to a broadcast address is discarded", function(t)
  local host, peer = station()
  peer:send(ip{ dst = "192.0.2.255" } / icmp{ type = "timestamp", id = 1, seq = 1 })
  t:shows("RFC1122-3.2.2.8-3", peer:expect_nothing { during = "1s" })
  t:is(host:drops("ICMP_BROADCAST"), 1)
end)

tap.test("a timestamp request to a multicast group is discarded", function(t)
  local host, peer = station()
  peer:send(ip{ dst = "224.0.0.1" } / icmp{ type = "timestamp", id = 1, seq = 1 })
  t:shows("RFC1122-3.2.2.8-4", peer:expect_nothing { during = "1s" })
  t:is(host:drops("ICMP_BROADCAST"), 1)
end)

-- Ripple20 (CVE-2020-11910): a reply must not carry what lies behind a short request.
tap.test("a timestamp request without its originate time is an error and not answered", function(t)
  local host, peer = station()
  for size = 0, 3 do
    peer:send(message(13, 0, "\0\1\0\1" .. ("\1"):rep(size)))
  end
  peer:expect_nothing { during = "1s" }
  t:is(host:counter("IcmpInErrors"), 4)
  t:is(host:drops("PKT_TOO_SMALL"), 4)
end)

tap.test("a timestamp request that ends after the originate time gets a whole reply", function(t)
  local host, peer = station()
  peer:send(message(13, 0, "\0\1\0\1\0\0\0\7"))
  local reply = peer:expect(ip{ len = 40 } / icmp{ type = "timestamp-reply", originate = 7 })
  t:is(reply.icmp.transmit, reply.icmp.receive)
  t:is(host:counter("IcmpInErrors"), 0)
end)

tap.test("a reply to a timestamp request with a Record Route option reflects it", function(t)
  local _, peer = station()
  peer:send(ip{ options = "\7\7\4\0\0\0\0\0" } / icmp{ type = "timestamp", id = 1, seq = 1 })
  local reply = peer:expect(ip{ ihl = 7 } / icmp{ type = "timestamp-reply" })
  t:shows("RFC1122-3.2.2.6-10", t:is(reply.ip.options:sub(1, 7), "\7\7\8\192\0\2\1"))
end)

tap.test("a timestamp reply goes back along the reversed source route", function(t)
  local host = net.host { addr = "192.0.2.1/24",
    sysctl = { ["net.ipv4.conf.all.accept_source_route"] = 1 } }
  local peer = host.wire:peer { addr = "192.0.2.9" }
  local router = host.wire:peer { addr = "192.0.2.254" }
  peer:send(ip{ src = "192.0.2.9", options = "\131\7\8\192\0\2\254\0" } /
    icmp{ type = "timestamp", id = 1, seq = 1 })
  local reply = router:expect(ip{ src = "192.0.2.1", dst = "192.0.2.254" } /
    icmp{ type = "timestamp-reply" }, { defaults = false })
  t:shows("RFC1122-3.2.2.8-6", t:is(reply.ip.options, "\131\7\4\192\0\2\9\0"))
end)

tap.test("a timestamp reply that nobody asked for ends in silence", function(t)
  local host, peer = station()
  peer:send(icmp{ type = "timestamp-reply", id = 1, seq = 1 })
  peer:expect_nothing { during = "1s" }
  t:is(host:counter("IcmpInTimestampReps"), 1)
end)
