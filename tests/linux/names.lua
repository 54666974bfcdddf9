-- SPDX-License-Identifier: MIT
-- lua5.4 names.lua [WORD...]: "NAME<tab>FILE<tab>PART" of the sequences with one of the words in
-- their name.
package.path = arg[0]:gsub("[^/]*$", "?.lua")

local function wanted(name)
  for _, word in ipairs(arg) do
    if name:find(word, 1, true) then return true end
  end
  return #arg == 0
end

for _, sequence in ipairs(require "sequences") do
  if wanted(sequence.name) then print(("%s\t%s\t%s"):format(sequence.name, sequence.file, sequence.part)) end
end
