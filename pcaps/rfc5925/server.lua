-- SPDX-License-Identifier: MIT
-- A capture case (docs/capture-cases.md); make.lua makes its frames.
local talk = require "suite.talk"

talk.server("a wrong MAC, an unknown KeyID and no option at all are dropped in silence", {
  listen = { TCP_AO_ADD_KEY = { addr = "192.0.2.9", key = "secret", sndid = 5, rcvid = 7 } },
  program = function(conn, program, t)
    program:at "50ms"
    t:is((conn:recv()), "across the number 0.right")
    conn:send "hello"
    program:at "70ms"
    t:is(select(2, conn:try "recv"), "ECONNRESET")
  end,
  check = function(host, t)
    t:is({ host:counter "TcpExtTCPAOBad", host:counter "TcpExtTCPAOKeyNotFound", host:counter "TcpExtTCPAORequired" },
      { 3, 3, 3 })
  end,
})
