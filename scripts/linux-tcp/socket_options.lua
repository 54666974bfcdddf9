-- SPDX-License-Identifier: MIT
-- Options of sockets as Linux 6.18 takes and gives them; what is here was read off a kernel
-- (ci/linux-differential).
local tap = require "tap"
local net = require "net"
local tcp = require "suite.tcp"
local C = net.C

local function set(s, name, value) return select(2, s:try("option", name, value)) or 0 end
local function get(s, name, size)
  local value, err = s:try("option", name, nil, size)
  return err or value
end

local function bytes(n) return ("\1\0\0\0\0\0\0\0\0"):sub(1, n) end

-- Kept as a switch: any number is taken, 0 or 1 comes back.
for _, name in ipairs { "SO_DEBUG", "SO_WIFI_STATUS", "SO_NOFCS", "SO_SELECT_ERR_QUEUE", "SO_RCVMARK",
  "SO_RCVPRIORITY", "IP_PASSSEC", "IP_CHECKSUM", "IP_RECVFRAGSIZE", "UDP_NO_CHECK6_TX", "UDP_NO_CHECK6_RX" } do
  tap.test(name .. " is a switch", function(t)
    local s = net.host { up = false }:socket "udp"
    t:is(get(s, name), 0)
    for _, value in ipairs { -1, 1, 7 } do
      t:is(set(s, name, value), 0)
      t:is(get(s, name), 1)
    end
    s:option(name, 0)
    t:is(get(s, name), 0)
  end)
end

tap.test("switches of SOL_SOCKET need four bytes, those of SOL_IP none", function(t)
  local s = net.host { up = false }:socket "udp"
  for len = 0, 3 do t:is(set(s, "SO_DEBUG", bytes(len)), "EINVAL") end
  t:is(set(s, "SO_DEBUG", bytes(9)), 0)
  t:is(set(s, "SO_DETACH_FILTER", bytes(3)), "EINVAL")
  t:is(set(s, "SO_DETACH_FILTER", bytes(4)), "ENOENT")
  t:is(set(s, "IP_RECVTTL", bytes(1)), 0)
  t:is(get(s, "IP_RECVTTL"), 1)
  t:is(set(s, "IP_RECVTTL", ""), 0)
  t:is(get(s, "IP_RECVTTL"), 0)
  for _, name in ipairs { "IP_FREEBIND", "IP_TRANSPARENT", "IP_MINTTL", "IP_MULTICAST_LOOP", "IP_MULTICAST_ALL",
    "IP_TTL", "IP_MULTICAST_TTL" } do
    t:is(set(s, name, ""), "EINVAL", name)
  end
end)

tap.test("options of AF_UNIX, of nobody, of other levels: which error", function(t)
  local host = net.host { up = false }
  local s, v6 = host:socket "tcp", host:socket "tcp6"
  t:is({ set(s, "SO_PASSCRED", 1), get(s, "SO_PASSCRED") }, { "EOPNOTSUPP", "EOPNOTSUPP" })
  t:is({ set(s, { 1, 900 }, 1), get(s, { 1, 900 }) }, { "ENOPROTOOPT", "ENOPROTOOPT" })
  t:is(get(s, "SO_PEERGROUPS"), "ENODATA")
  t:is(get(s, "SO_PEERCRED"), "\0\0\0\0" .. ("\255"):rep(8))
  t:is({ set(s, "UDP_CORK", 1), get(s, "UDP_CORK") }, { "ENOPROTOOPT", "EOPNOTSUPP" })
  t:is({ set(s, { 12345, 1 }, 1), get(s, { 12345, 1 }) }, { "ENOPROTOOPT", "EOPNOTSUPP" })
  t:is({ set(v6, "UDP_CORK", 1), get(v6, "UDP_CORK") }, { "ENOPROTOOPT", "ENOPROTOOPT" })
  t:is(get(host:socket "udp", "TCP_NODELAY"), "EOPNOTSUPP")
end)

tap.test("SO_BUF_LOCK tells who sized the buffers, and sets it", function(t)
  local s = net.host { up = false }:socket "tcp"
  t:is(get(s, "SO_BUF_LOCK"), 0)
  s:option("SO_RCVBUF", 10000)
  t:is(get(s, "SO_BUF_LOCK"), 2)
  t:is(set(s, "SO_BUF_LOCK", 4), "EINVAL")
  t:is(set(s, "SO_BUF_LOCK", 1), 0)
  t:is(get(s, "SO_BUF_LOCK"), 1)
end)

tap.test("SO_RCVLOWAT of a stream: half of the largest buffer at most, and the buffer grows with it", function(t)
  local host = net.host { up = false }
  local s = host:socket "tcp"
  for _, value in ipairs { -1, 0x7fffffff, 1 << 30 } do
    s:option("SO_RCVLOWAT", value)
    t:is(get(s, "SO_RCVLOWAT"), 33554432 // 2)
  end
  t:ok(s:option "SO_RCVBUF" > 131072)
  s:option("SO_RCVLOWAT", 0)
  t:is(get(s, "SO_RCVLOWAT"), 1)
  local fixed = host:socket "tcp"
  fixed:option("SO_RCVBUF", 10000)
  fixed:option("SO_RCVLOWAT", 1 << 20)
  t:is({ get(fixed, "SO_RCVLOWAT"), get(fixed, "SO_RCVBUF") }, { 10000, 20000 })
  local udp = host:socket "udp"
  udp:option("SO_RCVLOWAT", -1)
  t:is(get(udp, "SO_RCVLOWAT"), 0x7fffffff)
end)

tap.test("SO_TIMESTAMPING is a structure of flags and a clock; a clock that is not there is refused", function(t)
  local s = net.host { up = false }:socket "udp"
  s:option("SO_TIMESTAMPING", C.SOF_TIMESTAMPING_SOFTWARE)
  t:is(get(s, "SO_TIMESTAMPING"), ("<I4I4"):pack(C.SOF_TIMESTAMPING_SOFTWARE, 0))
  t:is(set(s, "SO_TIMESTAMPING", 0x8000), "EOPNOTSUPP")
  t:is(get(s, "SO_TIMESTAMPING_NEW"), ("\0"):rep(8))
  s:option("SO_TIMESTAMPING_NEW", C.SOF_TIMESTAMPING_SOFTWARE)
  t:is(get(s, "SO_TIMESTAMPING_NEW"), get(s, "SO_TIMESTAMPING"))
end)

tap.test("SO_TIMESTAMP, _NS, _NEW: the last one holds", function(t)
  local s = net.host { up = false }:socket "udp"
  local function all()
    return { get(s, "SO_TIMESTAMP"), get(s, "SO_TIMESTAMPNS"), get(s, "SO_TIMESTAMP_NEW"), get(s, "SO_TIMESTAMPNS_NEW") }
  end
  s:option("SO_TIMESTAMP", 1)
  t:is(all(), { 1, 0, 0, 0 })
  s:option("SO_TIMESTAMPNS", 1)
  t:is(all(), { 0, 1, 0, 0 })
  s:option("SO_TIMESTAMP_NEW", 1)
  t:is(all(), { 0, 0, 1, 0 })
  s:option("SO_TIMESTAMPNS_NEW", 1)
  t:is(all(), { 0, 0, 1, 1 })
  s:option("SO_TIMESTAMP", 0)
  t:is(all(), { 0, 0, 0, 0 })
end)

tap.test("SO_PEERNAME: the peer's address, also while connecting; not more bytes than it has", function(t)
  local _, peer, client = tcp.connecting()
  local name = ("<I2>I2"):pack(2, peer.port) .. "\192\0\2\9" .. ("\0"):rep(8)
  t:is(get(client, "SO_PEERNAME", 16), name)
  t:is(get(client, "SO_PEERNAME", 6), name:sub(1, 6))
  t:is(get(client, "SO_PEERNAME", 17), "EINVAL")
  t:is(get(client.host:socket "tcp", "SO_PEERNAME", 16), "ENOTCONN")
  peer:expect("S 0:0(0)", { within = "1s" })
end)

tap.test("SO_BINDTOIFINDEX: the same as SO_BINDTODEVICE by number", function(t)
  local host = net.host { addr = "192.0.2.1/24" }
  local s = host:socket "udp"
  t:is(set(s, "SO_BINDTOIFINDEX", -1), "EINVAL")
  s:option("SO_BINDTODEVICE", "eth0\0")
  t:is(get(s, "SO_BINDTOIFINDEX"), host.nics[1].ifindex)
  s:option("SO_BINDTOIFINDEX", 0)
  t:is(get(s, "SO_BINDTODEVICE"), "")
end)

tap.test("SO_BINDTODEVICE while it connects: to where another socket of the same addresses and ports is bound",
  function(t)
    local host = net.host { addr = "192.0.2.1/24" }
    local second = host:nic { addr = "198.51.100.1/24" }
    local near = host.wire:peer { addr = "192.0.2.9", port = 80 }:to(7000)
    local far = second.wire:peer { addr = "192.0.2.9", port = 80 }:to(7000)
    host:ip "route add 192.0.2.9 dev eth1 metric 5"
    local s = {}
    for i, peer in ipairs { near, far } do
      s[i] = host:socket("tcp", { nonblock = true })
      s[i]:option("SO_BINDTODEVICE", i == 1 and "eth0" or "eth1")
      s[i]:bind("192.0.2.1", 7000)
      t:is(select(2, s[i]:try("connect", "192.0.2.9", 80)), "EINPROGRESS")
      peer:expect(net.ip { src = "192.0.2.1" } / net.tcp { sport = 7000, flags = "S" })
    end
    s[2]:option("SO_BINDTODEVICE", "eth0")
    net.sleep "100ms"
    far:expect_nothing { during = "5s" }
    t:is(#near:collect(), 10, "both try again by the first device, a second apart")
  end)

tap.test("SO_RCVMARK and SO_RCVPRIORITY: what netfilter marked and how it is queued comes with a datagram", function(t)
  local host = net.host { addr = "192.0.2.1/24" }
  local peer = host.wire:peer { addr = "192.0.2.9", port = 5000 }:to(7)
  host:iptables "-t mangle -A INPUT -j MARK --set-mark 42"
  local s = host:socket "udp"
  s:bind(7)
  s:option("SO_RCVMARK", 1)
  s:option("SO_RCVPRIORITY", 1)
  peer:send(net.udp {} / "x")
  local _, from = s:recv()
  t:is(from.cmsg, { SO_MARK = 42, SO_PRIORITY = 0 })
end)

tap.test("IP_RECVFRAGSIZE: the largest fragment of a datagram that came in pieces; not of streams", function(t)
  local host = net.host { addr = "192.0.2.1/24" }
  local peer = host.wire:peer { addr = "192.0.2.9", port = 5000 }:to(7)
  local s = host:socket "udp"
  s:bind(7)
  s:option("IP_RECVFRAGSIZE", 1)
  local whole = net.ip { src = peer.addr, dst = host.addr, id = 7 } / net.udp { sport = 5000, dport = 7 } /
    ("x"):rep(100)
  for _, piece in ipairs(net.fragments(whole, { 64 })) do peer:send(piece) end
  local data, from = s:recv()
  t:is({ #data, from.cmsg.IP_RECVFRAGSIZE }, { 100, 84 })
  peer:send(net.udp {} / "in one")
  t:is(select(2, s:recv()).cmsg.IP_RECVFRAGSIZE, nil)
  t:is(set(host:socket "tcp", "IP_RECVFRAGSIZE", 1), "EINVAL")
end)

tap.test("IP_UNICAST_IF: datagrams leave by that device, what is bound decides first", function(t)
  local host = net.host { addr = "192.0.2.1/24" }
  local second = host:nic { addr = "198.51.100.1/24" }
  host:route { dst = "203.0.113.0/24", dev = "eth0" }
  host:route { dst = "203.0.113.0/24", dev = "eth1", metric = 9 }
  local peer = second.wire:peer { addr = "203.0.113.5", port = 9 }
  local s = host:socket "udp"
  t:is(set(s, "IP_UNICAST_IF", (">I4"):pack(77)), "EADDRNOTAVAIL")
  t:is(set(s, "IP_UNICAST_IF", bytes(5)), "EINVAL")
  s:option("IP_UNICAST_IF", (">I4"):pack(second.ifindex))
  t:is((">I4"):unpack(("<i4"):pack(s:option "IP_UNICAST_IF")), second.ifindex)
  s:sendto("x", "203.0.113.5", 9)
  t:ok(peer:expect(net.udp {} / "x", { within = "1ms" }))
  local bound = host:socket "udp"
  bound:option("SO_BINDTODEVICE", "eth0\0")
  t:is(set(bound, "IP_UNICAST_IF", (">I4"):pack(second.ifindex)), "EINVAL")
end)

for _, kind in ipairs { "tcp", "udp" } do
  tap.test("IP_LOCAL_PORT_RANGE: the ports that " .. kind .. " may be given", function(t)
    local host = net.host { up = false, sysctl = { ["net.ipv4.ip_local_port_range"] = "32768 60999" } }
    local ports = {}
    for i = 1, 4 do
      local s = host:socket(kind)
      s:option("IP_LOCAL_PORT_RANGE", 40003 << 16 | 40000)
      s:bind "127.0.0.1:0"
      ports[i] = s:name().port
    end
    table.sort(ports)
    t:is(ports, { 40000, 40001, 40002, 40003 })
    local s = host:socket(kind)
    t:is(set(s, "IP_LOCAL_PORT_RANGE", 40000 << 16 | 40002), "EINVAL")
    s:option("IP_LOCAL_PORT_RANGE", 40003 << 16 | 40000)
    t:is(select(2, s:try("bind", "127.0.0.1:0")), "EADDRINUSE")
    s:option("IP_LOCAL_PORT_RANGE", 5 << 16 | 1)
    s:bind "127.0.0.1:0"
    t:ok(s:name().port >= 32768, "what lies outside the system's range does not count")
    t:is(s:option "IP_PROTOCOL", s:name().port)
  end)
end

tap.test("groups: EPROTO from a stream; MCAST_JOIN_GROUP by device", function(t)
  local host = net.host { addr = "192.0.2.1/24" }
  local stream, s = host:socket "tcp", host:socket "udp"
  t:is(set(stream, "IP_ADD_MEMBERSHIP", "\224\0\0\251\0\0\0\0"), "EPROTO")
  t:is(set(stream, "IP_MULTICAST_IF", ""), "EINVAL")
  local request = ("<I4I4"):pack(host.nics[1].ifindex, 0) .. "\2\0\0\0\239\1\2\3" .. ("\0"):rep(120)
  t:is(set(s, { 0, C.MCAST_JOIN_GROUP }, request:sub(1, 135)), "EINVAL")
  t:is(set(s, { 0, C.MCAST_JOIN_GROUP }, request), 0)
  t:is(set(s, { 0, C.MCAST_JOIN_GROUP }, request), "EADDRINUSE")
  local peer = host.wire:peer { addr = "192.0.2.9", port = 5000 }
  s:bind(7)
  host.wire:peer { addr = "239.1.2.3" }:collect { during = "2s" } -- what it tells of its membership
  peer:send(net.ip { dst = "239.1.2.3" } / net.udp { dport = 7 } / "to the group")
  t:is((s:recv()), "to the group")
  t:is(set(s, { 0, C.MCAST_LEAVE_GROUP }, request), 0)
  t:is(set(s, { 0, C.MCAST_LEAVE_GROUP }, request), "EADDRNOTAVAIL")
  host.wire:peer { addr = "224.0.0.2" }:collect { during = "2s" }
end)

tap.test("TCP_ULP: none is there; TCP_IS_MPTCP: it is not", function(t)
  local s = net.host { up = false }:socket "tcp"
  t:is(set(s, "TCP_ULP", "tls"), "ENOENT")
  t:is(set(s, "TCP_ULP", ""), "EINVAL")
  t:is(get(s, "TCP_ULP"), "")
  t:is(get(s, "TCP_IS_MPTCP"), 0)
end)

tap.test("TCP_WINDOW_CLAMP: what is too small, below 0 too, is half of the smallest buffer", function(t)
  local s = net.host { up = false }:socket "tcp"
  for _, value in ipairs { -2147483648, -1, 1, 1151 } do
    t:is(set(s, "TCP_WINDOW_CLAMP", value), 0)
    t:is(get(s, "TCP_WINDOW_CLAMP"), 1152)
  end
end)

tap.test("TCP_FASTOPEN_KEY gives the socket's own keys, not the namespace's", function(t)
  local s = net.host { up = false }:socket "tcp"
  s:option("TCP_FASTOPEN", 5)
  t:is(get(s, "TCP_FASTOPEN_KEY"), "")
  s:option("TCP_FASTOPEN_KEY", ("k"):rep(16))
  t:is(get(s, "TCP_FASTOPEN_KEY"), ("k"):rep(16))
end)

tap.test("IPV6_TCLASS of a stream: the two bits of ECN are not the user's", function(t)
  local s = net.host { up = false }:socket "tcp6"
  s:option("IPV6_TCLASS", 0xff)
  t:is(get(s, "IPV6_TCLASS"), 0xfc)
  t:is(set(s, "IPV6_TCLASS", 256), "EINVAL")
  t:is(get(s, "IP_MULTICAST_ALL"), 0)
end)

tap.test("IPV6_FREEBIND: an address that the host does not have yet", function(t)
  local s = net.host { up = false }:socket "tcp6"
  t:is(select(2, s:try("bind", "[2001:db8::77]:80")), "EADDRNOTAVAIL")
  s:option("IPV6_FREEBIND", 1)
  t:is({ s:option "IPV6_FREEBIND", s:option "IP_FREEBIND" }, { 1, 1 })
  t:ok(s:bind "[2001:db8::77]:80")
end)
