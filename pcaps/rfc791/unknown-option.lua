-- SPDX-License-Identifier: MIT
-- A capture case (docs/capture-cases.md); make.lua makes its frames.
local case = require "case"

case.capture("unknown options are passed over", {
  host = { addr = "192.0.2.1/24", mac = "02:00:00:00:00:01" },
  setup = function(host) host:neigh{ addr = "192.0.2.9", mac = "02:00:00:00:00:09" } end,
  program = function(host)
    local socket = host:socket "udp"
    socket:bind(5000)
    for _ = 1, 1 do
      local data, from = socket:recv()
      socket:sendto(data:upper(), from.addr, from.port)
    end
  end,
  shows = { "RFC1122-3.2.1.8-3", "RFC791-3.2-3" },
})
