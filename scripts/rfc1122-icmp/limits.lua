-- SPDX-License-Identifier: MIT
-- How often ICMP errors are sent: per destination (icmp_ratelimit) and in all (icmp_msgs_per_sec).
-- RFC 1812 4.3.2.8; the rules are those of the kernel.
local tap = require "tap"
local net = require "net"
local stations = require "suite.station"
local ip, icmp, udp = net.ip, net.icmp, net.udp

local function station(sysctl) return stations.ports { gateway = "192.0.2.9", sysctl = sysctl } end

local function errors(peer, during)
  local list = peer:collect { during = during }
  for _, frame in ipairs(list) do
    if frame.icmp.type ~= 3 then error("something else than an unreachable came") end
  end
  return #list
end

tap.test("six errors at once to one destination, then one a second", function(t)
  local host, peer = station()
  for _ = 1, 20 do peer:send(udp{} / "x") end
  t:shows("RFC1812-4.3.2.8-1", t:is(errors(peer, "1ms"), 6))
  t:is(host:counter("IcmpOutRateLimitHost"), 14)
  net.sleep("998ms")
  peer:send(udp{} / "x")
  t:is(errors(peer, "1ms"), 0)
  net.sleep("1ms")
  peer:send(udp{} / "x")
  peer:send(udp{} / "x")
  t:is(errors(peer, "1ms"), 1)
  net.sleep("100s")
  for _ = 1, 20 do peer:send(udp{} / "x") end
  t:is(errors(peer, "1ms"), 6)
end)

tap.test("the limit of one destination does not touch another", function(t)
  local _, peer = station()
  local other = peer.wire:peer { addr = "192.0.2.10", port = 5000 }:to(7)
  for _ = 1, 20 do peer:send(udp{} / "x") end
  t:is(errors(peer, "1ms"), 6)
  other:send(udp{} / "x")
  t:ok(other:expect(icmp{ type = "dest-unreach", code = "port" }))
end)

tap.test("icmp_ratelimit 0 switches the limit per destination off", function(t)
  local host, peer = station { ["net.ipv4.icmp_ratelimit"] = 0 }
  for _ = 1, 20 do peer:send(udp{} / "x") end
  t:is(errors(peer, "1ms"), 20)
  t:is(host:counter("IcmpOutRateLimitHost"), 0)
end)

tap.test("icmp_ratelimit is the time in ms that one error costs", function(t)
  local _, peer = station { ["net.ipv4.icmp_ratelimit"] = 100 }
  for _ = 1, 20 do peer:send(udp{} / "x") end
  t:is(errors(peer, "1ms"), 6)
  net.sleep("299ms")
  for _ = 1, 20 do peer:send(udp{} / "x") end
  t:shows("RFC1812-4.3.2.8-1", t:is(errors(peer, "1ms"), 3))
end)

tap.test("echo replies are not limited", function(t)
  local host, peer = station()
  for seq = 1, 200 do peer:send(icmp{ type = "echo", id = 1, seq = seq }) end
  t:is(#peer:collect { during = "1ms" }, 200)
  t:is(host:counter("IcmpOutRateLimitHost") + host:counter("IcmpOutRateLimitGlobal"), 0)
end)

tap.test("icmp_ratemask says which types are limited: with bit 0 echo replies are", function(t)
  local host, peer = station { ["net.ipv4.icmp_ratemask"] = 1 }
  for seq = 1, 20 do peer:send(icmp{ type = "echo", id = 1, seq = seq }) end
  t:is(#peer:collect { during = "1ms" }, 6)
  for _ = 1, 20 do peer:send(udp{} / "x") end
  t:is(errors(peer, "1ms"), 20)
  t:is(host:counter("IcmpOutRateLimitHost"), 14)
end)

-- CVE-2020-25705: with a fixed burst of 50 an attacker off the path could count with the errors of
-- this host which ports are open. Each error takes 0, 1 or 2 credits.
tap.test("the global limit holds over all destinations, with a jitter that nobody can count with",
  function(t)
    local host, peer = station()
    local passed = {}
    for round = 1, 3 do
      for i = 1, 200 do peer:send(ip{ src = ("198.51.%d.%d"):format(round, i) } / udp{} / "x") end
      passed[round] = #peer:collect { during = "1s" }
      t:ok(passed[round] >= 25 and passed[round] < 120, "about the burst of 50")
    end
    t:ok(not (passed[1] == passed[2] and passed[2] == passed[3]), "not the same number each time")
    t:is(host:counter("IcmpOutRateLimitGlobal") + passed[1] + passed[2] + passed[3], 600)
  end)
