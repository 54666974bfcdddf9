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

-- The delay (net.ipv4.neigh.DEV.proxy_delay, in hundredths of a second) --------------------------

local DELAY = "net.ipv4.neigh.eth0.proxy_delay"

tap.test("the answer waits for up to 0.8 s: who is there himself comes first", function(t)
  local host, peer = router { forward = 1, proxy = 1 }
  t:is(host:sysctl(DELAY), "80")
  local times = {}
  for i = 1, 8 do
    local start = t:now()
    peer:send(arp{ op = "request", tpa = "198.51.100." .. i + 8 })
    local reply = peer:expect(arp{ op = "reply", spa = "198.51.100." .. i + 8 }, { within = "801ms" })
    times[i] = (reply.sent - start) // 1000000
    net.sleep "1s"
  end
  local least, most = math.min(table.unpack(times)), math.max(table.unpack(times))
  t:ok(most > least + 100, "they are not all the same")
end)

tap.test("a request for the router alone is answered at once", function(t)
  local host, peer = router { forward = 1, proxy = 1 }
  peer:send(net.eth{ dst = host.mac } / arp{ op = "request", tpa = "198.51.100.9" })
  t:ok(peer:expect(arp{ op = "reply", spa = "198.51.100.9" }))
end)

tap.test("proxy_delay = 0: at once", function(t)
  local host, peer = router { forward = 1, proxy = 1 }
  host:sysctl(DELAY, 0)
  peer:send(arp{ op = "request", tpa = "198.51.100.9" })
  t:ok(peer:expect(arp{ op = "reply", spa = "198.51.100.9" }))
end)

tap.test("requests wait each for its own time; proxy_qlen bounds how many", function(t)
  local host, peer = router { forward = 1, proxy = 1 }
  host:sysctl("net.ipv4.neigh.eth0.proxy_qlen", 4)
  for i = 1, 10 do peer:send(arp{ op = "request", tpa = "198.51.100." .. i + 8 }) end
  local replies = peer:collect { during = "1s" }
  t:is(#replies, 5)
  t:ok(replies[5].sent > replies[1].sent)
  t:is(host:drops "NEIGH_QUEUEFULL", 5)
end)

tap.test("a card that goes down takes the requests with it", function(t)
  local host, peer = router { forward = 1, proxy = 1 }
  peer:send(arp{ op = "request", tpa = "198.51.100.9" })
  net.sleep "1ms"
  host:link { up = 0 }
  t:ok(peer:expect_nothing { during = "2s" })
  t:is(host:drops "DEV_READY", 1)
end)

tap.test("ip neigh add proxy: that address alone, by that interface alone, without proxy_arp", function(t)
  local host, peer = router { forward = 1, proxy = 0 }
  host:ip "neigh add proxy 198.51.100.9 dev eth0"
  host:ip "neigh add proxy 198.51.100.10 dev eth1"
  t:is(host:ip "neigh show proxy", "198.51.100.9 dev eth0 proxy \n198.51.100.10 dev eth1 proxy \n")
  t:like(host:proc "/proc/net/arp", "\n198.51.100.9 +0x1 +0xc +00:00:00:00:00:00 +%* +eth0\n")
  peer:send(arp{ op = "request", tpa = "198.51.100.9" })
  t:is(peer:expect(arp{ op = "reply", spa = "198.51.100.9" }, { within = "1s" }).arp.sha, host.mac)
  for _, other in ipairs { "198.51.100.8", "198.51.100.10" } do
    peer:send(arp{ op = "request", tpa = other })
    peer:expect_nothing { during = "2s" }
  end
  host:ip "neigh del proxy 198.51.100.9 dev eth0"
  peer:send(arp{ op = "request", tpa = "198.51.100.9" })
  peer:expect_nothing { during = "2s" }
  t:error(function() host:ip "neigh del proxy 198.51.100.9 dev eth0" end, "ENOENT")
end)

tap.test("ip neigh add proxy: not for who is on the asker's wire; gone when the interface goes down", function(t)
  local host, peer = router { forward = 1, proxy = 0 }
  host:ip "neigh add proxy 192.0.2.50 dev eth0"
  host:ip "neigh add proxy 192.0.2.50 dev eth0" -- once is enough
  peer:send(arp{ op = "request", tpa = "192.0.2.50" })
  peer:expect_nothing { during = "2s" }
  host:sysctl("net.ipv4.ip_forward", 0)
  host:ip "neigh add proxy 198.51.100.9 dev eth0"
  peer:send(arp{ op = "request", tpa = "198.51.100.9" })
  peer:expect_nothing { during = "2s" }
  host:ip "link set eth0 down"
  t:is(host:ip "neigh show proxy", "")
end)

tap.test("a proxy that memory is refused for is not there", function(t)
  local host = router { forward = 1, proxy = 0 }
  host:fault("alloc", { skip = 0, count = 1 })
  t:error(function() host:ip "neigh add proxy 198.51.100.9 dev eth0" end, "ENOBUFS")
  t:is(host:ip "neigh show proxy", "")
end)
