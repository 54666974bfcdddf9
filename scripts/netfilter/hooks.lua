-- SPDX-License-Identifier: MIT
-- Netfilter's hooks: what each verdict does at each place, packets that are changed and held.
local tap = require "tap"
local net = require "net"
local s = require "_station"
local ip, icmp, udp = net.ip, net.icmp, net.udp

-- Verdicts ----------------------------------------------------------------------------------------

tap.test("drop on the way out tells the sender EPERM, or the errno that the hook names", function(t)
  for _, place in ipairs { "local_out", "post_routing" } do
    local host, peer, socket = s.station()
    local errno
    host:hook(place, function() return "drop", errno end)
    t:is(select(2, socket:try("sendto", "x", peer.addr, 9)), "EPERM")
    errno = "EHOSTUNREACH"
    t:is(select(2, socket:try("sendto", "x", peer.addr, 9)), "EHOSTUNREACH")
    peer:expect_nothing { during = "1ms" }
    t:is(host:drops("NETFILTER_DROP"), 2)
  end
end)

tap.test("stolen ends a packet in silence: no drop is counted, the sender sees success", function(t)
  local host, peer, socket = s.station()
  local order = {}
  host:hook("local_out", function() return "stolen" end)
  host:hook("local_out", function() order[#order + 1] = "later" end, { priority = 1 })
  t:is(socket:sendto("gone", peer.addr, 9), 4)
  peer:expect_nothing { during = "1ms" }
  t:is({ host:drops("NETFILTER_DROP"), #order }, { 0, 0 })
end)

tap.test("repeat calls the same hook again, and those before it not", function(t)
  local host, peer, socket = s.station()
  local order, rounds = {}, 0
  host:hook("local_in", function() order[#order + 1] = "a" end, { priority = -1 })
  host:hook("local_in", function()
    order[#order + 1] = "b"
    rounds = rounds + 1
    return rounds < 3 and "repeat" or "accept"
  end)
  host:hook("local_in", function() order[#order + 1] = "c" end, { priority = 1 })
  peer:send(udp{} / "x")
  t:is((socket:recv()), "x")
  t:is(table.concat(order), "abbbc")
end)

tap.test("a hook that repeats for ever is a drop, not a hang", function(t)
  local host, peer = s.station()
  host:hook("local_in", function() return "repeat" end)
  peer:send(udp{} / "x")
  peer:expect_nothing { during = "1ms" }
  t:is(host:drops("NETFILTER_DROP"), 1)
end)

tap.test("what no verdict is fails with words", function(t)
  local host = s.station()
  t:error(function() host:hook("forwards", print) end, "there is no place 'forwards'")
  t:error(function() host:hook("forward", print, { family = "arp" }) end, "family is \"ipv4\" or \"ipv6\"")
  t:error(function() host:hook("forward", nil) end, "needs a function")
end)

-- Changes -----------------------------------------------------------------------------------------

tap.test("a hook that returns a packet puts it in the place of the one it saw", function(t)
  local host, peer, socket = s.station()
  host:hook("local_in", function(p)
    return ip{ src = p.ip.src, dst = p.ip.dst, id = p.ip.id } /
      udp{ sport = p.udp.sport, dport = p.udp.dport } / ("longer than before, " .. p.payload)
  end)
  peer:send(udp{} / "hello")
  t:is((socket:recv()), "longer than before, hello")
end)

tap.test("a packet changed on the way out leaves with checksums that are right", function(t)
  local host, peer, socket = s.station()
  host:hook("local_out", function(p)
    return ip{ src = p.ip.src, dst = p.ip.dst, ttl = 3, id = 77 } /
      udp{ sport = p.udp.sport, dport = p.udp.dport } / "x"
  end)
  socket:sendto("something else", peer.addr, 5000)
  local sent = peer:expect(ip{ ttl = 3, id = 77 } / udp{} / "x")
  t:is({ sent.ip.checksum_status, sent.udp.checksum_status }, { "good", "good" })
end)

tap.test("a wrong checksum in a changed packet is found on the way up", function(t)
  local host, peer = s.station()
  host:hook("pre_routing", function(p)
    return ip{ src = p.ip.src, dst = p.ip.dst } /
      udp{ sport = p.udp.sport, dport = 7, checksum = 0xbad } / "x"
  end)
  peer:send(udp{} / "x")
  peer:expect_nothing { during = "1ms" }
  t:is(host:counter("UdpInCsumErrors"), 1)
end)

tap.test("a destination that a hook changes before routing is the one that is routed", function(t)
  local host, near, far = s.router()
  host:hook("pre_routing", function(p)
    return ip{ src = p.ip.src, dst = far.addr, ttl = p.ip.ttl } /
      udp{ sport = p.udp.sport, dport = p.udp.dport } / p.payload
  end)
  near:send(ip{ dst = "192.0.2.1" } / udp{} / "to the router")
  far:expect(ip{ src = near.addr, ttl = 63 } / udp{ sport = 5000, dport = 7 } / "to the router",
    { within = "1ms" })
end)

-- Held packets ------------------------------------------------------------------------------------

tap.test("a packet that is queued waits as long as it takes, then goes on behind its hook", function(t)
  local host, peer, socket = s.station()
  local order = {}
  local hook = host:hook("local_in", function() order[#order + 1] = "holds" return "queue" end)
  host:hook("local_in", function() order[#order + 1] = "later" end, { priority = 1 })
  peer:send(udp{} / "one")
  peer:send(udp{} / "two")
  net.sleep("1min")
  t:is(select(2, socket:try("recv", { flags = "dontwait" })), "EAGAIN")
  local held = hook:queued()
  t:is({ #held, held[1].packet.payload, held[2].packet.payload }, { 2, "one", "two" })
  held[2]:accept()
  held[1]:accept()
  t:is({ (socket:recv()), (socket:recv()) }, { "two", "one" })
  t:is(order, { "holds", "holds", "later", "later" })
  t:is(#hook:queued(), 0)
  t:error(function() held[1]:accept() end, "waits no longer")
end)

tap.test("verdicts about a held packet: drop, steal, again, another packet", function(t)
  local host, peer, socket = s.station()
  local seen = 0
  local hook = host:hook("local_in", function() seen = seen + 1 return "queue" end)
  for i = 1, 4 do peer:send(udp{} / tostring(i)) end
  net.sleep("1ms")
  local held = hook:queued()
  held[1]:drop()
  held[2]:steal()
  t:is(host:drops("NETFILTER_DROP"), 1)
  held[3]:again()
  t:is({ seen, #hook:queued() }, { 5, 2 })
  local p = held[4].packet
  held[4]:accept(ip{ src = p.ip.src, dst = p.ip.dst } / udp{ sport = 5000, dport = 7 } / "instead")
  t:is((socket:recv()), "instead")
  hook:queued()[1]:accept()
  t:is((socket:recv()), "3")
end)

tap.test("a packet held on its way out leaves when it is let go", function(t)
  local host, peer, socket = s.station()
  local hook = host:hook("post_routing", function() return "queue" end)
  t:is(socket:sendto("later", peer.addr, 5000), 5)
  peer:expect_nothing { during = "3s" }
  hook:queued()[1]:accept()
  peer:expect(udp{} / "later")
end)

tap.test("a held packet is dropped when its device goes down", function(t)
  local host, near, far, second = s.router()
  local hook = host:hook("forward", function() return "queue" end)
  near:send(ip{ dst = far.addr } / udp{} / "x")
  net.sleep("1ms")
  host:link { dev = second, up = false }
  t:is(host:drops("DEV_READY"), 1)
  t:error(function() hook:queued()[1]:accept() end, "ENOENT")
end)

tap.test("packets still held when the world ends are given back", function(t)
  local host, peer, socket = s.station()
  host:hook("local_in", function() return "queue" end)
  host:hook("local_out", function() return "queue" end)
  peer:send(udp{} / "x")
  socket:sendto("y", peer.addr, 9)
  net.sleep("1ms")
  t:is(host:counter("UdpInDatagrams"), 0)
end)

tap.test("a TCP connection outlives a queue that lets each packet go a second late", function(t)
  local host = net.host { addr = "192.0.2.1/24" }
  local server = host:socket "tcp":listen(80)
  local peer = host.wire:peer { addr = "192.0.2.9", port = 4000 }:to(80)
  host:neigh { addr = peer.addr, mac = peer.mac }
  local hook = host:hook("local_out", function() return "queue" end)
  peer:send "S 0:0(0) win 65535 <mss 1460>"
  peer:expect_nothing { during = "900ms" }
  hook:queued()[1]:accept()
  peer:expect "S. 0:0(0) ack 1 <mss 1460>"
  t:is(#hook:queued(), 0)
end)

-- IPv6 --------------------------------------------------------------------------------------------

tap.test("hooks of IPv6 see whole packets at each place of their way", function(t)
  local host = net.host { addr = "2001:db8::1/64", model = "tun" }
  local peer = host.wire:peer { addr = "2001:db8::9" }
  local seen = {}
  for _, place in ipairs { "pre_routing", "local_in", "local_out", "post_routing" } do
    host:hook(place, function(p, where)
      seen[#seen + 1] = ("%s %d %d"):format(place, p.icmp6.type, p.ip6.hlim)
      t:is({ where.place, where.family, where.iif or where.oif }, { place, "ipv6", 2 })
    end, { family = "ipv6" })
  end
  peer:send(net.ip6{} / net.icmp6{ type = 128, id = 1, seq = 1 } / "six")
  peer:expect(net.ip6{} / net.icmp6{ type = 129 } / "six", { within = "1ms" })
  t:is(seen, { "pre_routing 128 64", "local_in 128 64", "local_out 129 64", "post_routing 129 64" })
end)

-- What a user sees when it goes wrong ---------------------------------------------------------------

tap.test("packets arrive and no socket gets them: the drop reason says who", function(t)
  local host, peer, socket = s.station()
  net.trace("nf_hook", "kfree_skb")
  host:hook("local_in", function(p) if p.udp.dport == 7 then return "drop" end end)
  local before = host:counters()
  peer:send(udp{} / "never seen")
  net.sleep("1ms")
  t:is(host:changes(before, "^Ip[^E]"), { IpInReceives = 1 })
  t:is(host:changes(before, "^Drop"), { ["Drop.NETFILTER_DROP"] = 1 })
  t:is(host:changes(before, "^Udp"), {})
  local records = net.traces()
  t:is({ records[1].event, records[1].reason }, { "kfree_skb", "NETFILTER_DROP" })
  t:is({ records[2].event, records[2].hook, records[2].verdict }, { "nf_hook", net.C.NF_INET_LOCAL_IN, 0 })
end)
