-- SPDX-License-Identifier: MIT
-- Every call in every state of a socket: what it returns, the poll mask and SO_ERROR behind it.
local info = require "info"

local CLOSE, FIN_WAIT2 = 7, 5

-- The part "ipv6": the same over IPv6, without those that a station holds.
return function(w, part)
  local C = w.C
  w.black_hole()
  if part == "ipv6" then w.use_ipv6() end

  local function rst_pair(...)
    local client, server, listener = w.pair(...)
    w.set(server, C.SOL_SOCKET, 13, w.int(1) .. w.int(0)) -- SO_LINGER: close() resets
    w.close(server)
    w.settle()
    return client, listener
  end

  -- Makes a socket in a state; what else has to be closed behind it.
  local states = {
    { "udp", function() return w.udp() end },
    { "udp bound", function()
      local fd = w.udp()
      w.bind(fd, w.LOOPBACK, 0)
      return fd
    end },
    { "udp connected", function()
      local fd = w.udp()
      w.connect(fd, w.LOOPBACK, 9)
      return fd
    end },
    { "tcp", function() return w.tcp() end },
    { "tcp6", function() return w.tcp6() end },
    { "bound", function()
      local fd = w.tcp()
      w.bind(fd, w.LOOPBACK, 0)
      return fd
    end },
    { "listening", function() return (w.listener()) end },
    { "listening with one", function()
      local fd, port = w.listener()
      local client = w.tcp()
      w.connect(client, w.LOOPBACK, port)
      w.settle()
      return fd, client
    end },
    { "connecting", function()
      local fd = w.tcp()
      w.connect(fd, w.NOBODY, 80)
      return fd
    end },
    { "refused", function()
      local fd = w.tcp()
      w.connect(fd, w.LOOPBACK, 1)
      w.settle()
      return fd
    end },
    { "established", function() return w.pair() end },
    { "established with data", function()
      local client, server, listener = w.pair()
      w.send(server, "hello")
      w.settle()
      return client, server, listener
    end },
    { "close-wait", function()
      local client, server, listener = w.pair()
      w.close(server)
      w.settle()
      return client, listener
    end },
    { "close-wait with data", function()
      local client, server, listener = w.pair()
      w.send(server, "hello")
      w.close(server)
      w.settle()
      return client, listener
    end },
    { "reset", rst_pair },
    { "fin-wait-2", function()
      local client, server, listener = w.pair()
      w.outcome("shutdown", { fd = client, arg0 = 1 })
      w.await_state(client, FIN_WAIT2)
      return client, server, listener
    end },
    { "shut for reading", function()
      local client, server, listener = w.pair()
      w.outcome("shutdown", { fd = client, arg0 = 0 })
      w.settle()
      return client, server, listener
    end },
    { "both shut", function()
      local client, server, listener = w.pair()
      w.outcome("shutdown", { fd = client, arg0 = 2 })
      w.await_state(client, FIN_WAIT2)
      return client, server, listener
    end },
    { "closed by both", function()
      local client, server, listener = w.pair()
      w.outcome("shutdown", { fd = client, arg0 = 1 })
      w.close(server)
      w.await_state(client, CLOSE)
      return client, listener
    end },
    { "last-ack, told", function()
      local client, server, listener = w.pair()
      w.close(server)
      w.settle()
      w.outcome("shutdown", { fd = client, arg0 = 1 })
      w.await_state(client, CLOSE)
      return client, listener
    end },
  }

  -- Those that a station holds a connection in.
  local new, wire_state = nil, {}
  if part ~= "ipv6" then new, wire_state = require "connection" (w) end
  for _, name in ipairs(part == "ipv6" and {} or { "SYN_RECV", "SYN_SENT", "SYN_RECV_SOCK", "UNREAD", "UNACKED", "GAP", "FIN_WAIT1", "FIN_WAIT2",
    "CLOSING", "TIME_WAIT", "CLOSE_WAIT", "LAST_ACK", "SHUT_RD", "RESET" }) do
    states[#states + 1] = { name, function()
      local c = new(true)
      if name == "RESET" then
        wire_state.UNREAD(c)
        c:send("R", c.rcv_nxt)
      else
        wire_state[name](c)
      end
      c:take()
      return c.fd or c.listener, c.fd and c.listener
    end }
  end

  local function io(fd, request) return w.outcome("ioctl", { fd = fd, arg0 = request }) end

  local function names(fd)
    local own = w.name("getsockname", fd)
    local peer = w.name("getpeername", fd)
    return own .. " " .. peer
  end

  local calls = {
    { "nothing", function() return "" end },
    { "send", function(fd) return w.send(fd, "x") end },
    { "send nothing", function(fd) return w.send(fd, "") end },
    { "send MSG_OOB", function(fd) return w.send(fd, "x", C.MSG_OOB) end },
    { "send MSG_FASTOPEN", function(fd) return w.send(fd, "x", C.MSG_FASTOPEN) end },
    { "sendto", function(fd)
      return w.outcome("sendmsg", { fd = fd, data = "x", addr = w.LOOPBACK, port = 9, arg0 = C.MSG_NOSIGNAL })
    end },
    { "sendto port 0", function(fd)
      return w.outcome("sendmsg", { fd = fd, data = "x", addr = w.LOOPBACK, port = 0, arg0 = C.MSG_NOSIGNAL })
    end },
    { "recv", function(fd) return w.recv(fd, 10) end },
    { "recv of 0", function(fd) return w.recv(fd, 0) end },
    { "recv MSG_PEEK", function(fd) return w.recv(fd, 3, C.MSG_PEEK) end },
    { "recv MSG_OOB", function(fd) return w.recv(fd, 10, C.MSG_OOB) end },
    { "recv MSG_ERRQUEUE", function(fd) return w.recv(fd, 10, C.MSG_ERRQUEUE) end },
    { "recv MSG_TRUNC", function(fd) return w.recv(fd, 3, C.MSG_TRUNC) end },
    { "recv MSG_WAITALL", function(fd) return w.recv(fd, 5, C.MSG_WAITALL) end },
    { "accept", function(fd)
      local result, err = w.sys("accept", { fd = fd, arg0 = C.NONBLOCK })
      if not result then return err end
      w.close(result.ret)
      return "taken"
    end },
    { "accept with a wrong flag", function(fd) return w.outcome("accept", { fd = fd, arg0 = 1 }) end },
    { "listen", function(fd) return w.outcome("listen", { fd = fd, arg0 = 5 }) end },
    { "bind", function(fd) return w.bind(fd, w.LOOPBACK, 0) end },
    { "bind to an address that is not here", function(fd) return w.bind(fd, "\10\9\8\7", 0) end },
    { "bind AF_INET6", function(fd) return w.bind(fd, w.LOOPBACK6, 0) end },
    { "bind AF_UNSPEC any", function(fd)
      return w.outcome("bind", { fd = fd, addr = w.ANY, port = 0, family = 0 })
    end },
    { "bind AF_UNSPEC loopback", function(fd)
      return w.outcome("bind", { fd = fd, addr = w.LOOPBACK, port = 0, family = 0 })
    end },
    { "connect", function(fd) return w.connect(fd, w.LOOPBACK, 1) end },
    { "connect twice", function(fd)
      return w.connect(fd, w.LOOPBACK, 1) .. " " .. w.connect(fd, w.LOOPBACK, 1)
    end },
    { "connect later again", function(fd)
      local first = w.connect(fd, w.LOOPBACK, 1)
      w.settle()
      local second = w.connect(fd, w.LOOPBACK, 1)
      w.settle()
      return first .. " " .. second .. " " .. w.connect(fd, w.LOOPBACK, 1)
    end },
    { "connect any", function(fd) return w.connect(fd, w.ANY, 1) end },
    { "connect to port 0", function(fd) return w.connect(fd, w.LOOPBACK, 0) end },
    { "connect to a group", function(fd) return w.connect(fd, "\224\0\0\251", 1) end },
    { "connect broadcast", function(fd) return w.connect(fd, "\255\255\255\255", 1) end },
    { "connect unreachable", function(fd) return w.connect(fd, "\10\9\8\7", 1) end },
    { "connect AF_INET6", function(fd) return w.connect(fd, w.LOOPBACK6, 1) end },
    { "connect a family of nobody", function(fd)
      return w.outcome("connect", { fd = fd, addr = w.LOOPBACK, port = 1, family = 77 })
    end },
    { "disconnect", function(fd) return w.disconnect(fd) end },
    { "disconnect twice", function(fd) return w.disconnect(fd) .. " " .. w.disconnect(fd) end },
    { "disconnect, connect", function(fd)
      return w.disconnect(fd) .. " " .. w.connect(fd, w.LOOPBACK, 1)
    end },
    { "disconnect, names", function(fd) return w.disconnect(fd) .. " " .. names(fd) end },
    { "names", names },
    { "shutdown rd", function(fd) return w.outcome("shutdown", { fd = fd, arg0 = 0 }) end },
    { "shutdown wr", function(fd) return w.outcome("shutdown", { fd = fd, arg0 = 1 }) end },
    { "shutdown rdwr", function(fd) return w.outcome("shutdown", { fd = fd, arg0 = 2 }) end },
    { "shutdown 3", function(fd) return w.outcome("shutdown", { fd = fd, arg0 = 3 }) end },
    { "shutdown rd, recv", function(fd)
      return w.outcome("shutdown", { fd = fd, arg0 = 0 }) .. " " .. w.recv(fd, 10)
    end },
    { "shutdown wr, send", function(fd)
      return w.outcome("shutdown", { fd = fd, arg0 = 1 }) .. " " .. w.send(fd, "x") .. " " .. w.send(fd, "x")
    end },
    { "shutdown wr, connect", function(fd)
      return w.outcome("shutdown", { fd = fd, arg0 = 1 }) .. " " .. w.connect(fd, w.LOOPBACK, 1)
    end },
    { "send, then again", function(fd)
      local first = w.send(fd, "x")
      w.settle()
      local second = w.send(fd, "x")
      w.settle()
      return first .. " " .. second .. " " .. w.send(fd, "x")
    end },
    { "send, then recv", function(fd)
      local first = w.send(fd, "x")
      w.settle()
      return first .. " " .. w.recv(fd, 10) .. " " .. w.recv(fd, 10)
    end },
    { "send, then SO_ERROR twice", function(fd)
      local first = w.send(fd, "x")
      w.settle()
      return first .. " " .. w.get(fd, 1, 4) .. " " .. w.get(fd, 1, 4)
    end },
    { "FIONREAD", function(fd) return io(fd, C.FIONREAD) end },
    { "SIOCOUTQ", function(fd) return io(fd, C.SIOCOUTQ) end },
    { "SIOCOUTQNSD", function(fd) return io(fd, C.SIOCOUTQNSD) end },
    { "SIOCATMARK", function(fd) return io(fd, C.SIOCATMARK) end },
    { "an ioctl of nobody", function(fd) return io(fd, 0x1234) end },
    { "TCP_INFO of nothing", function(fd) return w.get(fd, C.SOL_TCP, 11, 0) end },
    { "tcpi_state", function(fd) return w.get(fd, C.SOL_TCP, 11, 1) end },
    { "SO_ERROR twice", function(fd) return w.get(fd, 1, 4) .. " " .. w.get(fd, 1, 4) end },
    -- Of what is sent again soon the counts hang on how long the machine takes.
    { "TCP_INFO", function(fd, state)
      if state == "UNACKED" then return "" end
      w.sleep(60000000) -- delayed ACKs have gone
      return info(w, fd, "flags")
    end },
    { "epoll", function(fd)
      local ep = w.must("epoll_create", {}).ret
      w.outcome("epoll_ctl", { fd = ep, arg0 = 1, arg1 = fd, data = ("<I4I8"):pack(0x20ff, 7) })
      local got = w.must("epoll_wait", { fd = ep, arg0 = 8, size = 96, timeout = 0 })
      w.close(ep)
      return got.ret > 0 and w.events((("<I4"):unpack(got.data))) or "-"
    end },
  }

  for _, state in ipairs(states) do
    for _, call in ipairs(calls) do
      local made = table.pack(state[2]())
      local fd = made[1]
      local before = call[1] == "nothing" and "" or call[2](fd, state[1])
      local now = w.poll(fd)
      w.settle()
      w.emit(state[1] .. ": " .. call[1], ("%s; %s; later %s; error %s"):format(before, now, w.poll(fd),
        w.get(fd, 1, 4)))
      for _, other in ipairs(made) do
        if wire_state[state[1]] then w.set(other, C.SOL_SOCKET, 13, w.int(1) .. w.int(0)) end
        w.close(other)
      end
    end
  end
end
