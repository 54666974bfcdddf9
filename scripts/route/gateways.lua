-- SPDX-License-Identifier: MIT
-- Several default routes of the same metric (fib_select_default): a gateway that is not heard of is
-- left (RFC 1122 3.3.1.5, 3.3.1.6), and tried again when all are in doubt. The table of choices was
-- read off Linux 6.18 with the same routes and neighbour states.
local tap = require "tap"
local net = require "net"
local ip, udp, arp, raw = net.ip, net.udp, net.arp, net.raw

local function station()
  local host = net.host { addr = "192.0.2.1/24" }
  host:ip "route add default via 192.0.2.11"
  host:ip "route append default via 192.0.2.12"
  host:ip "route append default via 192.0.2.13"
  return host
end

-- The last octets of the gateways of n lookups, one after the other.
local function chosen(host, n, more)
  local list = {}
  for _ = 1, n do
    list[#list + 1] = host:ip("route get 203.0.113.1" .. (more or "")):match "via 192%.0%.2%.(%d+)"
  end
  return table.concat(list, " ")
end

local function neighbour(host, octet, state)
  local mac = state ~= "failed" and ("lladdr 02:00:00:00:00:%s "):format(octet) or ""
  host:ip(("neigh replace 192.0.2.%s %sdev eth0 nud %s"):format(octet, mac, state))
end

tap.test("which one: by what is known of the gateways", function(t)
  local host = station()
  t:is(chosen(host, 4), "11 11 11 11")
  for _, step in ipairs {
    { "11", "failed", "12 12 12 12" },
    { "11", "reachable", "11 11 11 11" },
    { "11", "stale", "12 11 12 11" },     -- in doubt; of 12 nothing bad is known
    { "12", "stale", "12 11 12 11" },     -- both are in doubt: turns are taken
    { "13", "stale", "12 11 12 11" },
    { "12", "reachable", "12 11 12 11" },
    { "12", "failed", "13 11 13 11" },
    { "11", "failed", "13 13 13 13" }, -- stale, but the only one
    { "13", "failed", "11 11 12 13" },    -- none is left: each is tried in its turn
    { "13", "permanent", "13 13 13 13" },
    { "11", "permanent", "11 13 11 13" },
    { "13", "failed", "11 11 11 11" },
  } do
    neighbour(host, step[1], step[2])
    t:is(chosen(host, 4), step[3], step[1] .. " " .. step[2])
  end
end)

tap.test("one of a higher metric is no gateway that stands in", function(t)
  local host = net.host { addr = "192.0.2.1/24" }
  host:ip "route add default via 192.0.2.11"
  host:ip "route add default via 192.0.2.12 metric 5"
  neighbour(host, "11", "failed")
  neighbour(host, "12", "reachable")
  t:is(chosen(host, 4), "11 11 11 11")
end)

tap.test("nor is a route that is not the default", function(t)
  local host = net.host { addr = "192.0.2.1/24" }
  host:ip "route add 203.0.113.0/24 via 192.0.2.11"
  host:ip "route append 203.0.113.0/24 via 192.0.2.12"
  neighbour(host, "11", "failed")
  neighbour(host, "12", "reachable")
  t:is(chosen(host, 4), "11 11 11 11")
end)

tap.test("a dead gateway as a program sees it: what it sends next goes by the other", function(t)
  local host = net.host { addr = "192.0.2.1/24" }
  local alive = host.wire:peer { addr = "192.0.2.12" }
  host:ip "route add default via 192.0.2.11"
  host:ip "route append default via 192.0.2.12"
  local s = host:socket "udp"
  s:sendto("first", "203.0.113.1", 9)
  for _ = 1, 3 do alive:expect(arp { tpa = "192.0.2.11" }, { within = "2s" }) end
  net.sleep "2s"
  t:like(host:ip "neigh", "192%.0%.2%.11 dev eth0 FAILED")
  for _, data in ipairs { "second", "third" } do
    s:sendto(data, "203.0.113.1", 9)
    t:shows("RFC1122-3.3.1.5-1", alive:expect(
      ip { dst = "203.0.113.1" } / udp { dport = 9 } / raw(data), { within = "1ms" }))
  end
  t:like(host:ip "neigh", "192%.0%.2%.11 dev eth0 FAILED")
end)

tap.test("forwarded packets keep to the first (Linux)", function(t)
  local host = station()
  host:nic { addr = "198.51.100.1/24" }
  host:sysctl("net.ipv4.ip_forward", "1")
  neighbour(host, "11", "failed")
  neighbour(host, "12", "reachable")
  t:is(chosen(host, 2, " from 198.51.100.9 iif eth1"), "11 11")
  t:is(chosen(host, 2), "12 12")
end)

tap.test("goes wrong: the chosen gateway's route is deleted; the others go on", function(t)
  local host = station()
  neighbour(host, "11", "failed")
  neighbour(host, "12", "reachable")
  t:is(chosen(host, 2), "12 12")
  host:ip "route del default via 192.0.2.12"
  t:is(chosen(host, 2), "13 13")
  host:ip "route del default via 192.0.2.13"
  t:is(chosen(host, 2), "11 11")
end)
