-- SPDX-License-Identifier: MIT
-- Busy polling (SO_BUSY_POLL): a call that would sleep looks for its packets itself; the interrupt,
-- moderated or not, need not come first.
local tap = require "tap"
local net = require "net"
local C = net.C

-- A card whose interrupts come at most once in 1 ms; the first frame has just had its one.
local function station(o)
  o = o or {}
  local host = net.host { addr = "192.0.2.1/24", model = o.model, queues = o.queues, cpus = o.cpus }
  local peer = host.wire:peer { addr = "192.0.2.9", port = 4000 }:to(7)
  host:neigh { addr = peer.addr, mac = peer.mac }
  host:ethtool { rx_usecs = o.usecs or 1000, napi_defer_hard_irqs = o.defer, gro_flush_timeout = o.timeout }
  local socket = host:socket "udp"
  socket:bind(7)
  for name, value in pairs(o.options or {}) do socket:option(name, value) end
  peer:send(net.udp{} / "first")
  socket:recv()
  return host, peer, socket
end

-- A datagram that comes 100 us after the call began: how long after it came the call returned, in ns.
local function latency(t, peer, socket)
  local came
  net.spawn(function()
    net.sleep "100us"
    peer:send(net.udp{} / "second")
    came = net.now() + 1000 -- the wire's delay
  end)
  t:is((socket:recv()), "second")
  return net.now() - came
end

for _, model in ipairs { "ring", "virtio" } do
  tap.test(model .. ": the interrupt is late; a call that polls has the datagram within a microsecond", function(t)
    local host, peer, socket = station { model = model }
    local l = latency(t, peer, socket)
    t:ok(l > 500000, l)
    t:is(host:counter "TcpExtBusyPollRxPackets", 0)
    host, peer, socket = station { model = model, options = { SO_BUSY_POLL = 200 } }
    t:ok(latency(t, peer, socket) <= 1000)
    t:is(host:counter "TcpExtBusyPollRxPackets", 1)
    t:is(host:counter "eth0.rx_missed_errors", 0)
  end)

  tap.test(model .. ": the time is over before it comes: the interrupt it is", function(t)
    local host, peer, socket = station { model = model, options = { SO_BUSY_POLL = 50 } }
    local l = latency(t, peer, socket)
    t:ok(l > 500000, l)
    t:is(host:counter "TcpExtBusyPollRxPackets", 0)
  end)
end

tap.test("a call that may not wait looks once", function(t)
  local host, peer, socket = station { options = { SO_BUSY_POLL = 50 } }
  t:is(select(2, socket:try("recv", { flags = "dontwait" })), "EAGAIN")
  peer:send(net.udp{} / "x")
  net.sleep "10us"
  t:is((socket:recv { flags = "dontwait" }), "x")
  t:is(host:counter "TcpExtBusyPollRxPackets", 1)
end)

tap.test("TCP: the same", function(t)
  local host = net.host { addr = "192.0.2.1/24" }
  local peer = host.wire:peer { addr = "192.0.2.9", port = 4000 }:to(80)
  host:neigh { addr = peer.addr, mac = peer.mac }
  local server = host:socket "tcp":listen(80)
  peer:send "S 0:0(0) win 65535 <mss 1000>"
  peer:expect "S. 0:0(0) ack 1"
  peer:send ". 1:1(0) ack 1 win 65535"
  local conn = server:accept()
  conn:option("SO_BUSY_POLL", 200)
  host:ethtool { rx_usecs = 1000 }
  peer:send "P. 1:6(5) ack 1 win 65535"
  t:is((conn:recv()), "\x21\x22\x23\x24\x25")
  net.spawn(function()
    net.sleep "100us"
    peer:send "P. 6:7(1) ack 1 win 65535"
  end)
  local begun = net.now()
  t:is(#(conn:recv()), 1)
  t:ok(net.now() - begun <= 102000, net.now() - begun)
  t:is(host:counter "TcpExtBusyPollRxPackets", 2)
  peer:collect { during = "1s" }
end)

tap.test("SO_PREFER_BUSY_POLL: with napi_defer_hard_irqs the interrupt stays off between looks", function(t)
  local function interrupts(prefer)
    local host, peer, socket = station { usecs = 0, defer = 10, timeout = 200000,
      options = { SO_BUSY_POLL = 100, SO_PREFER_BUSY_POLL = prefer, SO_BUSY_POLL_BUDGET = 16 } }
    local before = host:counter "eth0.queue_0_irqs"
    for i = 1, 20 do
      net.spawn(function()
        net.sleep "20us"
        peer:send(net.udp{} / "x")
      end)
      t:is((socket:recv()), "x")
    end
    return host:counter "eth0.queue_0_irqs" - before
  end
  t:is(interrupts(1), 0)
end)

tap.test("SO_INCOMING_NAPI_ID: which queue a socket's packets come by; 0 before", function(t)
  local host = net.host { addr = "192.0.2.1/24", model = "ring", queues = 2 }
  local peer = host.wire:peer { addr = "192.0.2.9", port = 4000 }:to(7)
  host:neigh { addr = peer.addr, mac = peer.mac }
  host:ethtool { rss_indir = { 1 } }
  local socket = host:socket "udp"
  socket:bind(7)
  socket:connect(peer.addr, 4000)
  socket:option("SO_BUSY_POLL", 10)
  t:is(socket:option "SO_INCOMING_NAPI_ID", 0)
  peer:send(net.udp{} / "x")
  socket:recv()
  local second = socket:option "SO_INCOMING_NAPI_ID"
  host:ethtool { rss_indir = { 0 } }
  peer:send(net.udp{} / "x")
  socket:recv()
  t:is(second - socket:option "SO_INCOMING_NAPI_ID", 1)
  t:ok(second > 8192)
end)

tap.test("the options: what they take", function(t)
  local socket = net.host {}:socket "udp"
  local function set(name, v) return select(2, socket:try("option", name, v)) end
  t:is(set("SO_BUSY_POLL", -1), "EINVAL")
  t:is(set("SO_BUSY_POLL_BUDGET", 65536), "EINVAL")
  t:is(set("SO_INCOMING_NAPI_ID", 1), "ENOPROTOOPT")
  socket:option("SO_BUSY_POLL", 70)
  socket:option("SO_PREFER_BUSY_POLL", 2)
  t:is({ socket:option "SO_BUSY_POLL", socket:option "SO_PREFER_BUSY_POLL" }, { 70, 1 })
  local host = net.host { sysctl = { ["net.core.busy_read"] = 30 } }
  t:is(host:socket "tcp":option "SO_BUSY_POLL", 30)
end)

tap.test("what a user sees: polling costs the CPU, packet or not: each look is a poll", function(t)
  local host, peer, socket = station { options = { SO_BUSY_POLL = 100 } }
  host:cost { poll = "3us" }
  local before = host:counter "eth0.queue_0_polls"
  socket:option("SO_RCVTIMEO", "10ms")
  t:is(select(2, socket:try("recv")), "EAGAIN")
  local looks = (host:counter "eth0.queue_0_polls" - before) // 2
  t:ok(looks > 5 and looks < 25, ("%d looks of 100 us"):format(looks))
end)
