-- SPDX-License-Identifier: MIT
-- Every socket option, in every kind and state of a socket: what it is at first, which lengths and
-- values it takes, what it is afterwards.
local names = require "option_names"

local VALUES = { -2147483648, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 15, 16, 63, 64, 87, 88, 127, 128, 254, 255, 256,
  536, 999, 1000, 1023, 1024, 2303, 2304, 4607, 4608, 32767, 32768, 65535, 65536, 100000, 120000, 120001,
  212992, 10000000, 1073741823, 1073741824, 2147483647 }

-- Makes a socket of the kind and state that a part is named after; what else has to be closed.
local makers = {}

makers["tcp-closed"] = function(w) return w.tcp() end
makers["tcp6-closed"] = function(w) return w.tcp6() end
makers["tcp-listening"] = function(w) return (w.listener()) end
makers["udp"] = function(w) return w.udp() end

makers["tcp-connecting"] = function(w)
  local fd = w.tcp()
  w.connect(fd, w.NOBODY, 80)
  return fd
end

makers["tcp-connected"] = function(w)
  local client, server, listener = w.pair()
  return client, { server, listener }
end

makers["tcp-close-wait"] = function(w)
  local client, server, listener = w.pair()
  w.close(server)
  w.settle()
  return client, { listener }
end

-- Those that a station holds a connection in (connection.lua): its names there.
local HELD = { ["tcp-syn-recv"] = "SYN_RECV_SOCK", ["tcp-fin-wait-1"] = "FIN_WAIT1", ["tcp-fin-wait-2"] = "FIN_WAIT2",
  ["tcp-closing"] = "CLOSING", ["tcp-last-ack"] = "LAST_ACK", ["tcp-time-wait"] = "TIME_WAIT", ["tcp-reset"] = "UNREAD",
  ["tcp-listening-request"] = "SYN_RECV" }

local function hold(w, part)
  local new, state = require "connection" (w)
  return function()
    local c = new(true)
    state[HELD[part]](c)
    if part == "tcp-reset" then c:send("R", c.rcv_nxt) end
    c:take()
    return c.fd or c.listener, { c.fd and c.listener }
  end
end

return function(w, part)
  w.black_hole()
  local make = makers[part] or makers[(part:gsub("^tcp6", "tcp"))] or hold(w, part)
  if part:find "^tcp6" then w.use_ipv6() end

  -- Calls f with a new socket.
  local function with_fresh(f)
    local fd, others = make(w)
    f(fd)
    w.close(fd)
    for _, other in ipairs(others or {}) do w.close(other) end
  end

  for _, option in ipairs(names) do
    local name, level, number, note = table.unpack(option)
    local function say(what, results) w.emit(name .. ": " .. what, table.concat(results, " ")) end

    with_fresh(function(fd)
      local got, taken = {}, {}
      for _, size in ipairs { 0, 1, 2, 3, 4, 5, 8, 16, 64 } do
        got[#got + 1] = size .. "=" .. w.get(fd, level, number, size)
      end
      if note ~= "volatile" then say("get by size", got) end
      for len = 0, 9 do
        local value = ("\1\0\0\0\0\0\0\0\0"):sub(1, len)
        taken[#taken + 1] = len .. "=" .. w.set(fd, level, number, value)
      end
      say("set by length", taken)
    end)

    with_fresh(function(fd)
      local set, got = {}, {}
      for _, value in ipairs(VALUES) do
        set[#set + 1] = value .. "=" .. w.set(fd, level, number, value)
        got[#got + 1] = value .. "=" .. w.get(fd, level, number, 16)
      end
      say("set", set)
      if note ~= "volatile" then say("get after set", got) end
    end)
  end
end
