-- SPDX-License-Identifier: MIT
-- Each namespace has tables, connections and hooks of its own; a packet that crosses a veth is new
-- to the other side.
local tap = require "tap"
local net = require "net"

-- A host with a namespace behind a veth pair: 10.0.0.1 here, 10.0.0.2 in "blue".
local function pair()
  local host = net.host { addr = "192.0.2.1/24" }
  local blue = host:netns "blue"
  host:ip "link add v0 type veth peer name v1 netns blue"
  host:ip "addr add 10.0.0.1/24 dev v0"
  host:ip "link set v0 up"
  blue:ip "addr add 10.0.0.2/24 dev v1"
  blue:ip "link set v1 up"
  return host, blue
end

tap.test("rules of one namespace do not hold in the other", function(t)
  local host, blue = pair()
  local server, client = blue:socket "udp", host:socket "udp"
  server:bind(7)
  host:iptables "-A INPUT -j DROP"
  t:is(blue:iptables "-S INPUT", "-P INPUT ACCEPT\n")
  blue:iptables "-A INPUT -p udp --dport 7"
  client:sendto("x", "10.0.0.2", 7)
  t:is((server:recv()), "x")
  t:like(blue:iptables "-v -S INPUT 1", " %-c 1 29\n")
  server:sendto("back", "10.0.0.1", client:name().port)
  net.sleep "1ms"
  t:is({ host:drops "NETFILTER_DROP", blue:drops "NETFILTER_DROP" }, { 1, 0 })
end)

tap.test("both namespaces track the same packet, each as its own connection", function(t)
  local host, blue = pair()
  local server, client = blue:socket "udp", host:socket "udp"
  server:bind(7)
  host:iptables "-A OUTPUT -m conntrack --ctstate NEW"
  blue:iptables "-A INPUT -m conntrack --ctstate NEW"
  client:sendto("x", "10.0.0.2", 7)
  server:recv()
  t:like(host:conntrack "-L", "^udp +17 %d+ src=10.0.0.1 dst=10.0.0.2 ")
  t:like(blue:conntrack "-L", "^udp +17 %d+ src=10.0.0.1 dst=10.0.0.2 ")
  t:is(blue:conntrack "-F", 1)
  t:is({ host:conntrack "-C", blue:conntrack "-C" }, { "1\n", "0\n" })
end)

tap.test("a namespace that ends takes its tables, connections and held packets along", function(t)
  local host, blue = pair()
  local client = host:socket "udp"
  blue:iptables "-A INPUT -m conntrack --ctstate NEW"
  blue:hook("local_in", function() return "queue" end)
  client:sendto("x", "10.0.0.2", 7)
  net.sleep "1ms"
  t:is(blue:conntrack "-C", "1\n")
  host:ip "netns del blue"
  t:is(host:ip "netns list", "")
end)
