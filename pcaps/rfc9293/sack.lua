-- SPDX-License-Identifier: MIT
-- A capture case (docs/capture-cases.md); make.lua makes its frames.
local case = require "case"

case.capture("what came out of order is told in blocks, the latest first", {
  host = { addr = "192.0.2.1/24", mac = "02:00:00:00:00:01",
    sysctl = { ["net.ipv4.tcp_comp_sack_nr"] = 0 } },
  setup = function(host) host:neigh{ addr = "192.0.2.9", mac = "02:00:00:00:00:09" } end,
  program = function(host, program, t)
    local server = host:socket "tcp"
    server:listen(80)
    local conn = server:accept()
  end,
  shows = { "RFC2018-4-1", "RFC2883-4-1" },
})
