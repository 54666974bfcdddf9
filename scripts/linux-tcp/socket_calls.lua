-- SPDX-License-Identifier: MIT
-- Calls on sockets in states where they are seldom made, as Linux 6.18 answers them (read off a kernel
-- by ci/linux-differential).
local tap = require "tap"
local net = require "net"
local C = net.C

local function pair(host)
  local listener = host:socket "tcp":listen(8080)
  local client = host:socket("tcp", { nonblock = true })
  client:try("connect", "127.0.0.1", 8080)
  net.sleep("1ms")
  return client, listener:accept(), listener
end

tap.test("SIOCOUTQNSD: what has not been sent yet; a listener has none", function(t)
  local host = net.host { up = false }
  local client, server, listener = pair(host)
  t:is(host:socket "tcp":ioctl(C.SIOCOUTQNSD), 0)
  t:is(select(2, listener:try("ioctl", C.SIOCOUTQNSD)), "EINVAL")
  server:option("SO_RCVBUF", 4096)
  while client:try("send", ("x"):rep(65536)) do end
  local queued, unsent = client:ioctl(C.SIOCOUTQ), client:ioctl(C.SIOCOUTQNSD)
  t:ok(unsent > 0 and unsent <= queued)
  t:is(unsent, client:info().notsent_bytes)
end)

tap.test("an AF_INET6 socket and an address of AF_INET: EINVAL, as it is too short", function(t)
  local s = net.host { up = false }:socket "tcp6"
  t:is(select(2, s:try("bind", "127.0.0.1:80")), "EINVAL")
  t:is(select(2, s:try("connect", "127.0.0.1", 80)), "EINVAL")
end)

tap.test("epoll: errors are told to who asked for nothing; a one-shot that was told is silent", function(t)
  local host = net.host { up = false }
  local client, server = pair(host)
  local epoll = host:epoll()
  epoll:add(client, "")
  t:is(epoll:wait(0), {})
  server:option("SO_LINGER", { 1, 0 })
  server:close()
  net.sleep("1ms")
  local ready = epoll:wait(0)
  t:is(#ready, 1)
  t:is(ready[1].events, { err = true, hup = true })
  epoll:mod(client, "in oneshot")
  t:is(#epoll:wait(0), 1)
  t:is(#epoll:wait(0), 0)
  epoll:close()
end)

tap.test("epoll: EPOLLEXCLUSIVE goes with edges, not with one-shots, and can not be changed", function(t)
  local host = net.host { up = false }
  local client = pair(host)
  local e = host:syscall("epoll_create", {}).ret
  local function ctl(op, events)
    return select(2, host:syscall("epoll_ctl", { fd = e, arg0 = op, arg1 = client.fd, data = ("<I4I8"):pack(events, 1) }))
  end
  t:is(ctl(1, 1 | 1 << 28 | 1 << 30), "EINVAL")
  t:is(ctl(1, 1 | 1 << 28 | 1 << 31), nil)
  t:is(ctl(3, 1), "EINVAL")
  host:syscall("close", { fd = e })
end)

tap.test("IP_LOCAL_PORT_RANGE: connect() uses all of an odd range", function(t)
  local host = net.host { up = false, sysctl = { ["net.ipv4.ip_local_port_range"] = "32768 60999" } }
  host:socket "tcp":listen(8080)
  local ports = {}
  for i = 1, 3 do
    local s = host:socket "tcp"
    s:option("IP_LOCAL_PORT_RANGE", 40002 << 16 | 40000)
    s:connect("127.0.0.1", 8080)
    ports[i] = s:name().port
  end
  table.sort(ports)
  t:is(ports, { 40000, 40001, 40002 })
  local s = host:socket "tcp"
  s:option("IP_LOCAL_PORT_RANGE", 40002 << 16 | 40000)
  t:is(select(2, s:try("connect", "127.0.0.1", 8080)), "EADDRNOTAVAIL")
end)

tap.test("SO_PRIORITY of one datagram, and with a TOS of its own", function(t)
  local host = net.host { addr = "192.0.2.1/24" }
  local s = host:socket "udp"
  s:bind(7)
  s:option("SO_RCVPRIORITY", 1)
  for _, case in ipairs { { { SO_PRIORITY = 5 }, 5 }, { { IP_TOS = 8 }, 2 }, { {}, 3 } } do
    s:option("SO_PRIORITY", 3)
    s:sendto("x", "127.0.0.1", 7, { control = case[1] })
    net.sleep("1ms")
    t:is(select(2, s:recv()).cmsg.SO_PRIORITY, case[2])
  end
end)
