-- SPDX-License-Identifier: MIT
-- A capture case (docs/capture-cases.md); make.lua makes its frames.
local talk = require "suite.talk"

talk.client("port unreachable for the SYN refuses the connection", {
  sysctl = { ["net.ipv4.tcp_timestamps"] = 0, ["net.ipv4.tcp_sack"] = 0, ["net.ipv4.tcp_window_scaling"] = 0 },
  program = function(client, _, t)
    t:is(select(2, client:try("connect", "192.0.2.9", 4000)), "ECONNREFUSED")
  end,
  shows = { "RFC9293-MUST-54" },
})
