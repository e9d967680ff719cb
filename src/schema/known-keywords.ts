import leven from 'leven'

/** What JSON Schema (draft 7 and 2020-12), ajv-formats, OpenAPI and editors know. */
const KNOWN: readonly string[] = `
  $schema $id $ref $defs $anchor $comment $vocabulary $dynamicRef $dynamicAnchor $recursiveRef $recursiveAnchor
  id definitions dependencies type enum const title description default examples example deprecated readOnly
  writeOnly nullable allOf anyOf oneOf not if then else properties patternProperties additionalProperties
  unevaluatedProperties propertyNames minProperties maxProperties required dependentRequired dependentSchemas
  items prefixItems additionalItems unevaluatedItems contains minContains maxContains minItems maxItems
  uniqueItems minLength maxLength pattern format formatMinimum formatMaximum formatExclusiveMinimum
  formatExclusiveMaximum minimum maximum exclusiveMinimum exclusiveMaximum multipleOf contentEncoding
  contentMediaType contentSchema discriminator xml externalDocs errorMessage markdownDescription
  enumDescriptions markdownEnumDescriptions enumNames deprecationMessage defaultSnippets doNotSuggest tsType
`
  .trim()
  .split(/\s+/)
const known: ReadonlySet<string> = new Set(KNOWN)

/** How other validators and SQL say it. */
const FOREIGN: ReadonlyMap<string, string> = new Map(
  `min minimum max maximum minLen minLength maxLen maxLength
  length maxLength regex pattern regexp pattern values enum choices enum desc description
  optional required notNull type typ type ref $ref defs $defs`
    .match(/\S+ \S+/g)!
    .map((pair) => pair.split(' ') as [string, string]),
)
/** What is said of a table. */
const OF_TABLES: readonly string[] = ['unique', 'primaryKey', 'references']

/**
 * What to write in place of a keyword that there is not; `undefined` for a known one, and for what is like none: anyone may
 * have keywords of their own. Short ones are like others only by the order of their letters, or their case: `note` is not
 * `not`.
 */
export function meantKeyword(keyword: string): string | undefined {
  if (known.has(keyword) || keyword.startsWith('x-')) return undefined
  if (OF_TABLES.includes(keyword)) return `'${keyword}' in the table`
  const meant = FOREIGN.get(keyword) ?? nearest(keyword)
  return meant && `'${meant}'`
}

function nearest(keyword: string): string | undefined {
  const letters = lettersOf(keyword)
  const same = KNOWN.find((one) => lettersOf(one) === letters)
  if (same !== undefined) return same
  const most = keyword.length < 5 ? 0 : keyword.length < 8 ? 1 : 2
  return KNOWN.find((one) => one.length >= 4 && leven(one, keyword, { maxDistance: most + 1 }) <= most)
}

function lettersOf(word: string): string {
  return Array.from(word.toLowerCase()).toSorted().join('')
}
