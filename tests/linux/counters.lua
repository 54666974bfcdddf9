-- SPDX-License-Identifier: MIT
-- What is counted: the changes of /proc/net/snmp, netstat, snmp6 and of the loopback's statistics over
-- an exchange; and that there is every counter.
local info = require "info"

local function parse(text)
  local counters, names = {}, nil
  for name, value in text:gmatch "(%w+6%w+)%s+(%d+)\n" do counters[name] = tonumber(value) end
  for line in text:gmatch "[^\n]+" do
    local group, rest = line:match "^(%w+): (.*)$"
    if rest and rest:find "^%a" then
      names = {}
      for name in rest:gmatch "%S+" do names[#names + 1] = group .. name end
    elseif rest then
      local i = 0
      for value in rest:gmatch "%S+" do
        i = i + 1
        counters[names[i]] = tonumber(value)
      end
    end
  end
  return counters
end

return function(w)
  local C = w.C
  w.sysctl("net.ipv6.conf.default.disable_ipv6", 1) -- a kernel's devices look for neighbours and routers
  w.black_hole()

  local function read()
    local all = {}
    for _, path in ipairs { "/proc/net/snmp", "/proc/net/netstat", "/proc/net/snmp6" } do
      for name, value in pairs(parse(w.proc(path))) do all[name] = value end
    end
    local list = {}
    for number in w.proc("/proc/net/dev"):match "lo:([^\n]+)":gmatch "%d+" do list[#list + 1] = tonumber(number) end
    all.lo_bytes, all.lo_packets = list[1], list[2]
    return all
  end

  local function count(title, f)
    local before = read()
    f()
    w.settle()
    local after, changes = read(), {}
    for name, value in pairs(after) do
      -- Gauges; what hangs on how long the machine took; what a kernel sends of itself.
      if value ~= (before[name] or 0) and name ~= "TcpCurrEstab" and not name:find "MPTcp" and
        not name:find "^Icmp6" and not name:find "Mcast" then
        changes[#changes + 1] = name .. "=" .. value - (before[name] or 0)
      end
    end
    table.sort(changes)
    for _, change in ipairs(changes) do
      local name, value = change:match "^(.-)=(.*)$"
      w.emit(title .. ": " .. name, value)
    end
  end

  local a, b, listener
  local function linger(fd) w.set(fd, 1, 13, w.int(1) .. w.int(0)) end

  count("connect and accept", function() a, b, listener = w.pair() end)
  count("five bytes", function()
    w.send(a, "hello")
    w.settle()
  end)
  count("read", function() w.recv(b, 10) end)
  count("a delayed ACK", function() w.sleep(100000000) end)
  count("an answer at once", function()
    w.send(a, "ping")
    w.settle()
    w.recv(b, 10)
    w.send(b, "pong")
    w.settle()
  end)
  count("urgent", function()
    w.send(a, "!", C.MSG_OOB)
    w.sleep(100000000) -- acknowledged, or the FIN could be probed for
  end)
  count("half closed", function()
    w.outcome("shutdown", { fd = a, arg0 = 1 })
    w.sleep(100000000)
  end)
  count("closed", function()
    w.close(b)
    w.settle()
    w.close(a)
    w.sleep(100000000)
  end)
  w.close(listener)

  count("refused", function() w.close((function()
    local fd = w.tcp()
    w.connect(fd, w.LOOPBACK, 1)
    return fd
  end)()) end)
  count("SO_LINGER 0", function()
    a, b, listener = w.pair()
    linger(a)
    w.close(a)
    w.settle()
    w.recv(b, 1)
    w.close(b)
    w.close(listener)
  end)
  count("closed with data unread", function()
    a, b, listener = w.pair()
    w.send(a, "unread")
    w.settle()
    w.close(b)
    w.settle()
    w.close(a)
    w.close(listener)
  end)
  count("data behind close", function()
    a, b, listener = w.pair()
    w.close(b)
    w.sleep(100000000) -- the ACK of the FIN is delayed, and goes with the data where that comes first
    w.send(a, "late")
    w.settle()
    w.close(a)
    w.close(listener)
  end)
  count("disconnect", function()
    a, b, listener = w.pair()
    w.disconnect(a)
    w.settle()
    for _, fd in ipairs { a, b, listener } do w.close(fd) end
  end)
  count("a listener goes, and who was not accepted", function()
    local fd, port = w.listener()
    local c = w.tcp()
    w.connect(c, w.LOOPBACK, port)
    w.settle()
    w.close(fd)
    w.settle()
    w.close(c)
  end)
  count("a full backlog", function()
    local fd, port = w.listener(nil, 1)
    local fds = { fd }
    for i = 1, 4 do
      fds[i + 1] = w.tcp()
      w.connect(fds[i + 1], w.LOOPBACK, port)
      w.settle()
    end
    for _, one in ipairs(fds) do w.close(one) end
  end)
  count("a SYN to nobody", function()
    local fd = w.tcp()
    w.connect(fd, w.NOBODY, 80)
    w.settle()
    w.close(fd)
  end)
  count("a SYN again and again", function()
    local fd = w.tcp()
    w.connect(fd, w.NOBODY, 80)
    w.sleep(1100000000)
    w.emit("after a SYN's time-out", info(w, fd))
    w.disconnect(fd)
    w.emit("after a SYN's time-out, disconnected", info(w, fd))
    w.close(fd)
  end)
  count("a SYN again, SO_TXREHASH 0", function()
    local fd = w.tcp()
    w.set(fd, C.SOL_SOCKET, 74, 0)
    w.connect(fd, w.NOBODY, 80)
    w.sleep(1100000000)
    w.emit("after a time-out, SO_TXREHASH 0", info(w, fd))
    w.disconnect(fd)
    w.emit("after a time-out, disconnected", info(w, fd))
    w.close(fd)
  end)
  count("no route", function()
    local fd = w.tcp()
    w.connect(fd, "\10\9\8\7", 80)
    w.close(fd)
  end)
  count("simultaneous close", function()
    a, b, listener = w.pair()
    w.outcome("shutdown", { fd = a, arg0 = 1 })
    w.outcome("shutdown", { fd = b, arg0 = 1 })
    w.sleep(100000000)
    for _, fd in ipairs { a, b, listener } do w.close(fd) end
  end)
  count("to itself", function()
    local fd = w.tcp()
    w.bind(fd, w.LOOPBACK, 7000)
    w.connect(fd, w.LOOPBACK, 7000)
    w.settle()
    w.send(fd, "me")
    w.sleep(100000000)
    linger(fd)
    w.close(fd)
  end)

  -- UDP -----------------------------------------------------------------------------------------
  local u, v = w.udp(), w.udp()
  w.bind(u, w.LOOPBACK, 5000)
  local function to(port, data, addr)
    return w.outcome("sendmsg", { fd = v, data = data, addr = addr or w.LOOPBACK, port = port })
  end
  count("a datagram", function() to(5000, "x") end)
  count("read it", function() w.recv(u, 10) end)
  count("to a closed port", function() to(1, "x") end)
  count("fragments", function() to(5000, ("x"):rep(65507 - 0)) end)
  count("too long", function() to(5000, ("x"):rep(65508)) end)
  count("a full buffer", function()
    w.set(u, 1, 8, 1)
    w.recv(u, 70000)
    for _ = 1, 3 do to(5000, ("x"):rep(4000)) end
  end)
  count("no route for a datagram", function() to(5000, "x", "\10\9\8\7") end)
  count("broadcast", function()
    w.set(v, 1, 6, 1)
    to(5000, "x", "\127\255\255\255")
  end)
  count("a group", function() to(5000, "x", "\224\0\0\251") end)

  -- IPv6 ----------------------------------------------------------------------------------------
  local listening = w.tcp6()
  w.bind(listening, w.LOOPBACK6, 7001)
  w.outcome("listen", { fd = listening, arg0 = 5 })
  local client = w.tcp6()
  count("connect over IPv6", function() w.connect(client, w.LOOPBACK6, 7001) end)
  count("five bytes over IPv6", function() w.send(client, "hello") end)
  count("refused over IPv6", function() w.connect(w.tcp6(), w.LOOPBACK6, 1) end)
  count("no route over IPv6", function() w.connect(w.tcp6(), "\32\1\13\184" .. ("\0"):rep(11) .. "\1", 1) end)

  -- All that there are, in their order.
  for _, group in ipairs { "Ip", "Icmp", "Tcp", "Udp", "TcpExt", "IpExt" } do
    w.emit("names of " .. group, (w.proc "/proc/net/snmp" .. w.proc "/proc/net/netstat"):match("%f[%w]" .. group .. ": (%a[^\n]*)"))
  end
  for _, group in ipairs { "Ip", "Icmp", "Udp" } do
    local names = {}
    for name in w.proc "/proc/net/snmp6":gmatch("%f[%w]" .. group .. "6(%a+)") do
      if not name:find "Type" then names[#names + 1] = name end
    end
    w.emit("names of " .. group .. "6", table.concat(names, " "))
  end
end
