-- SPDX-License-Identifier: MIT
-- Every sysctl of a new namespace: whether it is there, what it is at first, which texts it takes and
-- what it is then. A part is a prefix of names.
local TEXTS = { "-2147483649", "-2147483648", "-2", "-1", "0", "1", "2", "3", "4", "5", "6", "7", "8", "31", "32", "47", "48",
  "63", "64", "67", "68", "127", "128", "255", "256", "999", "1000", "1001", "4095", "4096", "32767", "32768", "60000",
  "60001", "65535", "65536", "86400", "86401", "120000", "120001", "2147483", "2147484", "2147483647", "2147483648",
  "4294967295", "4294967296", "99999999999999999999", "", "x", "7x", " 7", "7 ", "7\n", "7 8", "7 8 9", "9 8 7", "0x7", "+7", "07" }

local function said(text) return (text:gsub("%s", { [" "] = "_", ["\n"] = "\\n", ["\t"] = "\\t" })) end

-- Not compared: random ones; IPv6's per device, which has no autoconfiguration here.
local function is_left_out(name)
  return name:find "_seed$" or name:find "fastopen_key$" or name:find "^net%.ipv6%.conf%." or name:find "^net%.ipv6%.neigh%."
end

return function(w, part)
  w.black_hole()
  for _, name in ipairs(w.sysctls()) do
    if name:sub(1, #part) == part and not is_left_out(name) then
      local first, err = w.sysctl(name)
      w.emit(name, first and said(first) or err)
      local results = {}
      for _, text in ipairs(TEXTS) do
        local done, why = w.sysctl(name, text)
        local now = w.sysctl(name)
        results[#results + 1] = said(text) .. "=" .. (done and said(now or "?") or why)
      end
      w.emit(name .. ": write", table.concat(results, " "))
      if first then w.sysctl(name, first) end
    end
  end
end
