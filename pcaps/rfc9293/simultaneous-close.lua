-- SPDX-License-Identifier: MIT
-- A capture case (docs/capture-cases.md); make.lua makes its frames.
local talk = require "suite.talk"

talk.server("both close at the same time", {
  program = function(conn, program, t)
    program:at "10ms"
    conn:shutdown "wr"
    program:at "30ms"
    t:is((conn:recv()), "")
  end,
  check = function(host, t) t:is(host:sockets()[2].state, "TIME-WAIT") end,
  shows = "RFC9293-3.6-5",
})
