-- SPDX-License-Identifier: MIT
-- A capture case (docs/capture-cases.md); make.lua makes its frames.
local talk = require "suite.talk"

talk.client("an unreachable that quotes a number not in flight is passed over", {
  sysctl = { ["net.ipv4.tcp_timestamps"] = 0, ["net.ipv4.tcp_sack"] = 0, ["net.ipv4.tcp_window_scaling"] = 0 },
  program = function(client, _, t)
    t:ok(client:connect("192.0.2.9", 4000))
  end,
  check = function(host, t) t:is(host:counter "TcpExtOutOfWindowIcmps", 1) end,
  shows = { "RFC5927-4.1-1", "RFC9293-MUST-54" },
})
