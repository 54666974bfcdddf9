-- SPDX-License-Identifier: MIT
-- What a route says beside its next hop, and what TCP and IP make of it; add, change, replace,
-- append, prepend and delete as ip-route(8) has them.
local tap = require "tap"
local net = require "net"
local ip, udp, icmp = net.ip, net.udp, net.icmp

local function server(words)
  local host = net.host { addr = "192.0.2.1/24" }
  host:ip("route add 203.0.113.0/24 via 192.0.2.9 " .. (words or ""))
  local peer = host.wire:peer { addr = "192.0.2.9", port = 4000 }:to(80)
  host:neigh { addr = peer.addr, mac = peer.mac }
  return host, peer
end

-- A connection that the peer opens from beyond the gateway.
local function far(peer, text)
  local s = peer:segment(text)
  s.ip.src = "203.0.113.7"
  peer:send(s)
end

local function expect_far(peer, template, o)
  local frames = peer:collect { during = o and o.during or "1ms" }
  local p = frames[1]
  for name, value in pairs(template) do
    if p.tcp[name] ~= value then error("expected " .. name .. " " .. value .. ", got " .. p:text()) end
  end
  return p, frames[2]
end

tap.test("advmss and the MTU make the MSS of a SYN-ACK", function(t)
  for words, mss in pairs { [""] = 1460, ["advmss 1000"] = 1000, ["mtu 1400"] = 1360,
    ["advmss 1000 mtu 900"] = 1000 } do
    local host, peer = server(words)
    host:socket "tcp":listen(80)
    far(peer, "S 0:0(0) win 65535 <mss 1460>")
    local synack = expect_far(peer, { flags = "S." })
    t:is(synack.tcp.options[1], { "mss", mss }, words)
  end
end)

tap.test("initcwnd", { profile = "linux" }, function(t)
  for words, segments in pairs { [""] = 10, ["initcwnd 3"] = 3, ["initcwnd 20"] = 20 } do
    local host, peer = server(words)
    local listener = host:socket "tcp":listen(80)
    far(peer, "S 0:0(0) win 65535 <mss 1000>")
    local isn = expect_far(peer, { flags = "S." }).tcp.seq
    local ack = peer:segment ". 1:1(0) ack 1 win 65535"
    ack.ip.src, ack.tcp.ack = "203.0.113.7", isn + 1
    peer:send(ack)
    local conn = listener:accept()
    conn:send(("x"):rep(30000))
    t:is(#peer:collect { during = "10ms" }, segments, words)
  end
end)

tap.test("initrwnd is the first window, and window clamps it", function(t)
  for words, window in pairs { ["initrwnd 4"] = 4 * 1460, ["window 5000"] = 3 * 1460 } do
    local host, peer = server(words)
    host:socket "tcp":listen(80)
    far(peer, "S 0:0(0) win 65535 <mss 1460>")
    t:is(expect_far(peer, { flags = "S." }).tcp.window, window, words)
  end
end)

tap.test("initrwnd makes no more of a small buffer than it has", function(t)
  local host, peer = server "initrwnd 20"
  host:sysctl("net.ipv4.tcp_rmem", "4096 16384 6291456") -- 8192 octets of window
  host:socket "tcp":listen(80)
  far(peer, "S 0:0(0) win 65535 <mss 1460>")
  t:is(expect_far(peer, { flags = "S." }).tcp.window, 5 * 1460)
end)

tap.test("rto_min", function(t)
  local host, peer = server "rto_min 50ms"
  local client = host:socket "tcp"
  local task = net.spawn(function() client:connect("203.0.113.7", 4000) end)
  local syn = expect_far(peer, { flags = "S" })
  local synack = net.ip{ src = "203.0.113.7", dst = "192.0.2.1" } / net.tcp{ sport = 4000, dport = syn.tcp.sport,
    seq = 100, ack = syn.tcp.seq + 1, flags = "SA", window = 65535 }
  peer:send(synack)
  expect_far(peer, { flags = "." })
  task:join()
  client:send "x"
  local first, again = expect_far(peer, {}, { during = "80ms" })
  t:ok(again.sent - first.sent >= 50000000 and again.sent - first.sent < 60000000, again.sent - first.sent)
end)

tap.test("features ecn: asked for and given towards this destination only", function(t)
  local host, peer = server "features ecn"
  host:sysctl("net.ipv4.tcp_ecn", "0")
  host:socket "tcp":listen(80)
  far(peer, "SEW 0:0(0) win 65535 <mss 1460>")
  t:is(expect_far(peer, { flags = "S.E" }).tcp.flags, "S.E")
  peer:send "SEW 0:0(0) win 65535 <mss 1460>"
  t:is(peer:expect(net.tcp{ flags = "S." }).tcp.flags, "S.")
end)

tap.test("congctl goes before the sysctl", { profile = "linux" }, function(t)
  local host, peer = server "congctl reno"
  t:is(host:sysctl "net.ipv4.tcp_congestion_control", "cubic")
  local client = host:socket("tcp", { nonblock = true })
  client:try("connect", "203.0.113.7", 4000)
  t:is(client:option("TCP_CONGESTION"):match "^%a+", "reno")
  expect_far(peer, { flags = "S" })
  t:like(select(2, pcall(host.ip, host, "route add 198.18.0.0/15 via 192.0.2.9 congctl vegas")), "ENOENT")
end)

tap.test("hoplimit", function(t)
  local host, peer = server "hoplimit 9"
  local s = host:socket "udp"
  s:sendto("x", "203.0.113.7", 9)
  t:is(peer:collect({ during = "1ms" })[1].ip.ttl, 9)
end)

tap.test("a locked MTU: no DF, and ICMP does not lower it", function(t)
  local host, peer = server "mtu lock 1000"
  local s = host:socket "udp"
  s:bind(7)
  s:sendto(("x"):rep(900), "203.0.113.7", 9)
  local sent = peer:collect({ during = "1ms" })[1]
  t:is(sent.ip.df, false)
  local quote = net.parse(sent:bytes():sub(15), "ip")
  peer:send(ip{ src = "192.0.2.9", dst = "192.0.2.1" } /
    icmp{ type = "dest-unreach", code = "frag-needed", mtu = 600 } / quote)
  net.sleep "1ms"
  s:sendto(("x"):rep(900), "203.0.113.7", 9)
  t:is(peer:collect({ during = "1ms" })[1].ip.len, 928)
end)

tap.test("all of it is shown", function(t)
  local host = server "advmss 1000 mtu lock 1400 initcwnd 5 rto_min 300 quickack 1 rtt 100ms features ecn congctl reno"
  t:is(host:ip "route":match "[^\n]*",
    "192.0.2.0/24 dev eth0 proto kernel scope link src 192.0.2.1 ")
  t:is(host:ip("route"):match "203[^\n]*",
    "203.0.113.0/24 via 192.0.2.9 dev eth0 mtu lock 1400 rtt 100ms advmss 1000 initcwnd 5 features ecn " ..
    "rto_min lock 300ms quickack 1 congctl reno ")
end)

tap.test("verbs", function(t)
  local host = net.host { addr = "192.0.2.1/24" }
  local function routes() return (host:ip("route"):gsub("192%.0%.2%.0/24[^\n]*\n", "")) end
  local function refused(words, errno)
    local ok, err = pcall(host.ip, host, words)
    t:is(ok, false, words)
    t:like(err, errno)
  end
  refused("route change 10.0.0.0/8 via 192.0.2.8", "ENOENT")
  host:ip "route replace 10.0.0.0/8 via 192.0.2.8"
  refused("route add 10.0.0.0/8 via 192.0.2.7", "EEXIST")
  host:ip "route add 10.0.0.0/8 via 192.0.2.7 metric 5"
  host:ip "route change 10.0.0.0/8 via 192.0.2.6 advmss 500"
  t:is(routes(), "10.0.0.0/8 via 192.0.2.6 dev eth0 advmss 500 \n10.0.0.0/8 via 192.0.2.7 dev eth0 metric 5 \n")
  host:ip "route append 10.0.0.0/8 via 192.0.2.5"
  host:ip "route prepend 10.0.0.0/8 via 192.0.2.4"
  t:is(routes(), "10.0.0.0/8 via 192.0.2.4 dev eth0 \n10.0.0.0/8 via 192.0.2.6 dev eth0 advmss 500 \n" ..
    "10.0.0.0/8 via 192.0.2.5 dev eth0 \n10.0.0.0/8 via 192.0.2.7 dev eth0 metric 5 \n")
  refused("route append 10.0.0.0/8 via 192.0.2.5", "EEXIST")
  host:ip "route del 10.0.0.0/8 via 192.0.2.6"
  host:ip "route del 10.0.0.0/8 metric 5"
  t:is(routes(), "10.0.0.0/8 via 192.0.2.4 dev eth0 \n10.0.0.0/8 via 192.0.2.5 dev eth0 \n")
  refused("route del 11.0.0.0/8", "route")
end)
