-- SPDX-License-Identifier: MIT
-- Holds what the stack printed against what the kernel printed, and both against the differences
-- that are known: lua5.4 compare.lua [--show] DIR KNOWN <NAMES. DIR/kernel/NAME and DIR/stack/NAME
-- have the results of a sequence, "ID<tab>RESULT" a line; a result is a list of words.
--
-- KNOWN has paragraphs: lines "SEQUENCE<tab>ID<tab>WORDS", Lua patterns that fit the whole of a
-- sequence's name, of an id, and of the words of the kernel that the stack does not have (as they
-- are printed here); and below them, indented, why it is so. One that nothing needs is an error.
local show = arg[1] == "--show" and table.remove(arg, 1)
local dir, known_path = arg[1], arg[2]

local function read(path)
  local lines, order = {}, {}
  for line in io.lines(path) do
    local id, result = line:match "^(.-)\t(.*)$"
    if not id then error(path .. ": no line of a sequence: " .. line) end
    if lines[id] then error(path .. ": twice: " .. id) end
    lines[id] = result
    order[#order + 1] = id
  end
  return lines, order
end

local function words(text)
  local list = {}
  for word in text:gmatch "%S+" do list[#list + 1] = word end
  return list
end

-- "1=x 2=x 3=y" as "1..2=x 3=y".
local function shorter(list)
  local out, first, last, value = {}, nil, nil, nil
  local function flush()
    if first then out[#out + 1] = (first == last and first or first .. ".." .. last) .. "=" .. value end
    first = nil
  end
  for _, word in ipairs(list) do
    local key, result = word:match "^([^=]+)=(.*)$"
    if not key or not first or result ~= value then flush() end
    if key then
      first, last, value = first or key, key, result
    else
      out[#out + 1] = word
    end
  end
  flush()
  return table.concat(out, " ")
end

-- The words of a that b does not have in the same place.
local function differing(a, b)
  if a == "(absent)" then return a end
  local list, left, right = {}, words(a), words(b)
  for i = 1, math.max(#left, #right) do
    if left[i] ~= right[i] then list[#list + 1] = left[i] or "(nothing)" end
  end
  return shorter(list)
end

local function parse_known(line, at)
  local sequence, id, what = line:match "^(.-)\t(.-)\t(.*)$"
  if not sequence then error(("%s:%d: SEQUENCE<tab>ID<tab>WORDS"):format(known_path, at)) end
  return { sequence = "^" .. sequence .. "$", id = "^" .. id .. "$", words = "^" .. what .. "$", at = at }
end

local function read_known()
  local list, paragraph = {}, {}
  local number = 0
  local function explain()
    for _, entry in ipairs(paragraph) do list[#list + 1] = entry end
    paragraph = {}
  end
  for line in io.lines(known_path) do
    number = number + 1
    if line:find "^%s+%S" then
      explain()
    elseif line:find "^[^#]" then
      paragraph[#paragraph + 1] = parse_known(line, number)
    end
  end
  if paragraph[1] then error(("%s:%d: no reason is given"):format(known_path, paragraph[1].at)) end
  return list
end

local known = read_known()
local differences, explained, results = 0, 0, 0
local compared = {}

local function is_known(sequence, id, what)
  for _, entry in ipairs(known) do
    if sequence:find(entry.sequence) and id:find(entry.id) and what:find(entry.words) then
      entry.used = true
      return true
    end
  end
end

local function compare(sequence, id, a, b)
  if a == b then return end
  a, b = a or "(absent)", b or "(absent)"
  local what = differing(a, b)
  if is_known(sequence, id, what) then
    explained = explained + 1
    if not show then return end
  else
    differences = differences + 1
  end
  print(("%s: %s\n  kernel: %s\n  stack:  %s"):format(sequence, id, what, differing(b, a)))
end

for line in io.lines() do
  local sequence = line:match "^[^\t]+"
  local kernel, order = read(dir .. "/kernel/" .. sequence)
  local stack, stack_order = read(dir .. "/stack/" .. sequence)
  compared[sequence] = true
  results = results + #order
  for _, id in ipairs(order) do compare(sequence, id, kernel[id], stack[id]) end
  for _, id in ipairs(stack_order) do
    if not kernel[id] then compare(sequence, id, nil, stack[id]) end
  end
end

-- A reason whose sequences were all run must have been needed.
for _, entry in ipairs(known) do
  local ran = false
  for sequence in pairs(compared) do ran = ran or sequence:find(entry.sequence) end
  if ran and not entry.used then
    differences = differences + 1
    print(("%s:%d: nothing differs so any more"):format(known_path, entry.at))
  end
end
print(("%d results, %d differ as it is known, %d more"):format(results, explained, differences))
os.exit(differences == 0)
