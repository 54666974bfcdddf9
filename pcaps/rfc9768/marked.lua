-- SPDX-License-Identifier: MIT
-- A capture case (docs/capture-cases.md); make.lua makes its frames.
local talk = require "suite.talk"

talk.server("marks that come back make the window smaller, and CWR is part of ACE", {
  sysctl = { ["net.ipv4.tcp_ecn"] = 3 },
  program = function(conn, program, t)
    program:at "10ms"
    conn:send "first"
    local before = conn:info().snd_cwnd
    program:at "30ms"
    t:is({ conn:info().delivered_ce, conn:info().snd_cwnd < before }, { 1, true })
    conn:send "second"
  end,
})
