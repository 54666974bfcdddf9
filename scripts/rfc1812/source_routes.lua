-- SPDX-License-Identifier: MIT
-- Source routes through a router (RFC 791 3.1, RFC 1812 5.3.13.4, RFC 1122 3.3.5), with the switch that
-- lets them pass.
local tap = require "tap"
local net = require "net"
local router = require "_router"
local ip, icmp, udp = net.ip, net.icmp, net.udp

local NEAR, FAR, route = router.NEAR, router.FAR, router.route
local LOOSE <const>, STRICT <const> = 0x83, 0x89
local ACCEPT = { ["net.ipv4.conf.all.accept_source_route"] = 1, ["net.ipv4.conf.default.accept_source_route"] = 1 }

local function new(o)
  o = o or {}
  o.sysctl = ACCEPT
  return router.new(o)
end

-- What goes on when this comes to the router's near address.
local function through(near, far, fields)
  fields.src, fields.dst = NEAR, "192.0.2.1"
  near:send(ip(fields) / udp{ sport = 1, dport = 2 } / "x")
  return far:expect(ip{ src = NEAR }, { within = "1ms", defaults = false })
end

for name, kind in pairs { loose = LOOSE, strict = STRICT } do
  tap.test(("a %s route: the next address is the destination, the router's own takes its place"):format(name),
    function(t)
      local _, near, far = new()
      local got = through(near, far, { ttl = 9, options = route(kind, 4, FAR, "203.0.113.1") })
      t:is({ got.ip.dst, got.ip.options }, { FAR, route(kind, 8, "198.51.100.1", "203.0.113.1") })
      local shown = t:is(got.ip.ttl, 8)
      if kind == LOOSE then
        t:shows("RFC791-3.1-13", t:shows("RFC1122-3.3.5-3", t:shows("RFC1812-5.3.13.4-1", shown)))
      end
    end)
end

tap.test("a route that is used up ends where it points", function(t)
  local host, near, far = new()
  local server = host:socket "udp"
  server:bind(2)
  near:send(ip{ dst = "192.0.2.1", options = route(LOOSE, 12, "203.0.113.1", "203.0.113.2") } / udp{ sport = 1, dport = 2 } / "x")
  net.sleep "1ms"
  t:shows("RFC791-3.1-15", t:is((server:recv { flags = "dontwait" }), "x"))
  t:is(#far:collect(), 0)
end)

tap.test("a strict route to an address behind another router fails, a loose one does not", function(t)
  local host, near, far = new()
  host:route { dst = "203.0.113.0/24", via = FAR, dev = host.nics[2] }
  near:send(ip{ dst = "192.0.2.1", options = route(STRICT, 4, "203.0.113.1") } / udp{ sport = 1, dport = 2 })
  local failed = near:expect(icmp{ type = "dest-unreach", code = 5 })
  t:shows("RFC791-3.1-14", t:is(failed.inner.ip.dst, "192.0.2.1"))
  t:is(#far:collect(), 0)
  local got = through(near, far, { options = route(LOOSE, 4, "203.0.113.1") })
  t:is({ got.ip.dst, got.eth.dst }, { "203.0.113.1", far.mac })
  t:shows("RFC1122-3.3.5-5", t:is(got.ip.src, NEAR))
end)

tap.test("Destination Unreachable codes 4 and 5 for what has a source route", function(t)
  local host, near = new { mtu = 576 }
  host:route { dst = "203.0.113.0/24", via = FAR, dev = host.nics[2] }
  near:send(ip{ dst = "192.0.2.1", df = true, options = route(LOOSE, 4, FAR) } / udp{ sport = 1, dport = 2 } / ("x"):rep(1000))
  near:expect(icmp{ type = "dest-unreach", code = "frag-needed", mtu = 576 })
  net.sleep "1s"
  near:send(ip{ dst = "192.0.2.1", options = route(STRICT, 4, "203.0.113.1") } / udp{ sport = 1, dport = 2 })
  t:shows("RFC1122-3.3.5-4", near:expect(icmp{ type = "dest-unreach", code = 5 }))
end)

tap.test("an expired TTL, a time stamp and a Record Route count as for any datagram", function(t)
  local _, near, far = new()
  near:send(ip{ dst = "192.0.2.1", ttl = 1, options = route(LOOSE, 4, FAR) } / udp{ sport = 1, dport = 2 })
  t:shows("RFC1122-3.3.5-2", near:expect(icmp{ type = "time-exceeded", code = "ttl" }))
  local got = through(near, far, { options = route(LOOSE, 4, FAR):sub(1, -2) .. "\7\7\4\0\0\0\0" .. "\x44\12\5\1" .. ("\0"):rep(8) .. "\0" })
  local options = got.ip.options
  t:is(options:sub(8, 14), "\7\7\8\198\51\100\1", "Record Route")
  local stamp = { options:byte(15, 22) }
  t:shows("RFC1122-3.3.5-6", t:is(stamp, { 0x44, 12, 13, 1, 198, 51, 100, 1 }))
end)

tap.test("the switch: without it what has a source route is dropped, for others and for the router", function(t)
  local host, near, far = router.new()
  for _, options in ipairs { route(LOOSE, 4, FAR), route(STRICT, 4, FAR), route(LOOSE, 8, "203.0.113.1") } do
    near:send(ip{ dst = "192.0.2.1", options = options } / udp{ sport = 1, dport = 2 })
    t:is({ #far:collect { during = "1ms" }, #near:collect() }, { 0, 0 })
  end
  for _, dev in ipairs { "all", "eth0" } do host:sysctl("net.ipv4.conf." .. dev .. ".accept_source_route", 1) end
  t:shows("RFC1122-3.3.5-1", t:shows("RFC1122-3.3.5-7",
    t:ok(through(near, far, { options = route(LOOSE, 4, FAR) }))))
end)

tap.test("what the rules of forwarding forbid a source route does not allow", function(t)
  local host, near, far = new()
  host:iptables("-A FORWARD -o eth1 -j DROP")
  near:send(ip{ dst = "192.0.2.1", options = route(LOOSE, 4, FAR) } / udp{ sport = 1, dport = 2 })
  t:shows("RFC1122-3.3.5-9", t:is({ #far:collect { during = "1ms" }, #near:collect() }, { 0, 0 }))
end)

tap.test("a host originates a source route, and ends one; one is all that a header may have", function(t)
  local host = net.host { addr = "192.0.2.1/24", sysctl = ACCEPT }
  local peer = host.wire:peer { addr = "192.0.2.9" }
  host:neigh { addr = peer.addr, mac = peer.mac }
  local s = host:socket "udp"
  s:bind(2)
  t:is(select(2, s:try("option", "IP_OPTIONS", route(LOOSE, 4, "192.0.2.9"):sub(1, 7) .. route(STRICT, 4, "192.0.2.9") .. "\0")), "EINVAL")
  s:option("IP_OPTIONS", route(LOOSE, 4, "192.0.2.9"))
  s:sendto("x", "203.0.113.1", 9)
  local frames = peer:collect { during = "1ms" }
  t:shows("RFC1122-3.2.1.8c-4", t:is({ #frames, frames[1].ip.options }, { 1, route(LOOSE, 4, "203.0.113.1") }))
  t:is(frames[1].ip.dst, "192.0.2.9")
  peer:send(ip{ options = route(LOOSE, 8, "203.0.113.1") } / udp{ sport = 1, dport = 2 } / "y")
  t:shows("RFC1122-3.2.1.8c-1", t:is((s:recv()), "y"))
end)

-- A receiver at the end of the route sums over its own address, and drops this.
tap.test("the checksum of a UDP datagram with a source route is over the first hop", function(t)
  local host = net.host { addr = "192.0.2.1/24" }
  local peer = host.wire:peer { addr = "192.0.2.9" }
  host:neigh { addr = peer.addr, mac = peer.mac }
  local s = host:socket "udp"
  s:option("IP_OPTIONS", route(LOOSE, 4, "192.0.2.9"))
  s:sendto("x", "203.0.113.1", 9)
  local frame = peer:expect(udp{ dport = 9 })
  local over = ip{ src = "192.0.2.1", dst = "192.0.2.9" } / udp{ sport = frame.udp.sport, dport = 9 } / "x"
  t:is(frame.udp.checksum, net.parse(over:bytes(), "ip").udp.checksum)
end)
