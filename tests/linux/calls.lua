-- SPDX-License-Identifier: MIT
-- What the sequences are written with: the calls of a world, their constants, scenes.
--
-- A world has: side, sys(name, fields), sleep(ns), emit(id, result), command(words), proc(path),
-- sysctl(name [, value]), sysctls(). clock() in ns; tun() makes a device, tun0, that inject(packet) and take()
-- are the wire of. An id is printed once; the result is what is compared.
local C = {
  AF_UNSPEC = 0, AF_INET = 2, AF_INET6 = 10, STREAM = 1, DGRAM = 2, RAW = 3, NONBLOCK = 0x800,
  SOL_SOCKET = 1, SOL_IP = 0, SOL_TCP = 6, SOL_UDP = 17, SOL_IPV6 = 41,
  POLLIN = 1, POLLPRI = 2, POLLOUT = 4, POLLERR = 8, POLLHUP = 0x10, POLLNVAL = 0x20,
  POLLRDNORM = 0x40, POLLRDBAND = 0x80, POLLWRNORM = 0x100, POLLWRBAND = 0x200, POLLRDHUP = 0x2000,
  MSG_OOB = 1, MSG_PEEK = 2, MSG_DONTROUTE = 4, MSG_CTRUNC = 8, MSG_TRUNC = 0x20, MSG_DONTWAIT = 0x40,
  MSG_EOR = 0x80, MSG_WAITALL = 0x100, MSG_ERRQUEUE = 0x2000, MSG_NOSIGNAL = 0x4000, MSG_MORE = 0x8000,
  MSG_ZEROCOPY = 0x4000000, MSG_FASTOPEN = 0x20000000,
  FIONREAD = 0x541B, SIOCOUTQ = 0x5411, SIOCATMARK = 0x8905, SIOCOUTQNSD = 0x894B,
}

local ANY, LOOPBACK = "\0\0\0\0", "\127\0\0\1"
local ANY6, LOOPBACK6 = ("\0"):rep(16), ("\0"):rep(15) .. "\1"
local MAPPED = ("\0"):rep(10) .. "\255\255\127\0\0\1"

return function(world)
  local w = { C = C, ANY = ANY, LOOPBACK = LOOPBACK, ANY6 = ANY6, LOOPBACK6 = LOOPBACK6, MAPPED = MAPPED }
  setmetatable(w, { __index = world })

  -- The only one that a namespace may choose whatever the machine has been told.
  assert(world.sysctl("net.ipv4.tcp_congestion_control", "reno"))

  -- A call whose failure ends the sequence.
  function w.must(name, fields)
    local result, err = world.sys(name, fields)
    if not result then error(("%s: %s"):format(name, err), 2) end
    return result
  end

  -- The number that a call returned, or the name of its error, as text.
  function w.outcome(name, fields)
    local result, err = world.sys(name, fields)
    return result and tostring(result.ret) or err
  end

  function w.hex(bytes)
    return (bytes:gsub(".", function(c) return ("%02x"):format(c:byte()) end))
  end

  -- int32 in the byte order of x86-64.
  function w.int(n) return ("<I4"):pack(n & 0xffffffff) end

  function w.socket(family, kind, protocol)
    return w.must("socket", { arg0 = family, arg1 = kind | C.NONBLOCK, arg2 = protocol or 0 }).ret
  end

  function w.tcp() return w.socket(C.AF_INET, C.STREAM) end
  function w.tcp6() return w.socket(C.AF_INET6, C.STREAM) end
  function w.udp() return w.socket(C.AF_INET, C.DGRAM) end

  function w.close(fd) return w.outcome("close", { fd = fd }) end

  function w.bind(fd, addr, port) return w.outcome("bind", { fd = fd, addr = addr, port = port or 0 }) end

  function w.connect(fd, addr, port)
    return w.outcome("connect", { fd = fd, addr = addr, port = port })
  end

  -- From here on scenes are over IPv6: tcp() makes sockets of it, LOOPBACK is its.
  function w.use_ipv6()
    w.tcp, w.LOOPBACK, w.ANY = w.tcp6, LOOPBACK6, ANY6
  end

  function w.disconnect(fd)
    return w.outcome("connect", { fd = fd, addr = ANY, family = C.AF_UNSPEC })
  end

  function w.send(fd, bytes, flags)
    return w.outcome("sendmsg", { fd = fd, data = bytes, arg0 = (flags or 0) | C.MSG_NOSIGNAL })
  end

  -- "3 abc", or the error's name.
  function w.recv(fd, size, flags)
    local result, err = world.sys("recvmsg", { fd = fd, size = size, arg0 = flags or 0 })
    if not result then return err end
    local text = flags and flags & C.MSG_TRUNC ~= 0 and "" or (" %s"):format(result.data)
    return ("%d%s flags %x"):format(result.ret, text, result.msg_flags)
  end

  function w.port(fd) return w.must("getsockname", { fd = fd }).port end

  function w.name(call, fd)
    local result, err = world.sys(call, { fd = fd })
    if not result then return err end
    return w.hex(result.addr), result.port
  end

  function w.set(fd, level, name, value)
    if type(value) == "number" then value = w.int(value) end
    return w.outcome("setsockopt", { fd = fd, arg0 = level, arg1 = name, data = value })
  end

  -- The number, the bytes of another length as hex with their length in front, or the error's name.
  function w.get(fd, level, name, size)
    local result, err = world.sys("getsockopt", { fd = fd, arg0 = level, arg1 = name, size = size or 4 })
    if not result then return err end
    local bytes = result.data or ""
    if result.ret == 4 and #bytes == 4 then return tostring((("<i4"):unpack(bytes))) end
    return ("%d:%s"):format(result.ret, w.hex(bytes))
  end

  local bits = {}
  for name, bit in pairs(C) do
    if name:find "^POLL" then bits[#bits + 1] = { bit, name:sub(5):lower() } end
  end
  table.sort(bits, function(a, b) return a[1] < b[1] end)

  function w.events(mask)
    local names = {}
    for _, entry in ipairs(bits) do
      if mask & entry[1] ~= 0 then names[#names + 1] = entry[2] end
    end
    return #names == 0 and "-" or table.concat(names, " ")
  end

  -- All events of a descriptor, now or within some ms.
  function w.poll(fd, ms)
    local result, err = world.sys("poll", { fds = { fd, 0x23ff }, timeout = (ms or 0) * 1000000 })
    return result and w.events(result.revents[1]) or err
  end

  -- Longer than a jiffy of any kernel, shorter than a delayed ACK.
  function w.settle() world.sleep(6000000) end

  -- Until the socket is in a state of TCP (its number): what goes with a tick of the clock, as the ACK of
  -- a FIN does, may come later on a busy machine.
  function w.await_state(fd, state)
    for _ = 1, 500 do
      if w.get(fd, C.SOL_TCP, 11, 1) == ("1:%02x"):format(state) then return end
      world.sleep(2000000)
    end
  end

  -- Scenes --------------------------------------------------------------------------------------

  -- A way to a station that never answers, as what it is sent is for another.
  function w.black_hole()
    for _, words in ipairs { "link add veth0 type veth peer name veth1", "link set veth1 up", "link set veth0 up",
      "addr add 198.51.100.1/24 dev veth0", "neigh add 198.51.100.9 lladdr 02:00:00:00:00:09 dev veth0 nud permanent" } do
      local text, good = world.command("ip " .. words)
      if not good then error(words .. ": " .. text) end
    end
  end

  w.NOBODY = "\198\51\100\9"

  function w.listener(port, backlog)
    local fd = w.tcp()
    if port or w.LOOPBACK ~= LOOPBACK then w.must("bind", { fd = fd, addr = w.LOOPBACK, port = port or 0 }) end
    w.must("listen", { fd = fd, arg0 = backlog or 10 })
    return fd, w.port(fd)
  end

  -- Both ends of a connection over loopback: the client's, the server's, and the listener.
  function w.pair(prepare)
    local listener, port = w.listener()
    local client = w.tcp()
    if prepare then prepare(client, listener) end
    w.connect(client, w.LOOPBACK, port)
    w.settle()
    local server = w.must("accept", { fd = listener, arg0 = C.NONBLOCK }).ret
    return client, server, listener
  end

  return w
end
