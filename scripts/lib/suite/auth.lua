-- SPDX-License-Identifier: MIT
-- Signed connections, for the suites of scripts/ that are about TCP-AO and TCP MD5 (not part of the
-- documented library). The peer checks and signs by net.tcp_ao, which shares no code with the stack.
local net = require "net"
local suite = require "suite.tcp"

local auth = {}

local PEER4, PEER6 = "192.0.2.9", "2001:db8::9"

-- Every frame that arrives is to be signed: the next one that is expected.
function auth.expect(t, peer, text, options)
  local frame = peer:expect(text, options)
  t:ok((peer:verify(frame)), "signed: " .. text)
  return frame
end

-- A host and a peer at 192.0.2.9 (o.ipv6: 2001:db8::9).
function auth.station(o)
  local host
  if o.ipv6 then
    host = net.host { addr = "2001:db8::1/64", model = "tun", sysctl = o.sysctl }
  else
    host = net.host { addr = "192.0.2.1/24", sysctl = o.sysctl, mtu = o.mtu }
  end
  suite.constants(host, o.sysctl)
  local peer = host.wire:peer { addr = o.ipv6 and PEER6 or PEER4, port = 4000, isn = o.isn }
  if not o.ipv6 then host:neigh { addr = peer.addr, mac = peer.mac } end
  return host, peer
end

-- Both sides' key: what the peer sends with, the host receives with. Extra fields are the host's.
function auth.key(peer, o)
  o = o or {}
  local key = { key = o.key or "secret", alg = o.alg, maclen = o.maclen, exclude_options = o.exclude_options }
  key.sndid, key.rcvid = o.peer_sends or 7, o.host_sends or 5
  peer:auth(net.tcp_ao(key))
  local mkt = {}
  for name, value in pairs(key) do mkt[name] = value end
  mkt.addr, mkt.sndid, mkt.rcvid = o.addr or peer.addr, key.rcvid, key.sndid
  return mkt
end

-- A listener with the key, and a peer for it.
function auth.listen(o)
  o = o or {}
  local host, peer = auth.station(o)
  local server = host:socket(o.ipv6 and "tcp6" or "tcp")
  server:option("TCP_AO_ADD_KEY", auth.key(peer, o))
  server:listen(80)
  return host, peer:to(80), server
end

-- A connection that the peer opened.
function auth.passive(o)
  o = o or {}
  local host, peer, server = auth.listen(o)
  peer:send(("S 0:0(0) win 65535 <%s>"):format(o.syn or "mss 1000"))
  peer:expect "S. 0:0(0) ack 1"
  peer:send ". 1:1(0) ack 1 win 65535"
  net.sleep "1ms"
  return host, peer, server:accept(), server
end

-- One that the host opens: the socket, its connect() called.
function auth.connecting(o)
  o = o or {}
  local host, peer = auth.station(o)
  local s = host:socket(o.ipv6 and "tcp6" or "tcp", { nonblock = true })
  s:option("TCP_AO_ADD_KEY", auth.key(peer, o))
  s:try("connect", peer.addr, 4000)
  return host, peer, s
end

function auth.active(o)
  local host, peer, s = auth.connecting(o)
  peer:expect "S 0:0(0)"
  peer:send(("S. 0:0(0) ack 1 win 65535 <%s>"):format(o and o.syn or "mss 1000"))
  peer:expect ". 1:1(0) ack 1"
  return host, peer, s
end

-- Two hosts with a key for each other, a listener's and a client's; o.a, o.b: further fields of them.
function auth.pair(o)
  o = o or {}
  local a = net.host { addr = "192.0.2.1/24", sysctl = o.sysctl }
  local b = net.host { addr = "192.0.2.2/24", wire = a.wire, sysctl = o.sysctl }
  local function with(s, addr, more)
    local key = { addr = addr, key = "secret" }
    for name, value in pairs(more or {}) do key[name] = value end
    s:option("TCP_AO_ADD_KEY", key)
    return s
  end
  local server = with(a:socket "tcp", "192.0.2.2", o.a)
  server:listen(179)
  local client = with(b:socket("tcp", { nonblock = true }), "192.0.2.1", o.b)
  client:try("connect", "192.0.2.1", 179)
  net.sleep(o.wait or "100ms")
  return a, b, server, client
end

return auth
