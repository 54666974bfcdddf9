-- SPDX-License-Identifier: MIT
-- What a connection over loopback shows at each step: receive flags, urgent data, FIN and RST, SO_LINGER,
-- epoll's edges, TCP_INFO.
-- The part "ipv6": over IPv6.
return function(w, part)
  local C = w.C
  if part == "ipv6" then w.use_ipv6() end

  local function io(fd, request) return w.outcome("ioctl", { fd = fd, arg0 = request }) end

  local function watch(fd)
    return ("%s; inq %s, outq %s, mark %s"):format(w.poll(fd), io(fd, C.FIONREAD), io(fd, C.SIOCOUTQ),
      io(fd, C.SIOCATMARK))
  end

  local id = 0
  local function step(title, ...)
    id = id + 1
    w.settle()
    w.emit(("%03d %s"):format(id, title), table.concat({ ... }, " "))
  end

  -- Receiving -----------------------------------------------------------------------------------
  local a, b = w.pair()
  w.send(a, "0123456789")
  step("ten bytes", watch(a), watch(b))
  step("peek 3", w.recv(b, 3, C.MSG_PEEK), watch(b))
  step("peek of more", w.recv(b, 30, C.MSG_PEEK), watch(b))
  step("peek nothing", w.recv(b, 0, C.MSG_PEEK))
  step("trunc 4", w.recv(b, 4, C.MSG_TRUNC), watch(b))
  step("waitall of more, dontwait", w.recv(b, 20, C.MSG_WAITALL), watch(b))
  step("nothing left", w.recv(b, 20), w.recv(b, 20, C.MSG_PEEK), w.recv(b, 20, C.MSG_OOB))
  w.set(b, 1, 18, 5) -- SO_RCVLOWAT
  w.send(a, "abc")
  step("below SO_RCVLOWAT", watch(b), w.recv(b, 10))
  w.send(a, "defgh")
  step("at SO_RCVLOWAT", watch(b), w.recv(b, 10))
  w.set(b, 1, 18, 1)
  w.set(b, 1, 42, 0) -- SO_PEEK_OFF
  w.send(a, "peeking")
  w.settle()
  step("SO_PEEK_OFF", w.recv(b, 3, C.MSG_PEEK), w.recv(b, 3, C.MSG_PEEK), w.get(b, 1, 42))
  step("SO_PEEK_OFF after a read", w.recv(b, 2), w.get(b, 1, 42), w.recv(b, 9, C.MSG_PEEK), w.recv(b, 9, C.MSG_PEEK))
  w.recv(b, 100)
  w.set(b, 1, 42, -1)

  -- Urgent data ---------------------------------------------------------------------------------
  w.send(a, "abc", C.MSG_OOB)
  step("urgent", watch(b), w.recv(b, 10, C.MSG_OOB | C.MSG_PEEK), w.recv(b, 10, C.MSG_OOB), w.recv(b, 10, C.MSG_OOB))
  step("in front of the mark", w.recv(b, 10), watch(b))
  step("at the mark", w.recv(b, 10), watch(b))
  w.send(a, "de", C.MSG_OOB)
  w.send(a, "fg")
  step("data behind urgent data", watch(b), w.recv(b, 10), w.recv(b, 10), w.recv(b, 10, C.MSG_OOB))
  w.set(b, 1, 10, 1) -- SO_OOBINLINE
  w.send(a, "hi", C.MSG_OOB)
  step("inline", watch(b), w.recv(b, 10, C.MSG_OOB), w.recv(b, 10), watch(b), w.recv(b, 10), watch(b))
  w.set(b, 1, 10, 0)
  w.send(a, "x", C.MSG_OOB)
  w.send(a, "y", C.MSG_OOB)
  step("urgent twice", watch(b), w.recv(b, 10, C.MSG_OOB), w.recv(b, 10), w.recv(b, 10))

  -- Closing -------------------------------------------------------------------------------------
  w.send(a, "last")
  w.outcome("shutdown", { fd = a, arg0 = 1 })
  step("FIN behind data", watch(a), watch(b))
  step("the rest", w.recv(b, 10), w.recv(b, 10), w.recv(b, 10), watch(b))
  w.send(b, "still")
  step("the other half", watch(a), w.recv(a, 10), w.send(a, "no"), watch(a))
  w.close(b)
  step("closed", watch(a), w.recv(a, 10), w.get(a, 1, 4))
  w.close(a)

  local function reset(title, how)
    a, b = w.pair()
    how(a, b)
    w.settle()
    step(title, watch(a), w.get(a, 1, 4), w.get(a, 1, 4), watch(a), w.recv(a, 10), w.send(a, "x"))
    w.close(a)
  end

  local function linger(fd, on, time) w.set(fd, 1, 13, w.int(on) .. w.int(time)) end

  reset("closed with data unread", function(x, y)
    w.send(x, "unread")
    w.settle()
    w.close(y)
  end)
  reset("SO_LINGER 0", function(_, y)
    linger(y, 1, 0)
    w.close(y)
  end)
  reset("data, SO_LINGER 0", function(_, y)
    w.send(y, "data")
    w.settle()
    linger(y, 1, 0)
    w.close(y)
  end)
  reset("SO_LINGER 5", function(_, y)
    linger(y, 1, 5)
    w.close(y)
  end)
  reset("disconnect", function(_, y) w.disconnect(y) end)
  reset("shutdown of both, data", function(x, y)
    w.outcome("shutdown", { fd = y, arg0 = 2 })
    w.settle()
    w.send(x, "too late")
  end)
  reset("close, data", function(x, y)
    w.close(y)
    w.settle()
    w.send(x, "too late")
  end)
  reset("FIN, reset", function(x, y)
    w.outcome("shutdown", { fd = y, arg0 = 1 })
    w.settle()
    linger(y, 1, 0)
    w.close(y)
  end)
  reset("own FIN, reset", function(x, y)
    w.outcome("shutdown", { fd = x, arg0 = 1 })
    w.settle()
    linger(y, 1, 0)
    w.close(y)
  end)

  -- The queue of a listener ---------------------------------------------------------------------
  for backlog = 0, 2 do
    local listener, port = w.listener(nil, backlog)
    local done = {}
    for i = 1, 5 do
      local fd = w.tcp()
      w.connect(fd, w.LOOPBACK, port)
      w.settle()
      done[i] = w.poll(fd)
    end
    step("backlog of " .. backlog, table.concat(done, ", "), w.poll(listener))
    local taken = 0
    while w.sys("accept", { fd = listener, arg0 = C.NONBLOCK }) do taken = taken + 1 end
    step("accepted", tostring(taken))
    w.close(listener)
  end

  -- epoll ---------------------------------------------------------------------------------------
  local ET, ONESHOT, EXCLUSIVE = 1 << 31, 1 << 30, 1 << 28
  local ADD, DEL, MOD = 1, 2, 3

  local function ctl(ep, op, fd, events)
    return w.outcome("epoll_ctl", { fd = ep, arg0 = op, arg1 = fd, data = ("<I4I8"):pack(events & 0xffffffff, 7) })
  end

  local function ready(ep)
    local result, err = w.sys("epoll_wait", { fd = ep, arg0 = 8, size = 96, timeout = 0 })
    if not result then return err end
    local list = {}
    for i = 1, result.ret do list[i] = w.events((("<I4"):unpack(result.data, 12 * i - 11))) end
    return "[" .. table.concat(list, "|") .. "]"
  end

  a, b = w.pair()
  local ep = w.must("epoll_create", {}).ret
  step("epoll_ctl", ctl(ep, ADD, b, 1), ctl(ep, ADD, b, 1), ctl(ep, MOD, b, 5), ctl(ep, DEL, b, 0), ctl(ep, DEL, b, 0),
    ctl(ep, MOD, b, 1), ctl(ep, ADD, 999, 1), ctl(ep, ADD, ep, 1), ctl(999, ADD, b, 1), ctl(b, ADD, a, 1), ctl(ep, 9, b, 1))
  step("epoll_wait errors", w.outcome("epoll_wait", { fd = ep, arg0 = 0, size = 12, timeout = 0 }),
    w.outcome("epoll_wait", { fd = b, arg0 = 1, size = 12, timeout = 0 }),
    w.outcome("epoll_wait", { fd = 999, arg0 = 1, size = 12, timeout = 0 }))
  ctl(ep, ADD, b, 0x2005 | ET)
  step("edge: writable at first, once", ready(ep), ready(ep))
  w.send(a, "one")
  step("edge: data", ready(ep), ready(ep))
  w.send(a, "two")
  step("edge: more data", ready(ep), ready(ep))
  step("edge: a part is read", w.recv(b, 2), ready(ep))
  step("edge: MOD tells again", ctl(ep, MOD, b, 0x2005 | ET), ready(ep), ready(ep))
  w.recv(b, 100)
  w.outcome("shutdown", { fd = a, arg0 = 1 })
  step("edge: FIN", ready(ep), ready(ep))
  ctl(ep, MOD, b, 5 | ONESHOT)
  step("oneshot", ready(ep), ready(ep), ctl(ep, MOD, b, 5 | ONESHOT), ready(ep))
  ctl(ep, MOD, b, 0)
  step("no events asked for", ready(ep))
  linger(a, 1, 0)
  w.close(a)
  step("reset, no events asked for", ready(ep))
  step("closed descriptors leave", w.close(b), ready(ep))
  a, b = w.pair()
  step("exclusive", ctl(ep, ADD, b, 1 | EXCLUSIVE), ctl(ep, MOD, b, 1), ctl(ep, MOD, b, 1 | EXCLUSIVE),
    ctl(ep, ADD, a, 1 | EXCLUSIVE | ONESHOT))
  w.close(a)
  w.close(b)

  -- TCP_INFO ------------------------------------------------------------------------------------
  -- What does not depend on clocks or the size of buffers.
  local fields = { { "state", 0, "B" }, { "ca_state", 1, "B" }, { "retransmits", 2, "B" }, { "probes", 3, "B" },
    { "backoff", 4, "B" }, { "options", 5, "B" }, { "wscale", 6, "B" }, { "flags", 7, "B" }, { "snd_mss", 16, "I4" },
    { "unacked", 24, "I4" }, { "sacked", 28, "I4" }, { "lost", 32, "I4" }, { "retrans", 36, "I4" },
    { "fackets", 40, "I4" }, { "pmtu", 60, "I4" }, { "snd_ssthresh", 76, "I4" }, { "snd_cwnd", 80, "I4" },
    { "advmss", 84, "I4" }, { "reordering", 88, "I4" }, { "total_retrans", 100, "I4" }, { "max_pacing_rate", 112, "I8" },
    { "bytes_acked", 120, "I8" }, { "bytes_received", 128, "I8" }, { "segs_out", 136, "I4" }, { "segs_in", 140, "I4" },
    { "notsent_bytes", 144, "I4" }, { "data_segs_in", 152, "I4" }, { "data_segs_out", 156, "I4" },
    { "rwnd_limited", 176, "I8" }, { "sndbuf_limited", 184, "I8" }, { "delivered", 192, "I4" },
    { "delivered_ce", 196, "I4" }, { "bytes_sent", 200, "I8" }, { "bytes_retrans", 208, "I8" },
    { "dsack_dups", 216, "I4" }, { "reord_seen", 220, "I4" }, { "rcv_ooopack", 224, "I4" }, { "snd_wnd", 228, "I4" },
    { "rcv_wnd", 232, "I4" }, { "rehash", 236, "I4" }, { "total_rto", 240, "I2" }, { "rcv_mss", 20, "I4" },
    { "rcv_ssthresh", 64, "I4" }, { "rcv_space", 96, "I4" } }

  local function info(title, fd)
    local result = w.must("getsockopt", { fd = fd, arg0 = C.SOL_TCP, arg1 = 11, size = 512 })
    local list = { "length=" .. #result.data }
    for _, field in ipairs(fields) do
      local value = ("<" .. field[3]):unpack(result.data, field[2] + 1)
      list[#list + 1] = field[1] .. "=" .. value
    end
    step("info: " .. title, table.concat(list, " "))
  end

  local listener = w.listener()
  info("closed", w.tcp())
  info("listening", listener)
  a, b = w.pair()
  info("client, fresh", a)
  info("server, fresh", b)
  w.send(a, "x")
  w.settle()
  info("client, one byte there", a)
  info("server, one byte there", b)
  w.send(b, "y")
  w.settle()
  info("client, one byte back", a)
  info("server, one byte back", b)
  w.recv(a, 1)
  w.recv(b, 1)
  w.outcome("shutdown", { fd = a, arg0 = 1 })
  w.sleep(100000000)
  info("client, FIN", a)
  info("server, FIN", b)
  w.close(b)
  w.sleep(100000000)
  info("client, closed by both", a)
end
