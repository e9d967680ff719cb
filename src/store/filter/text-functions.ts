import type { SqliteDriver, SqlValue } from '../../drivers/index.ts'
import { compileContains } from './contains.ts'
import { compileLike } from './like.ts'

/** Patterns that are kept compiled, for each function. */
const KEPT = 16

type Compile = (operand: string) => (text: string) => boolean

/** Registers what stands in `whereToSql` for SQLite's LIKE and `instr` where these could take too long. Once per connection. */
export function installTextFunctions(driver: Pick<SqliteDriver, 'createFunction'>): void {
  driver.createFunction('rowcast_like', 2, sqlFunction(compileLike))
  driver.createFunction('rowcast_contains', 2, sqlFunction(compileContains))
}

function sqlFunction(compile: Compile): (text: SqlValue, operand: SqlValue) => SqlValue {
  const compiled = new Map<string, (text: string) => boolean>()
  return (given, operand) => {
    const text = given instanceof Uint8Array ? textOf(given) : given
    if (typeof text !== 'string' || typeof operand !== 'string') return null
    let test = compiled.get(operand)
    if (!test) {
      if (compiled.size >= KEPT) compiled.clear()
      compiled.set(operand, (test = compile(operand)))
    }
    return test(text) ? 1 : 0
  }
}

const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
/** The first of the three bytes of half of a surrogate pair, and of a few other code points. */
const LEAD = 0xed

/** The text of a place in JSON, which may have NUL in it and halves of surrogate pairs. */
function textOf(bytes: Uint8Array): string {
  let text = ''
  let from = 0
  for (let at = bytes.indexOf(LEAD); at !== -1; at = bytes.indexOf(LEAD, at + 1)) {
    const [second = 0, third = 0] = bytes.subarray(at + 1, at + 3)
    if (second < 0xa0) continue
    text += decoder.decode(bytes.subarray(from, at))
    text += String.fromCharCode(0xd000 | ((second & 0x3f) << 6) | (third & 0x3f))
    from = at + 3
  }
  return text + decoder.decode(bytes.subarray(from))
}
