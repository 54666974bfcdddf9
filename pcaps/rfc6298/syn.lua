-- SPDX-License-Identifier: MIT
-- A capture case (docs/capture-cases.md); make.lua makes its frames.
local talk = require "suite.talk"

talk.client("a SYN that nobody answers comes again, twice as late each time", {
  sysctl = { ["net.ipv4.tcp_syn_retries"] = 3, ["net.ipv4.tcp_syn_linear_timeouts"] = 0,
    ["net.ipv4.tcp_timestamps"] = 0, ["net.ipv4.tcp_sack"] = 0, ["net.ipv4.tcp_window_scaling"] = 0 },
  after = "60s",
  program = function(client, _, t)
    t:is(select(2, client:try("connect", "192.0.2.9", 4000)), "ETIMEDOUT")
  end,
  shows = { "RFC6298-2-1", "RFC6298-5-5" },
})
