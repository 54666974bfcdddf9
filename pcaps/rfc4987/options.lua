-- SPDX-License-Identifier: MIT
-- A capture case (docs/capture-cases.md); make.lua makes its frames.
local talk = require "suite.talk"

talk.server("the time stamp of a SYN,ACK with a cookie tells of SACK and window scaling", {
  sysctl = { ["net.ipv4.tcp_syncookies"] = 2 },
  start = "47ms", -- the clock at the SYN, modulo 64: what stands for wscale 7 and SACK
  program = function(conn, program, t)
    t:is({ conn:info().options & 7, conn:info().snd_wscale }, { 7, 7 })
    program:at "40ms"
    t:is(select(2, conn:try "recv"), "ECONNRESET")
  end,
})
