-- SPDX-License-Identifier: MIT
-- Packet sockets against hooks and rules: a tap sees on the way in what netfilter drops, on the way
-- out it does not; on lo, in forwarding and through a namespace.
local tap = require "tap"
local net = require "net"
local s = require "_station"
local ip, icmp, tcp, udp = net.ip, net.icmp, net.tcp, net.udp

-- The payloads of UDP that a tap has heard, "in" or "out".
local function heard(socket)
  local list = {}
  while true do
    local data = socket:try("recv", { flags = "dontwait" })
    if not data then return list end
    local packet = net.parse(data)
    if packet.udp then list[#list + 1] = packet.payload end
    if packet.icmp then list[#list + 1] = "icmp" end
  end
end

tap.test("a tap hears what comes in, whatever netfilter does with it", function(t)
  for _, place in ipairs { "pre_routing", "local_in" } do
    local host, peer, socket = s.station()
    local ears = host:socket("packet", { dev = "eth0" })
    host:hook(place, function(p) return p.payload == "dropped" and "drop" or "accept" end)
    peer:send(udp{} / "dropped")
    peer:send(udp{} / "kept")
    t:is((socket:recv()), "kept")
    t:is(heard(ears), { "dropped", "kept" })
  end
end)

tap.test("a tap hears what leaves, not what netfilter has dropped on its way out", function(t)
  for _, place in ipairs { "local_out", "post_routing" } do
    local host, peer, socket = s.station()
    local ears = host:socket("packet", { dev = "eth0" })
    host:hook(place, function(p) return p.payload == "dropped" and "drop" or "accept" end)
    socket:try("sendto", "dropped", peer.addr, 5000)
    socket:sendto("sent", peer.addr, 5000)
    peer:expect(udp{} / "sent")
    t:is(heard(ears), { "sent" })
  end
end)

tap.test("rules of INPUT and OUTPUT stand at the same places", function(t)
  local host, peer, socket = s.station()
  local ears = host:socket("packet", { dev = "eth0" })
  host:iptables "-A INPUT -p udp --dport 7 -j DROP"
  host:iptables "-A OUTPUT -p udp --dport 9 -j DROP"
  peer:send(udp{} / "in, dropped")
  net.sleep "1ms"
  socket:try("sendto", "out, dropped", peer.addr, 9)
  socket:sendto("out", peer.addr, 5000)
  peer:expect(udp{} / "out")
  t:is(heard(ears), { "in, dropped", "out" })
  t:is(host:drops "NETFILTER_DROP", 2)
end)

tap.test("forwarded and dropped: the tap on the way in hears it, the one on the way out does not", function(t)
  local host, near, far, second = s.router()
  local first_ears = host:socket("packet", { dev = "eth0" })
  local second_ears = host:socket("packet", { dev = "eth1" })
  host:iptables "-A FORWARD -p udp --dport 9 -j DROP"
  near:send(ip{ dst = far.addr } / udp{ dport = 9 } / "dropped")
  near:send(ip{ dst = far.addr } / udp{ dport = 7 } / "through")
  far:expect(ip{ src = near.addr, ttl = 63 } / udp{ sport = 5000, dport = 7 } / "through", { within = "1ms" })
  t:is({ heard(first_ears), heard(second_ears) }, { { "dropped", "through" }, { "through" } })
end)

tap.test("the answer of REJECT is heard as it leaves", function(t)
  local host, peer = s.station()
  local ears = host:socket("packet", { dev = "eth0" })
  host:iptables "-A INPUT -p udp -j REJECT"
  peer:send(udp{} / "x")
  peer:expect(icmp{ type = "dest-unreach" }, { within = "1ms" })
  t:is(heard(ears), { "x", "icmp" })
end)

tap.test("a held packet is heard once: in before it waits, out when it goes", function(t)
  local host, peer, socket = s.station()
  local ears = host:socket("packet", { dev = "eth0" })
  local inside = host:hook("local_in", function() return "queue" end)
  local outside = host:hook("post_routing", function() return "queue" end)
  peer:send(udp{} / "in")
  net.sleep "1ms"
  t:is(heard(ears), { "in" })
  inside:queued()[1]:accept()
  t:is((socket:recv()), "in")
  socket:sendto("out", peer.addr, 5000)
  t:is(heard(ears), {})
  outside:queued()[1]:accept()
  peer:expect(udp{} / "out")
  t:is(heard(ears), { "out" })
end)

-- What a user sees when it goes wrong -----------------------------------------------------------------

tap.test("tcpdump shows the SYNs, and nothing answers: the counters tell it from a full backlog", function(t)
  local host, peer = s.station()
  local ears = host:socket("packet", { dev = "eth0", protocol = "ip" })
  host:socket "tcp":listen(80)
  host:iptables "-A INPUT -m conntrack --ctstate INVALID -j DROP"
  host:iptables "-t raw -A PREROUTING -p tcp --dport 80 -m ttl --ttl-lt 30 -j DROP"
  local before = host:counters()
  for i = 1, 3 do
    peer:send(ip{ ttl = 20 } / tcp{ sport = 4000, dport = 80, flags = "S", window = 65535 })
    net.sleep "1s"
  end
  peer:expect_nothing()
  local frames = 0
  while ears:try("recv", { flags = "dontwait" }) do frames = frames + 1 end
  t:is(frames, 3)
  t:is({ host:changes(before, "^Tcp"), host:changes(before, "^Drop") }, { {}, { ["Drop.NETFILTER_DROP"] = 3 } })
  t:like(host:iptables_save "-c", "%[3:120%] %-A PREROUTING %-p tcp %-m tcp %-%-dport 80")
  t:is(host:sysctl "net.netfilter.nf_conntrack_count", "0", "raw comes before tracking")
end)
