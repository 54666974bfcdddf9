-- SPDX-License-Identifier: MIT
-- Classic BPF filters on packet, UDP and TCP sockets (SO_ATTACH_FILTER): McCanne and Jacobson 1993,
-- Documentation/networking/filter.rst of Linux.
local tap = require "tap"
local net = require "net"
local eth, ip, udp, icmp, arp, raw = net.eth, net.ip, net.udp, net.icmp, net.arp, net.raw

-- What `tcpdump -dd 'udp port 7'` gives, but for IPv6.
local UDP_PORT_7 = [[
        ldh [12]
        jne #0x800, drop
        ldb [23]
        jne #17, drop
        ldh [20]
        jset #0x1fff, drop
        ldxb 4*([14]&0xf)
        ldh [x + 14]
        jeq #7, take
        ldh [x + 16]
        jne #7, drop
take:   ret #262144
drop:   ret #0
]]

local function setup(o)
  local host = net.host(o or { addr = "192.0.2.1/24" })
  local peer = host.wire:peer { addr = "192.0.2.9", port = 5000 }:to(7)
  host:neigh { addr = peer.addr, mac = peer.mac }
  return host, peer
end

local function count(s)
  local n = 0
  while s:try("recv", { flags = "dontwait" }) do n = n + 1 end
  return n
end

-- The number that a program leaves in A, of a frame to 88b5: as many bytes of it are kept.
local function value(host, peer, program, frame)
  local s = host:socket("packet", { dev = "eth0", protocol = 0x88b5, filter = program .. "\nret a" })
  peer:send(frame or eth { dst = host.mac, src = peer.mac, type = 0x88b5 } / raw(("x"):rep(1000)))
  net.sleep "1ms"
  local data = s:try("recv", { flags = "dontwait" })
  s:close()
  return data and #data or 0
end

tap.test("udp port 7, on a tap", function(t)
  local host, peer = setup()
  local s = host:socket("packet", { dev = "eth0", filter = UDP_PORT_7 })
  host:socket "udp":bind(7)
  peer:send(udp { dport = 7 } / "yes")
  peer:send(udp { sport = 7, dport = 7 } / "yes, both")
  peer:send(arp { op = "request" })
  peer:expect(arp { op = "reply" })
  peer:send(icmp { type = "echo", id = 1, seq = 1 })
  peer:expect(icmp { type = "echo-reply", id = 1, seq = 1 })
  t:is(count(s), 2)
  -- what a tap's filter refuses is no drop
  t:is(s:statistics(), { packets = 2, drops = 0 })
end)

tap.test("a filter says how many bytes are kept", function(t)
  local host, peer = setup()
  t:is(value(host, peer, "ld #100"), 100)
  t:is(value(host, peer, "ld #0"), 0)
  t:is(value(host, peer, "ld #70000"), 1014)
  t:is(value(host, peer, "ld len\nsub #14"), 1000)
end)

tap.test("arithmetic", function(t)
  local host, peer = setup()
  for program, result in pairs {
    ["ld #6\nmul #7"] = 42, ["ld #100\ndiv #7"] = 14, ["ld #100\nmod #7"] = 2, ["ld #12\nand #10"] = 8,
    ["ld #12\nor #3"] = 15, ["ld #12\nxor #10"] = 6, ["ld #3\nlsh #4"] = 48, ["ld #48\nrsh #2"] = 12,
    ["ld #1\nneg\nadd #11"] = 10, ["ld #5\ntax\nld #9\nadd x"] = 14, ["ld #5\ntax\nld #9\nsub x"] = 4,
    ["ldx #3\ntxa"] = 3, ["ld #9\nst M[3]\nld #1\nld M[3]"] = 9, ["ldx #8\nstx M[15]\nldx #0\nldx M[15]\ntxa"] = 8,
    ["ldx #2\nld #1\nlsh x"] = 4,
  } do
    t:is(value(host, peer, program), result, program)
  end
end)

tap.test("a division by X = 0 ends the program with 0", function(t)
  local host, peer = setup()
  t:is(value(host, peer, "ldx #0\nld #9\ndiv x\nld #50"), 0)
  t:is(value(host, peer, "ldx #0\nld #9\nmod x\nld #50"), 0)
end)

tap.test("a load beyond the packet ends the program with 0", function(t)
  local host, peer = setup()
  t:is(value(host, peer, "ld [2000]\nld #50"), 0)
  t:is(value(host, peer, "ldb [1013]\nld #50"), 50)
  t:is(value(host, peer, "ldh [1013]\nld #50"), 0)
  t:is(value(host, peer, "ldx #1000\nld [x + 12]\nld #50"), 0)
end)

tap.test("jumps, taken and not", function(t)
  local host, peer = setup()
  for op, want in pairs { ["jeq #5"] = 1, ["jne #5"] = 2, ["jgt #5"] = 2, ["jge #5"] = 1, ["jlt #6"] = 1,
    ["jle #4"] = 2, ["jset #4"] = 1, ["jset #2"] = 2 } do
    t:is(value(host, peer, ("ld #5\n%s, yes, no\nyes: ret #1\nno: ret #2\n"):format(op)), want, op)
  end
  t:is(value(host, peer, "ja over\nret #1\nover: ld #7"), 7)
end)

tap.test("what the kernel knows of a packet (SKF_AD_*)", function(t)
  local host, peer = setup()
  for program, result in pairs { ["ld proto\nsub #0x88b0"] = 5, ["ld ifidx"] = 2, ["ld hatype"] = 1,
    ["ld type\nadd #40"] = 40, ["ld vlan_avail\nadd #1"] = 1, ["ld cpu\nadd #9"] = 9, ["ld mark\nadd #3"] = 3,
    ["ld queue\nadd #8"] = 8, ["ld poff"] = 14 } do
    t:is(value(host, peer, program), result, program)
  end
  local tagged = eth { dst = host.mac, src = peer.mac } / net.vlan { id = 77, type = 0x88b5 } / raw(("x"):rep(500))
  t:is(value(host, peer, "ld vlan_tci", tagged), 77)
  t:is(value(host, peer, "ld vlan_tpid\nsub #0x80f0", tagged), 16)
  t:is(value(host, peer, "ld vlan_avail\nadd #1", tagged), 2)
end)

tap.test("offsets from the network and the link header (SKF_NET_OFF, SKF_LL_OFF)", function(t)
  local host, peer = setup()
  local s = host:socket("udp", { filter = "ldb [-0x100000]\nand #0xf0\njne #0x40, no\nldh [-0x1ffff4]\n" ..
    "jne #0x800, no\nret #-1\nno: ret #0" })
  s:bind(7)
  peer:send(udp {} / "hello")
  t:is((s:recv()), "hello")
end)

tap.test("programs that are refused", function(t)
  local host = setup()
  local s = host:socket "udp"
  for name, program in pairs {
    ["no RET at the end"] = "ld #1", ["division by 0"] = "ld #1\ndiv #0\nret a",
    ["a shift too far"] = "ld #1\nlsh #32\nret a", ["memory that was not written"] = "ld M[3]\nret a",
    ["not written on one way"] = "ld #1\njeq #1, a, b\na: st M[0]\nb: ld M[0]\nret a",
    ["an unknown load of the kernel's"] = "ld [-0xfff]\nret a",
  } do
    t:is(select(2, s:try("filter", program)), "EINVAL", name)
  end
  -- an instruction that is none, a jump out, memory that is not there
  for name, insns in pairs { code = { { 0xff, 0, 0, 0 }, { 6, 0, 0, 0 } }, jump = { { 0x15, 1, 0, 0 }, { 6, 0, 0, 0 } },
    far = { { 0x05, 0, 0, 9 }, { 6, 0, 0, 0 } }, memory = { { 0x02, 0, 0, 16 }, { 6, 0, 0, 0 } } } do
    t:is(select(2, s:try("filter", insns)), "EINVAL", name)
  end
  t:is(select(2, s:try("option", "SO_ATTACH_FILTER", "")), "EINVAL")
  t:error(function() s:filter "jeq #1, nowhere\nret #0" end, "there is no label 'nowhere'")
  t:error(function() s:filter "frobnicate #1\nret #0" end, "line 1: 'frobnicate #1' is not understood")
end)

tap.test("a UDP socket's filter sees the datagram from its header on; refused ones are counted", function(t)
  local host, peer = setup()
  local s = host:socket("udp", { filter = "ldb [8]\njeq #0x61, yes, no\nyes: ret #-1\nno: ret #0" })
  s:bind(7)
  local before = host:counters()
  peer:send(udp {} / "apple")
  peer:send(udp {} / "banana")
  peer:send(udp {} / "avocado")
  t:is({ (s:recv()), (s:recv()) }, { "apple", "avocado" })
  t:is(host:changes(before, "^Udp"), { UdpInDatagrams = 2, UdpInErrors = 1 })
  t:is(host:drops "SOCKET_FILTER", 1)
end)

tap.test("a UDP socket's filter can cut a datagram, but not its header", function(t)
  local host, peer = setup()
  local s = host:socket("udp", { filter = "ret #12" })
  s:bind(7)
  peer:send(udp {} / "hello")
  t:is((s:recv()), "hell")
  s:filter "ret #1"
  peer:send(udp {} / "hello")
  t:is((s:recv()), "")
end)

tap.test("goes wrong: a TCP listener that refuses a port never answers", function(t)
  local host, peer = setup()
  local server = host:socket "tcp"
  server:filter "ldh [0]\njeq #6666, no\nret #-1\nno: ret #0"
  server:listen(80)
  local bad = host.wire:peer { addr = "192.0.2.8", port = 6666 }:to(80)
  bad:send "S 0:0(0) win 65535 <mss 1460>"
  bad:expect_nothing { during = "3s" }
  t:is(host:drops "SOCKET_FILTER", 1)
  peer:to(80)
  peer:send "S 0:0(0) win 65535 <mss 1460>"
  peer:expect "S. 0:0(0) ack 1 <mss 1460>"
  peer:send ". 1:1(0) ack 1 win 65535"
  local conn = server:accept()
  -- a connection has the listener's filter
  t:is(#conn:option "SO_ATTACH_FILTER", 4 * 8)
end)

tap.test("SO_LOCK_FILTER: it stays, whoever wants otherwise", function(t)
  local host = setup()
  local s = host:socket("udp", { filter = "ret #-1" })
  s:option("SO_LOCK_FILTER", 1)
  t:is(s:option "SO_LOCK_FILTER", 1)
  t:is(select(2, s:try("filter", "ret #0")), "EPERM")
  t:is(select(2, s:try("filter", false)), "EPERM")
  t:is(select(2, s:try("option", "SO_LOCK_FILTER", 0)), "EPERM")
end)

tap.test("SO_DETACH_FILTER, and without one", function(t)
  local host, peer = setup()
  local s = host:socket("udp", { filter = "ret #0" })
  s:bind(7)
  peer:send(udp {} / "lost")
  net.sleep "1ms"
  s:filter(false)
  peer:send(udp {} / "heard")
  t:is((s:recv()), "heard")
  t:is(select(2, s:try("filter", false)), "ENOENT")
end)

tap.test("random loads come from the world's own generator", function(t)
  local host, peer = setup()
  local a = value(host, peer, "ld rand\nand #511\nadd #1")
  local b = value(host, peer, "ld rand\nand #511\nadd #1")
  t:ok(a > 0 and b > 0)
end)
