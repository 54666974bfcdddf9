-- SPDX-License-Identifier: MIT
-- A capture case (docs/capture-cases.md); make.lua makes its frames.
local talk = require "suite.talk"

talk.client("a cookie is asked for, kept and used", {
  program = function(client, program, t, host)
    client:sendto("first", "192.0.2.9", 4000, { flags = "fastopen" })
    program:at "30ms"
    local again = host:socket "tcp"
    t:is(again:sendto("second", "192.0.2.9", 4000, { flags = "fastopen" }), 6)
  end,
  shows = { "RFC7413-4.1.3-1", "RFC7413-4.2.1-1", "RFC7413-4.2.2-1" },
})
