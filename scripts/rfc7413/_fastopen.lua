-- SPDX-License-Identifier: MIT
-- Hosts and peers for fast open. COOKIE: what the host at 192.0.2.1 makes for the peer at 192.0.2.9
-- under KEY is asked for with fastopen.cookie(), as a client does.
local net = require "net"

local fastopen = {}

fastopen.KEY = "00112233-44556677-8899aabb-ccddeeff"

local function host_and_peer(sysctl)
  local host = net.host { addr = "192.0.2.1/24", sysctl = sysctl }
  local peer = host.wire:peer { addr = "192.0.2.9", port = 4000 }
  host:neigh { addr = peer.addr, mac = peer.mac }
  return host, peer
end

-- A listener with TCP_FASTOPEN = qlen (nil: the option is not set). o.mode: net.ipv4.tcp_fastopen.
function fastopen.listener(qlen, o)
  o = o or {}
  local host, peer = host_and_peer { ["net.ipv4.tcp_fastopen"] = o.mode or 3,
    ["net.ipv4.tcp_fastopen_key"] = o.key or fastopen.KEY }
  local server = host:socket "tcp"
  if qlen then server:option("TCP_FASTOPEN", qlen) end
  server:listen(80, o.backlog)
  return host, peer:to(80), server
end

-- Asks for a cookie in the option (in the experimental one with exp), from a port of its own; hex.
function fastopen.cookie(peer, exp)
  local hex
  peer:fresh { port = 3999, to = 80 }
  peer:send(exp and "S 0:0(0) win 65535 <mss 1460,FOEXP>" or "S 0:0(0) win 65535 <mss 1460,FO>")
  local frame = peer:expect "S. 0:0(0) ack 1"
  for _, option in ipairs(frame.tcp.options) do
    if option[1] == (exp and "exp" or "fastopen") then
      hex = option.data:gsub(".", function(c) return ("%02x"):format(c:byte()) end)
      if exp then hex = hex:sub(5) end
    end
  end
  peer:send "R 1:1(0)"
  peer:fresh { port = 4000, to = 80 }
  return hex
end

-- A host that may use fast open as a client.
function fastopen.client(sysctl)
  sysctl = sysctl or {}
  sysctl["net.ipv4.tcp_timestamps"] = sysctl["net.ipv4.tcp_timestamps"] or 0
  return host_and_peer(sysctl)
end

-- The next connection to the peer, from whatever port.
local function again(peer)
  peer:fresh {}
  peer.to_port = nil
end

-- Has the host learn a cookie (hex) and an MSS from the peer.
function fastopen.learn(host, peer, cookie, mss)
  again(peer)
  local s = host:socket("tcp", { nonblock = true })
  s:try("sendto", "", "192.0.2.9", 4000, { flags = "fastopen" })
  peer:expect "S 0:0(0) <mss 1460,nop,nop,sackOK,nop,wscale 10,FO,nop,nop>"
  peer:send(("S. 0:0(0) ack 1 win 65535 <mss %d,nop,nop,sackOK,FO %s,nop,nop>"):format(mss or 1460, cookie))
  peer:expect ". 1:1(0) ack 1"
  s:option("SO_LINGER", { 1, 0 })
  s:close()
  peer:expect "R. 1:1(0) ack 1"
end

-- sendto(MSG_FASTOPEN) without waiting: the socket, bytes taken or nil, errno.
function fastopen.sendto(host, peer, data)
  again(peer)
  local s = host:socket("tcp", { nonblock = true })
  local n, err = s:try("sendto", data, "192.0.2.9", 4000, { flags = "fastopen" })
  return s, n, err
end

-- The IP header of a frame and eight bytes of what follows: what an ICMP error quotes.
function fastopen.quote(frame)
  return frame:bytes():sub(15, 42)
end

fastopen.again = again

return fastopen
