-- SPDX-License-Identifier: MIT
-- TCP MD5 signatures: digests checked by the script library (net.tcp_md5), and what is
-- answered without a connection's socket. Expectations are those of Linux 6.18.
local tap = require "tap"
local net = require "net"
local auth = require "suite.auth"

local KEY = "secret"

local function listen(o)
  o = o or {}
  local host, peer = auth.station(o)
  local server = host:socket(o.ipv6 and "tcp6" or "tcp")
  server:option("TCP_MD5SIG", { addr = peer.addr, key = KEY })
  server:listen(o.port or 80)
  return host, peer:to(80):auth(net.tcp_md5(KEY)), server
end

local function passive(o)
  local host, peer, server = listen(o)
  peer:send(("S 0:0(0) win 65535 <%s>"):format(o and o.syn or "mss 1000"))
  peer:expect "S. 0:0(0) ack 1"
  peer:send(". 1:1(0) ack 1 win 65535" .. (o and o.third or ""))
  net.sleep "1ms"
  return host, peer, server:accept()
end

local STAMPS = { syn = "mss 1000,TS val 1 ecr 0", third = " <nop,nop,TS val 2 ecr 0>" }

for _, ipv6 in ipairs { false, true } do
  local family = ipv6 and "IPv6" or "IPv4"

  tap.test("every segment of a connection has a good digest, " .. family, function(t)
    local host, peer, server = listen { ipv6 = ipv6 }
    peer:send "S 0:0(0) win 65535 <mss 1000>"
    t:ok((peer:verify(peer:expect "S. 0:0(0) ack 1")))
    peer:send ". 1:1(0) ack 1 win 65535"
    net.sleep "1ms"
    local conn = server:accept()
    conn:send(("x"):rep(1200))
    -- The option takes 20 of the 1000 bytes.
    t:ok((peer:verify(peer:expect ". 1:981(980) ack 1")))
    t:shows("RFC2385-2.0-1", t:ok((peer:verify(peer:expect "P. 981:1201(220) ack 1"))))
    peer:send "F. 1:1(0) ack 1201 win 65535"
    t:ok((peer:verify(peer:expect(". 1201:1201(0) ack 2", { within = "100ms" }))))
    conn:close()
    t:ok((peer:verify(peer:expect "F. 1201:1201(0) ack 2")))
    t:is(host:counter "TcpExtTCPMD5Failure", 0)
  end)

  tap.test("the reset of a connection, and one of a listener, are signed, " .. family, function(t)
    local _, peer, conn = passive { ipv6 = ipv6 }
    peer:send "P. 1:11(10) ack 1 win 65535"
    peer:expect ". 1:1(0) ack 11"
    conn:close()
    t:ok((peer:verify(peer:expect "R. 1:1(0) ack 11")))
    peer:fresh { port = 4001 }
    peer:send ". 1:1(0) ack 1 win 65535"
    local frame = peer:collect { during = "1ms" }[1]
    t:is(frame.tcp.flags, "R")
    t:ok((peer:verify(frame)))
  end)

  -- The host was the active side and has forgotten: a listener at the peer's port has the key.
  tap.test("no socket: a signed segment gets a signed reset when a listener at its source port has the key, " .. family,
    function(t)
      local host, peer = listen { ipv6 = ipv6, port = 4000 }
      peer:to(5000):send ". 1:1(0) ack 1 win 65535"
      local frame = peer:collect { during = "1ms" }[1]
      t:is({ frame.tcp.flags, frame.tcp.sport, frame.tcp.dport }, { "R", 5000, 4000 })
      t:ok((peer:verify(frame)))
      t:is(host:counter "TcpOutRsts", 1)
    end)

  tap.test("no socket: signed with another key, or no listener there: no reset, " .. family, function(t)
    local host, peer = listen { ipv6 = ipv6, port = 4000 }
    peer:to(5000):auth(net.tcp_md5 "other")
    peer:send ". 1:1(0) ack 1 win 65535"
    t:shows("RFC2385-2.0-3", t:is(peer:collect { during = "10ms" }, {}))
    peer:fresh { port = 4001, to = 5000 }:auth(net.tcp_md5(KEY))
    peer:send ". 1:1(0) ack 1 win 65535"
    t:is(peer:collect { during = "10ms" }, {})
    t:is(host:counter "TcpOutRsts", 0)
  end)

  tap.test("no socket: an unsigned segment gets an unsigned reset, " .. family, function(t)
    local _, peer = listen { ipv6 = ipv6, port = 4000 }
    peer:to(5000):send(". 1:1(0) ack 1 win 65535", { auth = false })
    t:is(peer:collect { during = "1ms" }[1].tcp.options, {})
  end)

  tap.test("a request's ACK: the digest stands behind the time stamp, " .. family, function(t)
    local _, peer = listen { ipv6 = ipv6 }
    peer:send "S 0:0(0) win 65535 <mss 1000,TS val 1 ecr 0>"
    peer:expect "S. 0:0(0) ack 1"
    peer:send ". 900000:900000(0) ack 1 win 65535 <nop,nop,TS val 2 ecr 0>"
    local frame = peer:expect ". 1:1(0) ack 1"
    t:ok((peer:verify(frame)))
    t:is({ frame.tcp.options[3][1], frame.tcp.options[6][1] }, { "ts", "md5" })
  end)

  tap.test("TIME-WAIT: the digest stands behind the time stamp, " .. family, function(t)
    local _, peer, conn = passive { ipv6 = ipv6, syn = STAMPS.syn, third = STAMPS.third }
    conn:close()
    peer:expect "F. 1:1(0) ack 1"
    peer:send "F. 1:1(0) ack 2 win 65535 <nop,nop,TS val 3 ecr 0>"
    t:ok((peer:verify(peer:expect ". 2:2(0) ack 2")))
    net.sleep "1s"
    peer:send "F. 1:1(0) ack 2 win 65535 <nop,nop,TS val 4 ecr 0>"
    local frame = peer:expect ". 2:2(0) ack 2"
    t:ok((peer:verify(frame)))
    t:is({ frame.tcp.options[3][1], frame.tcp.options[6][1] }, { "ts", "md5" })
  end)
end

tap.test("FIN-WAIT-2 without a socket: signed data gets no reset, as no listener is at the peer's port", function(t)
  local _, peer, conn = passive()
  conn:close()
  peer:expect "F. 1:1(0) ack 1"
  peer:send ". 1:1(0) ack 2 win 65535"
  net.sleep "1ms"
  peer:send "P. 1:11(10) ack 2 win 65535"
  t:is(peer:collect { during = "10ms" }, {})
end)

tap.test("a wrong ACK for a request: the reset is signed", function(t)
  local _, peer = listen()
  peer:send "S 0:0(0) win 65535 <mss 1000>"
  peer:expect "S. 0:0(0) ack 1"
  peer:send ". 1:1(0) ack 77 win 65535"
  t:ok((peer:verify(peer:expect "R 77:77(0)")))
end)

tap.test("two digests, or one of a wrong length: dropped", function(t)
  local host, peer, conn = passive()
  local md5 = { "md5", data = ("x"):rep(16) }
  for i, options in ipairs { { md5, md5 }, { { "md5", data = ("x"):rep(15) }, "nop", "nop", "nop" } } do
    local packet = peer:segment "P. 1:11(10) ack 1 win 65535"
    packet.tcp.options = options
    peer:send(packet, { auth = false })
    t:shows("RFC2385-2.0-3", t:is(peer:collect { during = "10ms" }, {}))
    t:is(host:drops "TCP_AUTH_HDR", i)
  end
  t:is(select(2, conn:try("recv", { flags = "dontwait" })), "EAGAIN")
end)
