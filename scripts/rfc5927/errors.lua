-- SPDX-License-Identifier: MIT
-- ICMP errors about TCP connections (RFC 1122 4.2.3.9, RFC 5927, RFC 1191, RFC 6633).
local tap = require "tap"
local net = require "net"
local tcp = require "suite.tcp"
local ip, icmp = net.ip, net.icmp

-- An error about a segment that the host sent.
local function quote(frame) return net.parse(frame:bytes():sub(15, 14 + 28), "ip") end

local function tell(peer, kind, code, frame, fields)
  local message = { type = kind, code = code, rest = 0 }
  for key, value in pairs(fields or {}) do
    message.rest = nil
    message[key] = value
  end
  peer:send(icmp(message) / quote(frame))
end

local function sending()
  local host, peer, conn = tcp.passive { rtt = 400 }
  conn:option("TCP_NODELAY", 1)
  conn:send "hello"
  return host, peer, conn, peer:expect "P. 1:6(5) ack 1"
end

-- The quoted segment with other numbers.
local function with_seq(frame, change)
  local other = frame:clone()
  other.tcp.seq = other.tcp.seq + change & 0xffffffff
  other.tcp.checksum = nil
  return other
end

for _, soft in ipairs { { "dest-unreach", "net" }, { "dest-unreach", "host" },
  { "dest-unreach", 5 }, { "time-exceeded", 0 }, { "param-problem", 0 } } do
  tap.test(("established: %s %s does not end it, and is told at the end"):format(soft[1], soft[2]),
    function(t)
      local _, peer, conn, frame = sending()
      tell(peer, soft[1], soft[2], frame)
      net.sleep "1ms"
      t:shows("RFC9293-MUST-56", t:is(conn:info().state, "ESTABLISHED"))
      peer:send ". 1:1(0) ack 6"
      peer:expect_nothing { during = "10s" }
    end)

  local kind = soft[1] .. " " .. soft[2]
  local function opening()
    local host, peer, client = tcp.connecting()
    peer:fresh {}
    tell(peer, soft[1], soft[2], peer:expect("S 0:0(0)", { at = "+1s" }))
    net.sleep "1ms"
    return host, peer, client
  end

  tap.test(("profile rfc: SYN-SENT: %s is a hint"):format(kind), { profile = "rfc" }, function(t)
    local _, peer, client = opening()
    t:is(client:info().state, "SYN_SENT")
    peer:send "S. 0:0(0) ack 1 win 65535 <mss 1460>"
    peer:expect(". 1:1(0) ack 1")
    t:shows("RFC9293-MUST-56", t:is(client:info().state, "ESTABLISHED"))
  end)

  tap.test(("profile linux: SYN-SENT: %s ends it"):format(kind), { profile = "linux" }, function(t)
    local _, _, client = opening()
    t:is(client:info().state, "CLOSE")
    t:ok(client:option "SO_ERROR" ~= 0)
  end)
end

for _, hard in ipairs { "protocol", "port" } do
  tap.test(("established: %s unreachable is no more than a hint"):format(hard), function(t)
    local _, peer, conn, frame = sending()
    tell(peer, "dest-unreach", hard, frame)
    net.sleep "1ms"
    t:shows("RFC5927-5.2-1", t:is(conn:info().state, "ESTABLISHED"))
    peer:send "P. 1:6(5) ack 6"
    peer:expect ". 6:6(0) ack 6"
    t:is(tcp.got(conn), net.pattern(1, 5))
  end)

  tap.test(("SYN-SENT: %s unreachable ends it with ECONNREFUSED"):format(hard), function(t)
    local host = net.host { addr = "192.0.2.1/24" }
    local peer = host.wire:peer { addr = "192.0.2.9", port = 4000 }
    host:neigh { addr = peer.addr, mac = peer.mac }
    local client = host:socket("tcp", { nonblock = true })
    client:try("connect", "192.0.2.9", 4000)
    tell(peer, "dest-unreach", hard, peer:expect "S 0:0(0)")
    net.sleep "1ms"
    t:shows("RFC9293-SHLD-26", t:is(client:option "SO_ERROR",
      hard == "port" and net.C.ECONNREFUSED or net.C.ENOPROTOOPT))
    peer:expect_nothing { during = "5s" }
  end)
end

tap.test("an error about a number that is not on the way is ignored", function(t)
  local host, peer, conn, frame = sending()
  conn:option("IP_RECVERR", 1)
  for _, change in ipairs { -1, 6, 100000, 1 << 31 } do
    tell(peer, "dest-unreach", "port", with_seq(frame, change))
  end
  net.sleep "1ms"
  t:shows("RFC5927-4.1-1", t:is(conn:option "SO_ERROR", 0))
  t:ok(host:counter "TcpExtOutOfWindowIcmps" >= 3)
end)

tap.test("with IP_RECVERR an error that is a hint is told at once", function(t)
  local _, peer, conn, frame = sending()
  conn:option("IP_RECVERR", 1)
  tell(peer, "dest-unreach", "host", frame)
  net.sleep "1ms"
  t:shows("RFC9293-MUST-47", t:shows("RFC9293-SHLD-25", t:is(conn:option "SO_ERROR", net.C.EHOSTUNREACH)))
  t:shows("RFC9293-MUST-54", t:is(conn:info().state, "ESTABLISHED"))
end)

tap.test("source quench is ignored", function(t)
  local _, peer, conn, frame = sending()
  local before = conn:info().snd_cwnd
  tell(peer, "source-quench", 0, frame)
  net.sleep "1ms"
  t:shows("RFC9293-MUST-55", t:shows("RFC6633-3-3", t:is(conn:info().snd_cwnd, before)))
end)

tap.test("too big: the segment comes again at once, in pieces that fit", function(t)
  local _, peer, conn = tcp.passive { rtt = 400 }
  conn:option("TCP_NODELAY", 1)
  conn:send(net.pattern(1, 1460))
  local frame = peer:expect "P. 1:1461(1460) ack 1"
  local before = conn:info().snd_cwnd
  tell(peer, "dest-unreach", "frag-needed", frame, { mtu = 1000 })
  t:shows("RFC1191-6.4-1", peer:expect ". 1:961(960) ack 1")
  t:shows("RFC1191-3-1", peer:expect "P. 961:1461(500) ack 1")
  t:ok(conn:info().snd_cwnd >= before - 1)
end)

tap.test("too big, about what was acknowledged already: nothing", function(t)
  local _, peer, conn, frame = sending()
  peer:send ". 1:1(0) ack 6"
  net.sleep "1ms"
  tell(peer, "dest-unreach", "frag-needed", frame, { mtu = 600 })
  net.sleep "1ms"
  conn:send(net.pattern(1, 1460))
  t:shows("RFC5927-7.2-1", peer:expect "P. 6:1466(1460) ack 1")
end)

tap.test("too big, of an MTU that is no smaller: nothing", function(t)
  local _, peer, conn = tcp.passive { rtt = 400 }
  conn:send(net.pattern(1, 1460))
  local frame = peer:expect "P. 1:1461(1460) ack 1"
  tell(peer, "dest-unreach", "frag-needed", frame, { mtu = 1600 })
  t:shows("RFC1191-3-6", peer:expect_nothing { during = "1s" })
end)
