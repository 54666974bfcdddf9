-- SPDX-License-Identifier: MIT
-- A capture case (docs/capture-cases.md); make.lua makes its frames.
local talk = require "suite.talk"

talk.server("what is not signed with the key is dropped in silence, data, SYNs and resets", {
  listen = { TCP_MD5SIG = { addr = "192.0.2.9", key = "secret" } },
  program = function(conn, program, t)
    program:at "40ms"
    t:is((conn:recv()), "right")
    conn:send "hello"
    program:at "60ms"
    t:is(select(2, conn:try "recv"), "ECONNRESET")
  end,
  check = function(host, t)
    t:is(host:counter "TcpExtTCPMD5Failure", 3)
    t:is(host:counter "TcpExtTCPMD5NotFound", 3)
  end,
  shows = { "RFC2385-2.0-1", "RFC2385-2.0-2", "RFC2385-2.0-3" },
})
