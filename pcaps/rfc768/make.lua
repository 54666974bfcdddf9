-- SPDX-License-Identifier: MIT
-- Captures of UDP (RFC 768, RFC 1122 4.1), made from the RFCs' rules.
local make = require "make"
local net = require "net"
local ip, icmp, udp = net.ip, net.icmp, net.udp

local host = { mac = "02:00:00:00:00:01", ip = "192.0.2.1", port = 7 }
local peer = { mac = "02:00:00:00:00:09", ip = "192.0.2.9", port = 5000 }
local ID = 65534

-- What the host's socket sends; identifications go on from ID, beyond 65535 too.
local function answer(n, text)
  return ip{ ttl = 64, df = true, id = ID + n & 0xffff } / udp{} / text
end

make.capture("upper", function(c)
  for i, text in ipairs { "hello", "", "odd", net.pattern(1, 1472) } do
    c:at(i .. "ms")
    c:send(peer, host, udp{} / text)
    c:send(host, peer, answer(i - 1, text:upper()))
  end
end)

-- A checksum of 0 says that there is none; any other must hold.
make.capture("checksum", function(c)
  c:send(peer, host, ip{} / udp{ checksum = 0 } / "none")
  c:send(host, peer, answer(0, "NONE"))
  c:at "1ms"
  c:send(peer, host, ip{} / udp{ checksum = 0x1234 } / "wrong")
  c:at "2ms"
  c:send(peer, host, ip{} / udp{} / "right")
  c:send(host, peer, answer(1, "RIGHT"))
end)

-- The sum of this datagram is 0 and goes out as 0xffff.
make.capture("all-ones", function(c)
  local plain = net.parse((ip{ src = host.ip, dst = peer.ip } / udp{ sport = 7, dport = 5000 } /
    "\0\0"):bytes(), "ip")
  local text = (">I2"):pack(plain.udp.checksum)
  c:send(peer, host, udp{} / text)
  c:send(host, peer, answer(0, text))
end)

-- The length of the header counts, not the packet's: what follows is no data. One that is longer
-- than the packet, or shorter than a header, is none.
make.capture("length", function(c)
  c:send(peer, host, ip{} / udp{ len = 10, checksum = 0 } / "hi and more")
  c:send(host, peer, answer(0, "HI"))
  c:at "1ms"
  c:send(peer, host, ip{} / udp{ len = 20, checksum = 0 } / "short")
  c:send(peer, host, ip{} / udp{ len = 7, checksum = 0 } / "shorter")
end)

make.capture("refused", function(c)
  local sent = ip{ src = host.ip, dst = peer.ip, ttl = 64, df = true, id = ID } /
    udp{ sport = 40000, dport = 5000 } / "hello"
  c:send(host, peer, sent)
  c:at "1ms"
  c:send(peer, host, ip{} / icmp{ type = "dest-unreach", code = "port", rest = 0 } /
    net.raw(sent:bytes()))
end)
