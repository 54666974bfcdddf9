-- SPDX-License-Identifier: MIT
-- Captures of TCP and what ICMP says about it (RFC 1122 4.2.3.9, RFC 5927, RFC 1191), made from their
-- rules.
local net = require "net"
local talk = require "suite.talk"
local icmp = net.icmp

local SYN = "S 0:0(0) win 64240 <mss 1460>"

-- The header of the segment that is quoted: identification and first octets as the host sent them.
local function quote(text, id, len)
  local segment = require "net.segment"
  local p = segment.outgoing({ isn = talk.host.isn, host_isn = talk.peer.isn }, text)
  p.ip.src, p.ip.dst, p.ip.ttl, p.ip.id, p.ip.df = talk.host.ip, talk.peer.ip, 64, id, true
  p.tcp.sport, p.tcp.dport = talk.host.port, talk.peer.port
  return net.parse(p:bytes():sub(1, len or 28), "ip")
end

-- Port unreachable for the SYN: the connection is refused.
talk.make("port-unreachable", function(c)
  c.host(SYN)
  c.at "10ms"
  c.send(icmp { type = "dest-unreach", code = "port" } / quote(SYN, 0x2000))
end)

-- Any of them in a connection changes nothing but what getsockopt(SO_ERROR) says.
talk.make("soft", function(c)
  talk.passive(c)
  c.at "10ms"
  c.host("P. 1:6(5) ack 1 win 64240", "hello")
  for _, code in ipairs { "port", "protocol", "host" } do
    c.send(icmp { type = "dest-unreach", code = code } / quote("P. 1:6(5) ack 1", 0x2000))
  end
  c.at "20ms"
  c.peer ". 1:1(0) ack 6"
  c.at "30ms"
  c.host("P. 6:11(5) ack 1 win 64240", "world")
  c.peer ". 1:1(0) ack 11"
end)

-- RFC 5927 4.1: the number that is quoted must be one in flight.
talk.make("wrong-number", function(c)
  c.host(SYN)
  c.at "10ms"
  c.send(icmp { type = "dest-unreach", code = "port" } / quote("S 77:77(0)", 0x2000))
  c.at "20ms"
  c.peer "S. 0:0(0) ack 1 win 65535 <mss 1460>"
  c.host ". 1:1(0) ack 1 win 64240"
end)

-- RFC 1191 3: a router's MTU is 1000: what was too big goes again at once, in smaller segments.
talk.make("too-big", function(c)
  talk.passive(c)
  c.at "10ms"
  c.host("P. 1:1461(1460) ack 1 win 64240")
  c.at "20ms"
  c.send(icmp { type = "dest-unreach", code = "frag-needed", mtu = 1000 } / quote("P. 1:1461(1460) ack 1", 0x2000))
  c.host ". 1:961(960) ack 1 win 64240"
  c.host "P. 961:1461(500) ack 1 win 64240"
  c.at "30ms"
  c.peer ". 1:1(0) ack 1461"
end)

-- RFC 6633: Source Quench says nothing any more.
talk.make("quench", function(c)
  talk.passive(c)
  c.at "10ms"
  c.host("P. 1:1461(1460) ack 1 win 64240")
  c.send(icmp { type = 4, code = 0 } / quote("P. 1:1461(1460) ack 1", 0x2000))
  c.at "20ms"
  c.host("P. 1461:2921(1460) ack 1 win 64240")
  c.at "30ms"
  c.peer ". 1:1(0) ack 2921"
end)

-- 4.2.3.10: a SYN that was sent to many is never answered.
talk.make("syn-to-many", function(c)
  c.peer("S 0:0(0) win 65535 <mss 1460>", nil, { dst = "192.0.2.255" })
  c.peer("S 0:0(0) win 65535 <mss 1460>", nil, { dst = "224.0.0.1" })
end)
