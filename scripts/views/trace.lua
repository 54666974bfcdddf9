-- SPDX-License-Identifier: MIT
-- host:trace(): the way of a packet through functions, CPUs and queues, as a kernel tracer prints it.
local tap = require "tap"
local net = require "net"
local ip, udp, icmp = net.ip, net.udp, net.icmp

local function setup(o)
  local host = net.host(o or { addr = "192.0.2.1/24" })
  local peer = host.wire:peer { addr = "192.0.2.9", port = 5000 }:to(7)
  host:neigh { addr = peer.addr, mac = peer.mac }
  return host, peer
end

tap.test("a datagram to a socket", function(t)
  local host, peer = setup()
  local s = host:socket "udp"
  s:bind(7)
  local trace = host:trace { proto = "udp" }
  peer:send(udp {} / "hello")
  s:recv()
  local packets = trace:packets()
  t:is(#packets, 1)
  t:is({ packets[1].src, packets[1].sport, packets[1].dst, packets[1].dport, packets[1].len },
    { "192.0.2.9", 5000, "192.0.2.1", 7, 33 })
  t:is(trace:way(packets[1]), { "napi_gro_receive", "netif_receive_skb", "ip_rcv", "ip_local_deliver",
    "udp_rcv", "udp_queue_rcv_skb", "consume_skb" })
end)

tap.test("goes wrong: why a packet was dropped, where and when", function(t)
  local host, peer = setup()
  local trace = host:trace { drops = true }
  peer:send(udp { dport = 9 } / "nobody")
  peer:expect(icmp { type = "dest-unreach", code = "port" }, { within = "1ms" })
  local packets = trace:packets()
  t:is(#packets, 1)
  t:is(packets[1].reason, "NO_SOCKET")
  t:like(trace:text(), "^skb %d+ udp 192.0.2.9:5000 > 192.0.2.1:9 len 34\n")
  t:like(trace:text(), "  0.000001000  %[000%]  ip_rcv                     eth0\n")
  t:like(trace:text(), "  0.000001000  %[000%]  kfree_skb                  reason NO_SOCKET\n")
end)

tap.test("goes wrong: a hook dropped it", function(t)
  local host, peer = setup()
  host:hook("local_in", function() return "drop" end)
  local trace = host:trace()
  peer:send(udp {} / "hello")
  net.sleep "1ms"
  t:like(trace:text(), "kfree_skb                  reason NETFILTER_DROP\n")
  t:like(trace:text(), "nf_hook_slow               local_in drop\n")
end)

tap.test("on the way out", function(t)
  local host, peer = setup()
  local trace = host:trace { dst = "192.0.2.9" }
  host:socket "udp":sendto("out", "192.0.2.9", 5000)
  peer:expect(udp { dport = 5000 }, { defaults = false })
  t:is({ table.unpack(trace:way(trace:packets()[1]), 1, 5) },
    { "ip_local_out", "ip_output", "neigh_output", "dev_queue_xmit", "ndo_start_xmit" })
end)

tap.test("through a bridge into a namespace", function(t)
  local host, peer = setup {}
  local blue = host:netns "blue"
  host:ip "link add br0 type bridge"
  host:ip "link set br0 up"
  host:ip "link set eth0 master br0"
  host:link_add { type = "veth", name = "port", peer = { name = "eth0", netns = blue }, master = "br0", up = true }
  blue:ip "link set eth0 up"
  blue:ip "addr add 192.0.2.2/24 dev eth0"
  local s = blue:socket "udp"
  s:bind(7)
  local trace = host:trace { dst = "192.0.2.2" }
  peer:send(net.eth { dst = blue:dev "eth0".mac, src = peer.mac } / ip { src = "192.0.2.9", dst = "192.0.2.2" } /
    udp { sport = 1, dport = 7 } / "hello")
  s:recv()
  -- the address is unknown: the frame is flooded, to one port
  t:is(trace:way(trace:packets()[1]), { "napi_gro_receive", "netif_receive_skb", "br_handle_frame",
    "br_forward", "dev_queue_xmit", "veth_xmit", "enqueue_to_backlog", "ndo_start_xmit", "netif_receive_skb",
    "ip_rcv", "ip_local_deliver", "udp_rcv", "udp_queue_rcv_skb", "consume_skb" })
end)

tap.test("forwarded from one card to the other", function(t)
  local host, peer = setup()
  host:sysctl("net.ipv4.ip_forward", 1)
  local second = host:nic { addr = "198.51.100.1/24" }
  local far = second.wire:peer { addr = "198.51.100.9" }
  host:neigh { addr = far.addr, mac = far.mac, dev = second }
  local trace = host:trace { dst = "198.51.100.9" }
  peer:send(ip { src = "192.0.2.9", dst = "198.51.100.9" } / udp { sport = 1, dport = 2 } / "on")
  far:expect(ip { src = "192.0.2.9", ttl = 63 } / udp {} / "on", { defaults = false, within = "1ms" })
  local way = table.concat(trace:way(trace:packets()[1]), " ")
  t:like(way, "ip_rcv ip_forward ip_output neigh_output dev_queue_xmit ndo_start_xmit")
end)

tap.test("RPS: the second CPU is seen", function(t)
  local host, peer = setup { addr = "192.0.2.1/24", cpus = 2 }
  host:ethtool { rps_cpus = 2 }
  local s = host:socket "udp"
  s:bind(7)
  local trace = host:trace { dport = 7 }
  peer:send(udp {} / "hello")
  s:recv()
  local cpus = {}
  for _, step in ipairs(trace:packets()[1].steps) do cpus[step.func] = step.cpu end
  t:is({ cpus.enqueue_to_backlog, cpus.ip_rcv }, { 0, 1 })
end)
