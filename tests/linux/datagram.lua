-- SPDX-License-Identifier: MIT
-- UDP over loopback: what is connected hears, errors, sizes, flags, control messages, corked datagrams.
return function(w)
  local C = w.C

  local function bound(addr)
    local fd = w.udp()
    w.must("bind", { fd = fd, addr = addr or w.LOOPBACK, port = 0 })
    return fd, w.port(fd)
  end

  local function to(fd, data, port, o)
    o = o or {}
    return w.outcome("sendmsg", { fd = fd, data = data, addr = o.addr or w.LOOPBACK, port = port,
      arg0 = (o.flags or 0) | C.MSG_NOSIGNAL, control = o.control, family = o.family })
  end

  local function cmsg(level, kind, data)
    local padded = data .. ("\0"):rep(-#data % 8)
    return ("<i8i4i4"):pack(16 + #data, level, kind) .. padded
  end

  -- What came, with its control messages, but for numbers that change from run to run.
  local function take(fd, o)
    o = o or {}
    local result, err = w.sys("recvmsg", { fd = fd, size = o.size or 100, arg0 = (o.flags or 0) | C.MSG_DONTWAIT,
      control_size = o.control or 256 })
    if not result then return err end
    local list = { tostring(result.ret), #result.data > 20 and #result.data .. "B" or result.data,
      ("flags=%x"):format(result.msg_flags) }
    local control, at = result.control or "", 1
    while at + 15 <= #control do
      local len, level, kind = ("<i8i4i4"):unpack(control, at)
      local data = control:sub(at + 16, at + len - 1)
      if level == 1 and (kind == 29 or kind == 35 or kind == 37 or kind >= 63 and kind <= 65) then
        data = #data .. " bytes"
      elseif level == 0 and kind == 11 then
        data = w.hex(data:sub(1, 18)) .. ".." .. w.hex(data:sub(21)) -- the offender's port is in between
      elseif level == 0 and kind == 20 then
        data = w.hex(data:sub(1, 2)) .. ".." .. w.hex(data:sub(5))
      else
        data = w.hex(data)
      end
      list[#list + 1] = ("%d/%d:%d:%s"):format(level, kind, len, data)
      if len < 16 then break end
      at = at + (len + 7) // 8 * 8
    end
    return table.concat(list, " ")
  end

  local id = 0
  local function step(title, ...)
    id = id + 1
    w.settle()
    w.emit(("%03d %s"):format(id, title), table.concat({ ... }, " "))
  end

  local a, pa = bound()
  local b, pb = bound()
  step("sent", to(a, "hello", pb), w.poll(a))
  step("there", w.poll(b), w.outcome("ioctl", { fd = b, arg0 = C.FIONREAD }), take(b, { flags = C.MSG_PEEK }))
  step("cut", take(b, { size = 3 }), take(b))
  to(a, "hello", pb)
  step("cut, MSG_TRUNC", take(b, { size = 3, flags = C.MSG_TRUNC }))
  to(a, "", pb)
  step("empty", w.poll(b), w.outcome("ioctl", { fd = b, arg0 = C.FIONREAD }), take(b), w.poll(b))
  to(a, "one", pb)
  to(a, "two", pb)
  step("waitall", take(b, { flags = C.MSG_WAITALL }), take(b, { size = 0 }), take(b))

  -- Sizes
  for _, size in ipairs { 1472, 1473, 65507, 65508, 70000 } do
    step("size " .. size, to(a, ("x"):rep(size), pb), take(b, { size = 70000 }))
  end
  w.set(a, C.SOL_IP, 10, 2) -- IP_MTU_DISCOVER: DO
  step("DF, 65507", to(a, ("x"):rep(65507), pb))
  step("DF, 70000", to(a, ("x"):rep(70000), pb))
  w.set(a, C.SOL_IP, 10, 1)
  take(b, { size = 70000 })

  -- Connected
  step("connect", w.connect(a, w.LOOPBACK, pb), w.get(a, C.SOL_IP, 14))
  step("send to the peer", w.send(a, "x"), take(b))
  step("sendto another", to(a, "x", pa), take(a), to(a, "x", 0), to(a, "x", 9, { family = C.AF_INET6 }))
  local c, pc = bound()
  step("of another", to(c, "no", pa), take(a), to(b, "yes", pa), take(a))
  step("disconnect", w.disconnect(a), w.send(a, "x"), to(c, "yes", pa), take(a))
  step("disconnect twice", w.disconnect(a), w.name("getsockname", a) == w.hex(w.LOOPBACK) and "bound" or "not bound")

  -- Errors
  local dead = w.udp()
  w.connect(dead, w.LOOPBACK, 1)
  step("to nobody", w.send(dead, "x"))
  step("the error", w.poll(dead), w.send(dead, "x"))
  step("once", w.poll(dead), w.recv(dead, 10), w.recv(dead, 10))
  w.send(dead, "x")
  step("by SO_ERROR", w.get(dead, 1, 4), w.get(dead, 1, 4), w.poll(dead))
  step("not connected: no error", to(c, "x", 1), w.get(c, 1, 4), to(c, "x", 1))
  w.set(c, C.SOL_IP, 11, 1) -- IP_RECVERR
  to(c, "quoted", 1)
  step("IP_RECVERR", w.poll(c), take(c), take(c, { flags = C.MSG_ERRQUEUE }), take(c, { flags = C.MSG_ERRQUEUE }), w.poll(c))
  to(c, "first", 1)
  to(c, "second", 1)
  step("IP_RECVERR, two", w.get(c, 1, 4), take(c, { flags = C.MSG_ERRQUEUE, size = 2 }), w.get(c, 1, 4),
    take(c, { flags = C.MSG_ERRQUEUE, control = 20 }), w.poll(c))
  w.set(c, C.SOL_IP, 10, 2)
  step("too long, IP_RECVERR", to(c, ("x"):rep(65507), pb), take(c, { flags = C.MSG_ERRQUEUE }))
  w.set(c, C.SOL_IP, 10, 1)
  w.set(c, C.SOL_IP, 11, 0)
  step("broadcast without SO_BROADCAST", to(c, "x", pb, { addr = "\255\255\255\255" }),
    to(c, "x", pb, { addr = "\127\255\255\255" }))
  step("unreachable", to(c, "x", pb, { addr = "\10\9\8\7" }))
  step("to 0.0.0.0", to(c, "x", pb, { addr = w.ANY }), take(b))
  step("family 0", to(c, "x", pb, { family = 0 }), take(b))
  step("MSG_OOB", to(c, "x", pb, { flags = C.MSG_OOB }), take(b, { flags = C.MSG_OOB }))

  -- Control messages
  for _, option in ipairs { { "IP_PKTINFO", 0, 8 }, { "IP_RECVTTL", 0, 12 }, { "IP_RECVTOS", 0, 13 }, { "IP_RECVOPTS", 0, 6 },
    { "IP_RETOPTS", 0, 7 }, { "IP_RECVORIGDSTADDR", 0, 20 }, { "SO_TIMESTAMP", 1, 29 }, { "SO_TIMESTAMPNS", 1, 35 },
    { "SO_TIMESTAMP_NEW", 1, 63 }, { "SO_TIMESTAMPNS_NEW", 1, 64 }, { "SO_RXQ_OVFL", 1, 40 }, { "SO_RCVMARK", 1, 75 },
    { "SO_RCVPRIORITY", 1, 82 }, { "IP_CHECKSUM", 0, 23 }, { "IP_RECVFRAGSIZE", 0, 25 }, { "UDP_GRO", 17, 104 } } do
    w.set(b, option[2], option[3], 1)
    to(a, "x", pb)
    w.settle()
    to(a, "x", pb)
    step(option[1], take(b), take(b, { control = 17 }))
    if option[3] ~= 63 then w.set(b, option[2], option[3], 0) end
  end
  w.set(b, 1, 29, 0)
  w.set(b, 1, 37, 0x18)
  to(a, "x", pb)
  step("SO_TIMESTAMPING", take(b))
  w.set(b, 1, 37, 0)
  for _, n in ipairs { 8, 12, 13 } do w.set(b, C.SOL_IP, n, 1) end
  to(a, "x", pb)
  step("three of them", take(b))
  for _, room in ipairs { 0, 15, 16, 28, 32, 52, 56 } do
    to(a, "x", pb)
    step("three of them, room for " .. room, take(b, { control = room }))
  end

  -- What a send may say.
  local function with(title, ...)
    step(title, to(a, "x", pb, { control = table.concat { ... } }), take(b))
  end
  with("IP_TTL 7", cmsg(0, 2, w.int(7)))
  with("IP_TTL 0", cmsg(0, 2, w.int(0)))
  with("IP_TTL 256", cmsg(0, 2, w.int(256)))
  with("IP_TTL of one byte", cmsg(0, 2, "\7"))
  with("IP_TOS 16", cmsg(0, 1, w.int(16)))
  with("IP_TOS of one byte", cmsg(0, 1, "\8"))
  with("IP_TOS 256", cmsg(0, 1, w.int(256)))
  with("IP_TOS of two bytes", cmsg(0, 1, "\8\0"))
  with("both", cmsg(0, 2, w.int(9)), cmsg(0, 1, w.int(4)))
  with("IP_PKTINFO", cmsg(0, 8, w.int(1) .. w.LOOPBACK .. w.ANY))
  with("IP_PKTINFO, an address not ours", cmsg(0, 8, w.int(0) .. "\10\9\8\7" .. w.ANY))
  with("IP_PKTINFO, no such device", cmsg(0, 8, w.int(77) .. w.ANY .. w.ANY))
  with("IP_PKTINFO, short", cmsg(0, 8, w.int(1)))
  with("SO_MARK", cmsg(1, 36, w.int(5)))
  with("SO_MARK of one byte", cmsg(1, 36, "\5"))
  with("SO_PRIORITY", cmsg(1, 12, w.int(5)))
  with("SO_TIMESTAMPING", cmsg(1, 37, w.int(2)))
  with("a type of SOL_SOCKET that is none", cmsg(1, 200, w.int(5)))
  with("a type of SOL_IP that is none", cmsg(0, 200, w.int(5)))
  with("another level", cmsg(99, 1, w.int(5)))
  with("a length below a header", ("<i8i4i4"):pack(8, 0, 2) .. ("\0"):rep(8))
  with("a length beyond the end", ("<i8i4i4"):pack(99, 0, 2) .. ("\0"):rep(8))
  with("UDP_SEGMENT", cmsg(17, 103, "\1\0"))
  with("UDP_SEGMENT of four bytes", cmsg(17, 103, w.int(1)))

  -- Corked
  for _, n in ipairs { 8, 12, 13 } do w.set(b, C.SOL_IP, n, 0) end
  step("more", to(a, "one ", pb, { flags = C.MSG_MORE }), w.poll(b))
  step("more, to another", to(a, "two ", pc, { flags = C.MSG_MORE }))
  step("the end", to(a, "three", pb), take(b), take(c))
  w.set(a, 17, 1, 1)
  step("UDP_CORK", to(a, "a", pb), to(a, "b", pb), w.poll(b))
  step("uncorked", w.set(a, 17, 1, 0), take(b))
  step("corked too long", to(a, ("x"):rep(40000), pb, { flags = C.MSG_MORE }), to(a, ("x"):rep(40000), pb), take(b))

  -- The buffer
  local small, ps = bound()
  w.set(small, 1, 8, 1) -- SO_RCVBUF: the least
  local sent = {}
  for i = 1, 5 do sent[i] = to(a, ("x"):rep(100), ps) end
  w.settle()
  local got = 0
  while take(small) ~= "EAGAIN" do got = got + 1 end
  step("the smallest buffer", table.concat(sent, " "), "got", tostring(got))

  -- shutdown
  step("shutdown, not connected", w.outcome("shutdown", { fd = b, arg0 = 0 }), w.poll(b), take(b))
  to(a, "x", pb)
  step("shutdown, not connected: still hears", take(b))
  local d = w.udp()
  w.connect(d, w.LOOPBACK, pc)
  step("shutdown wr", w.outcome("shutdown", { fd = d, arg0 = 1 }), w.send(d, "x"), w.poll(d))
  step("shutdown rd", w.outcome("shutdown", { fd = d, arg0 = 0 }), w.recv(d, 9), w.poll(d))
end
