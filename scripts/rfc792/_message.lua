-- SPDX-License-Identifier: MIT
-- ICMP messages of any length, as bytes with the right checksum: what a layer would complete stays
-- cut off.
local net = require "net"

return function(type, code, rest)
  local body = string.char(type, code, 0, 0) .. rest
  local sum = 0
  for i = 1, #body, 2 do sum = sum + (body:byte(i) << 8) + (body:byte(i + 1) or 0) end
  while sum > 0xffff do sum = (sum & 0xffff) + (sum >> 16) end
  return net.ip{ proto = 1 } / (body:sub(1, 2) .. (">I2"):pack(~sum & 0xffff) .. body:sub(5))
end
