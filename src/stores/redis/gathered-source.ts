/** A script that may run among others, in one call: with so many keys and values. It returns in all its branches, or nothing. */
export interface GatheredScript {
  readonly source: string;
  readonly keys: number;
  readonly values: number;
  /** Goes before what others of its call ask for, as what gives back does. @default false */
  readonly isFirst?: boolean;
}

/**
 * One script that runs any of these, each as often as it is asked for: before its values `ARGV` has its number. The answers are in their
 * order; one that fails is an error in its place, and the others run. As it is one text, a server keeps one script of it.
 *
 * A replica's refusal to write is the error of the whole call, since nothing was written: only there the client sees it, and may look for the master.
 */
export function gatheredSource(scripts: readonly GatheredScript[]): string {
  const branches = scripts.map(
    ({ source, keys, values }, number) => `${number === 0 ? 'if' : 'elseif'} number == '${number}' then
local KEYS, ARGV = given(${keys}, ${values})
${source}
`,
  );
  return `
local keys, values = KEYS, ARGV
local atKey, atValue, count = 0, 0, #ARGV
local function given(keysOfIt, valuesOfIt)
  local itsKeys, itsValues = {}, {}
  for index = 1, keysOfIt do itsKeys[index] = keys[atKey + index] end
  for index = 1, valuesOfIt do itsValues[index] = values[atValue + index] end
  atKey = atKey + keysOfIt
  atValue = atValue + valuesOfIt
  return itsKeys, itsValues
end
local function run()
  atValue = atValue + 1
  local number = values[atValue]
  ${branches.join('')}end
end
local answers, at = {}, 0
while atValue < count do
  local isDone, answer = pcall(run)
  at = at + 1
  if isDone then
    answers[at] = answer or false
  else
    local err = type(answer) == 'table' and answer.err or tostring(answer)
    if string.find(err, '^READONLY ') or string.find(err, ': -READONLY ', 1, true) then return { err = err } end
    answers[at] = { err = string.find(err, '^%u+ ') and err or 'ERR ' .. err }
  end
end
return answers`;
}
