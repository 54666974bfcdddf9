-- SPDX-License-Identifier: MIT
-- ICMP redirects that a host receives (RFC 792, RFC 1122 3.2.2.2).
local tap = require "tap"
local net = require "net"
local eth, ip, icmp, udp = net.eth, net.ip, net.icmp, net.udp

local FAR = "198.51.100.7"

-- A host with a default gateway, another router on the link, a socket towards FAR.
local function network(sysctl)
  local host = net.host { addr = "192.0.2.1/24", gateway = "192.0.2.254", sysctl = sysctl }
  local gate = host.wire:peer { addr = "192.0.2.254" }
  local better = host.wire:peer { addr = "192.0.2.253" }
  host:neigh { addr = gate.addr, mac = gate.mac }
  host:neigh { addr = better.addr, mac = better.mac }
  local socket = host:socket "udp"
  socket:bind(7)
  socket:connect(FAR, 9)
  socket:send("data")
  local frame = gate:expect(ip{ dst = FAR } / udp{ sport = 7, dport = 9 } / "data")
  return host, gate, better, socket, net.parse(frame:bytes():sub(15, 14 + 32), "ip")
end

local function via(t, router, socket, other)
  socket:send("more")
  local frame = router:expect(eth{ dst = router.mac } / ip{ dst = FAR } / udp{} / "more")
  other:expect_nothing()
  return t:is(frame.ip.dst, FAR)
end

for code, name in pairs { [0] = "net", "host", "type of service and net", "type of service and host" } do
  tap.test(("a redirect for the %s (code %d) from the present gateway changes the next hop"):format(
    name, code), function(t)
      local host, gate, better, socket, packet = network()
      via(t, gate, socket, better)
      gate:send(icmp{ type = "redirect", code = code, gateway = better.addr } / packet)
      net.sleep("1ms")
      t:shows("RFC1122-3.3.1.2-2", t:shows("RFC1122-3.2.2.2-2", via(t, better, socket, gate)))
      t:shows("RFC1122-3.2.2.2-3", t:is(host:counter("IcmpInRedirects"), 1))
    end)
end

tap.test("a redirect is for the one destination that it names", function(t)
  local host, gate, better, socket, packet = network()
  gate:send(icmp{ type = "redirect", code = 0, gateway = better.addr } / packet)
  net.sleep("1ms")
  via(t, better, socket, gate)
  local other = host:socket "udp"
  other:sendto("y", "198.51.100.8", 9)
  t:ok(gate:expect(ip{ dst = "198.51.100.8" } / udp{} / "y"))
end)

local illegal = {
  { "from a router that is not the present next hop", function(p, gate, better)
    better:send(icmp{ type = "redirect", code = 1, gateway = better.addr } / p) end },
  { "to the present next hop", function(p, gate)
    gate:send(icmp{ type = "redirect", code = 1, gateway = gate.addr } / p) end },
  { "to a multicast address", function(p, gate)
    gate:send(icmp{ type = "redirect", code = 1, gateway = "224.0.0.5" } / p) end },
  { "to the limited broadcast address", function(p, gate)
    gate:send(icmp{ type = "redirect", code = 1, gateway = "255.255.255.255" } / p) end },
  { "to the subnet broadcast address", function(p, gate)
    gate:send(icmp{ type = "redirect", code = 1, gateway = "192.0.2.255" } / p) end },
  { "to 0.0.0.0", function(p, gate)
    gate:send(icmp{ type = "redirect", code = 1, gateway = "0.0.0.0" } / p) end },
  { "to the host itself", function(p, gate)
    gate:send(icmp{ type = "redirect", code = 1, gateway = "192.0.2.1" } / p) end },
  { "with code 4", function(p, gate, better)
    gate:send(icmp{ type = "redirect", code = 4, gateway = better.addr } / p) end },
  { "about a socket that does not exist", function(p, gate, better)
    p = p:clone()
    p.udp.sport = 8
    gate:send(icmp{ type = "redirect", code = 1, gateway = better.addr } / p) end },
  { "whose quote is too short", function(p, gate, better)
    gate:send(icmp{ type = "redirect", code = 1, gateway = better.addr } /
      net.raw(p:bytes():sub(1, 27))) end },
}

for _, case in ipairs(illegal) do
  tap.test("a redirect " .. case[1] .. " is discarded", function(t)
    local host, gate, better, socket, packet = network()
    case[2](packet, gate, better)
    net.sleep("1ms")
    t:shows("RFC1122-3.2.2.2-4", via(t, gate, socket, better))
    t:is(host:counter("IcmpInRedirects"), 1)
  end)
end

tap.test("with accept_redirects off a redirect changes nothing", function(t)
  local _, gate, better, socket, packet = network {
    ["net.ipv4.conf.all.accept_redirects"] = 0, ["net.ipv4.conf.default.accept_redirects"] = 0 }
  gate:send(icmp{ type = "redirect", code = 1, gateway = better.addr } / packet)
  net.sleep("1ms")
  via(t, gate, socket, better)
end)

tap.test("a redirect to a router whose link address is not known asks for it first", function(t)
  local host, gate, better, socket, packet = network()
  host:neigh_del(better.addr)
  local quiet = host.wire:peer { addr = "192.0.2.250", arp = false }
  gate:send(icmp{ type = "redirect", code = 1, gateway = quiet.addr } / packet)
  local request = quiet:expect(net.arp{ op = "request", tpa = quiet.addr })
  t:is(request.arp.sha, host.mac)
  quiet:collect { during = "10s" }
  via(t, gate, socket, better)
end)

-- docs/divergences.md: a router off the link is refused only when the link is not a shared one.
tap.test("profile linux: a redirect to a router off the link is believed with shared_media", { profile = "linux" },
  function(t)
    local host, gate, better, socket, packet = network()
    local far = host.wire:peer { addr = "203.0.113.1" }
    gate:send(icmp{ type = "redirect", code = 1, gateway = far.addr } / packet)
    net.sleep("1ms")
    gate:send(icmp{ type = "redirect", code = 1, gateway = far.addr } / packet)
    net.sleep("1ms")
    via(t, far, socket, gate)
    better:expect_nothing()
  end)

tap.test("without shared_media a redirect to a router that is not on the link is discarded", function(t)
  local host, gate, better, socket, packet = network {
    ["net.ipv4.conf.all.shared_media"] = 0, ["net.ipv4.conf.default.shared_media"] = 0 }
  gate:send(icmp{ type = "redirect", code = 1, gateway = "203.0.113.1" } / packet)
  net.sleep("1ms")
  t:shows("RFC1122-3.2.2.2-4", via(t, gate, socket, better))
  t:is(host:counter("IcmpInRedirects"), 1)
end)
