-- SPDX-License-Identifier: MIT
-- A capture case (docs/capture-cases.md); make.lua makes its frames.
local talk = require "suite.talk"

talk.client("a reset for the SYN refuses the connection, any other does not", {
  program = function(client, _, t)
    t:is(select(2, client:try("connect", "192.0.2.9", 4000)), "ECONNREFUSED")
  end,
  shows = { "RFC9293-3.10.7.3-2" },
})
