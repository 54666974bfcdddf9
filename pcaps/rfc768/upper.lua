-- SPDX-License-Identifier: MIT
-- A capture case (docs/capture-cases.md); make.lua makes its frames.
local case = require "case"

case.capture("datagrams of any length are answered", {
  host = { addr = "192.0.2.1/24", mac = "02:00:00:00:00:01" },
  setup = function(host) host:neigh{ addr = "192.0.2.9", mac = "02:00:00:00:00:09" } end,
  program = function(host)
    local socket = host:socket "udp"
    socket:bind(7)
    for _ = 1, 4 do
      local data, from = socket:recv()
      socket:sendto(data:upper(), from.addr, from.port)
    end
  end,
  shows = { "RFC768-Fields-1", "RFC768-Fields-2", "RFC768-Interface-1" },
})
