-- SPDX-License-Identifier: MIT
-- A capture case (docs/capture-cases.md); make.lua makes its frames.
local talk = require "suite.talk"

talk.server("a FIN that came first counts when the data in front of it has come", {
  program = function(conn, _, t)
    t:is((conn:recv()), "hello")
    t:is((conn:recv()), "")
    t:is(conn:info().state, "CLOSE_WAIT")
  end,
  shows = { "RFC9293-SHLD-31" },
})
